//! The files of a journal: their names and headers.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes of a segment before its first record.
pub(super) const HEADER: u64 = 16;

const MAGIC: &[u8; 4] = b"AYJJ";
const VERSION: u16 = 1;

/// Digits of the offset in a segment's name: enough for every offset, so that names sort as offsets do.
const DIGITS: usize = 20;

/// The name under which a segment is prepared, so that it appears with its header or not at all.
const UNFINISHED: &str = "segment.new";

/// The state of a segment's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// It is the expected one.
    Good,
    /// It is damaged or incomplete.
    Damaged,
    /// A newer program wrote it.
    Newer,
}

/// The path of the segment that starts at this offset.
pub(super) fn path(directory: &Path, start: u64) -> PathBuf {
    directory.join(format!("{start:0DIGITS$}.log"))
}

/// The start offsets of the segments in ascending order. A directory that does not exist holds none.
pub(super) fn list(directory: &Path) -> io::Result<Vec<u64>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut starts = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let digits = name.to_str().and_then(|name| name.strip_suffix(".log"));
        let digits =
            digits.filter(|name| name.len() == DIGITS && name.bytes().all(|byte| byte.is_ascii_digit()));
        starts.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
    }
    starts.sort_unstable();
    Ok(starts)
}

/// Creates an empty segment and opens it for appending. It survives a power cut once it is synced and [`settle`] was
/// called.
pub(super) fn create(directory: &Path, start: u64) -> io::Result<File> {
    let unfinished = directory.join(UNFINISHED);
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(&header(start))?;
    let path = path(directory, start);
    fs::rename(&unfinished, &path)?;
    append_to(&path)
}

/// Makes the names of segments survive a power cut.
pub(super) fn settle(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Makes a segment with a damaged header an empty one, in place, so that its reader notices.
pub(super) fn renew(file: &File, start: u64) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all_at(&header(start), 0)?;
    file.sync_all()
}

/// Opens a segment for appending.
pub(super) fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).open(path)
}

/// Reads the header of a segment that should start at this offset.
pub(super) fn check_header(file: &File, start: u64) -> io::Result<Header> {
    let mut found = [0; HEADER as usize];
    match file.read_exact_at(&mut found, 0) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(Header::Damaged),
        result => result?,
    }
    if found == header(start) {
        return Ok(Header::Good);
    }
    let newer = found.starts_with(MAGIC) && u16::from_le_bytes([found[4], found[5]]) > VERSION;
    Ok(if newer { Header::Newer } else { Header::Damaged })
}

fn header(start: u64) -> [u8; HEADER as usize] {
    let mut header = [0; HEADER as usize];
    header[..4].copy_from_slice(MAGIC);
    header[4..6].copy_from_slice(&VERSION.to_le_bytes());
    header[8..].copy_from_slice(&start.to_le_bytes());
    header
}
