//! The launch file: everything a host needs to know to start Claude, written by the daemon for one launch.
//!
//! NUL-terminated fields, so that every path, argument and variable arrives byte for byte: the magic, launch number,
//! session id, journal floor, terminal, directory, program, the number of arguments, the arguments, and NAME=VALUE
//! fields up to the end.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8] = b"areyouj-launch-2";

/// What a daemon writes that knows nothing of terminals: it may go on while its programs are replaced.
const BEFORE_TERMINALS: &[u8] = b"areyouj-launch-1";

/// How Claude is to be started.
#[derive(Clone, PartialEq, Eq)]
pub struct Launch {
    /// The number of the launch: one more than that of the session's last.
    pub launch: u32,
    /// The session's id.
    pub session: String,
    /// The offset up to which the journal has been taken in; it never continues below.
    pub floor: u64,
    /// Claude gets a terminal instead of pipes; whose size counts when several look at it.
    pub terminal: Option<Sizing>,
    /// Claude's working directory.
    pub directory: PathBuf,
    /// The program, an absolute path.
    pub program: PathBuf,
    /// Its arguments, without its own name.
    pub arguments: Vec<OsString>,
    /// Its environment, all of it.
    pub environment: Vec<(OsString, OsString)>,
}

/// Whose size a terminal has that several viewers look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizing {
    /// The smallest of them all, so that everybody sees everything.
    Smallest,
    /// That of the one who typed or came last.
    Latest,
}

impl Sizing {
    const ALL: [(&str, Option<Sizing>); 3] =
        [("", None), ("smallest", Some(Sizing::Smallest)), ("latest", Some(Sizing::Latest))];

    fn word(terminal: Option<Sizing>) -> &'static str {
        Sizing::ALL.iter().find(|(_, sizing)| *sizing == terminal).map_or("", |(word, _)| word)
    }

    fn parse(word: &[u8]) -> Option<Option<Sizing>> {
        Sizing::ALL.iter().find(|(known, _)| known.as_bytes() == word).map(|(_, sizing)| *sizing)
    }
}

impl Launch {
    /// Writes the launch file, readable by its owner alone. It appears whole or not at all.
    ///
    /// A value that cannot be told apart from its end (a NUL byte), or a variable without a name or with `=` in it,
    /// is an error of kind [`io::ErrorKind::InvalidInput`].
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let bytes = self.encode()?;
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        // One that a crash left behind could have other permissions.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(&bytes)?;
        fs::rename(&temporary, path)
    }

    /// Reads a launch file. One that is not whole is an error of kind [`io::ErrorKind::InvalidData`].
    pub fn read(path: &Path) -> io::Result<Launch> {
        Launch::decode(&fs::read(path)?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the launch file is damaged"))
    }

    fn encode(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        put(&mut out, MAGIC)?;
        put(&mut out, self.launch.to_string().as_bytes())?;
        put(&mut out, self.session.as_bytes())?;
        put(&mut out, self.floor.to_string().as_bytes())?;
        put(&mut out, Sizing::word(self.terminal).as_bytes())?;
        put(&mut out, self.directory.as_os_str().as_bytes())?;
        put(&mut out, self.program.as_os_str().as_bytes())?;
        put(&mut out, self.arguments.len().to_string().as_bytes())?;
        for argument in &self.arguments {
            put(&mut out, argument.as_bytes())?;
        }
        for (name, value) in &self.environment {
            if name.is_empty() || name.as_bytes().contains(&b'=') {
                return Err(invalid("a variable without a name or with = in it"));
            }
            put(&mut out, &[name.as_bytes(), b"=", value.as_bytes()].concat())?;
        }
        Ok(out)
    }

    fn decode(bytes: &[u8]) -> Option<Launch> {
        let mut fields = bytes.strip_suffix(b"\0")?.split(|byte| *byte == 0);
        let magic = fields.next()?;
        if magic != MAGIC && magic != BEFORE_TERMINALS {
            return None;
        }
        let launch = number(fields.next()?)?;
        let session = String::from_utf8(fields.next()?.to_vec()).ok()?;
        let floor = number(fields.next()?)?;
        let terminal = if magic == MAGIC { Sizing::parse(fields.next()?)? } else { None };
        let directory = PathBuf::from(os(fields.next()?));
        let program = PathBuf::from(os(fields.next()?));
        let count: usize = number(fields.next()?)?;
        let arguments: Vec<OsString> = fields.by_ref().take(count).map(os).collect();
        if arguments.len() != count {
            return None;
        }
        let environment = fields
            .map(|field| {
                let equals = field.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
                Some((os(&field[..equals]), os(&field[equals + 1..])))
            })
            .collect::<Option<_>>()?;
        Some(Launch { launch, session, floor, terminal, directory, program, arguments, environment })
    }
}

fn put(out: &mut Vec<u8>, field: &[u8]) -> io::Result<()> {
    if field.contains(&0) {
        return Err(invalid("a NUL byte in a path, an argument or a variable"));
    }
    out.extend_from_slice(field);
    out.push(0);
    Ok(())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

fn number<T: std::str::FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn os(field: &[u8]) -> OsString {
    OsStr::from_bytes(field).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::PermissionsExt;

    fn example() -> Launch {
        Launch {
            launch: 3,
            session: "K7M2Q9XD".into(),
            floor: 1 << 40,
            terminal: Some(Sizing::Latest),
            directory: PathBuf::from(OsString::from_vec(b"/a b\nc\xff".to_vec())),
            program: "/usr/bin/cat".into(),
            arguments: vec!["".into(), "--x=y z".into(), OsString::from_vec(vec![0xfe, b'\n'])],
            environment: vec![("A".into(), "".into()), ("B".into(), "c=d=".into())],
        }
    }

    #[test]
    fn what_is_written_is_read_and_for_the_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("launch");
        example().write(&path).unwrap();
        example().write(&path).unwrap();
        assert!(Launch::read(&path).unwrap() == example());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_nul_byte_is_refused_rather_than_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("launch");
        let mut launch = example();
        launch.arguments.push("a\0b".into());
        assert_eq!(launch.write(&path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let mut launch = example();
        launch.environment.push(("A=B".into(), "c".into()));
        assert_eq!(launch.write(&path).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(!path.exists());
    }

    #[test]
    fn a_file_cut_inside_a_field_is_not_taken_for_a_whole_one() {
        let bytes = example().encode().unwrap();
        for cut in 0..bytes.len() {
            let whole = cut > 0 && bytes[cut - 1] == 0;
            if !whole {
                assert!(Launch::decode(&bytes[..cut]).is_none(), "cut at {cut}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_can_upset_the_decoder(bytes in any::<Vec<u8>>()) {
            let _ = Launch::decode(&bytes);
            let _ = Launch::decode(&[MAGIC, b"\0", &bytes[..]].concat());
        }
    }
}
