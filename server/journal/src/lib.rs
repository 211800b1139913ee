//! The journal of a session: every byte in and out of Claude, in order, written before it is acted on. Of keys that a
//! person types it holds the classes alone.
//!
//! A directory of segments named after the offset at which they start. Offsets are logical: they count the bytes of
//! records, not the segments' headers, and never start again in a session. A record's offset is that of its first
//! byte. A record is, little endian: `u32` payload length, `u32` CRC-32 over what follows, `u8` kind, `u64`
//! microseconds since the epoch, payload. The host writes with [`Writer`], anyone reads with [`Reader`] meanwhile.

#[cfg(feature = "fuzzing")]
pub mod fuzz;
mod reader;
mod segment;
mod writer;

use std::collections::VecDeque;
use std::io;
use std::path::Path;

pub use reader::Reader;
pub use writer::Writer;

/// Maximum payload of a record; a larger length can only be damage. A Write frame always fits.
pub const MAX_PAYLOAD: usize = 64 << 20;

/// Bytes of a record before its payload.
const RECORD_HEADER: usize = 17;

/// Where the part of a record begins that its checksum covers.
const CHECKED: usize = 8;

/// The latest output of a terminal in this journal, up to about this many bytes, and its sizes meanwhile, in order.
/// Empty if the journal cannot be read.
pub fn latest_output(directory: &Path, bytes: u64) -> VecDeque<(Kind, Vec<u8>)> {
    let mut latest = VecDeque::new();
    let Ok(mut reader) = Reader::open_latest(directory, bytes) else { return latest };
    let taken = |payload: &[u8]| (RECORD_HEADER + payload.len()) as u64;
    let mut kept = 0;
    // The size before the latest output stays in effect until there is another.
    let mut size = None;
    while let Ok(Some(record)) = reader.next() {
        if matches!(record.kind, Kind::Output | Kind::Resized) {
            kept += taken(&record.payload);
            latest.push_back((record.kind, record.payload));
        }
        while kept > bytes
            && let Some((kind, payload)) = latest.pop_front()
        {
            kept -= taken(&payload);
            size = Some((kind, payload)).filter(|(kind, _)| *kind == Kind::Resized).or(size);
        }
    }
    if let Some(size) = size {
        latest.push_front(size);
    }
    latest
}

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes from Claude's standard output.
    Output,
    /// Bytes from Claude's standard error.
    ErrorOutput,
    /// Bytes for Claude's standard input.
    Input,
    /// Claude was started: [`Started`].
    Started,
    /// Claude and everything it started have ended: [`Exited`].
    Exited,
    /// A signal was sent to Claude: its number as `i32`.
    Signalled,
    /// Claude could not be started: [`SpawnFailed`].
    SpawnFailed,
    /// Keys that a person pressed in the terminal, as earlier versions recorded them.
    Typed,
    /// The terminal has this size from now on: columns and rows as `u16`.
    Resized,
    /// A hook's report, and whether the hook waits for an answer: `u8`, then the bytes.
    Hook,
    /// A waiting hook was released: the offset of its record as `u64`, then what it had to print.
    HookAnswered,
    /// A waiting hook exited by itself: the offset of its record as `u64`.
    HookGone,
    /// The host refused a connection: [`Refused`].
    Refused,
    /// The classes of keys that a person pressed in the terminal, without the text: each key is the simplest of its class.
    Keys,
    /// A kind of a later version.
    Unknown(u8),
}

impl Kind {
    fn from_byte(byte: u8) -> Kind {
        match byte {
            1 => Kind::Output,
            2 => Kind::ErrorOutput,
            3 => Kind::Input,
            4 => Kind::Started,
            5 => Kind::Exited,
            6 => Kind::Signalled,
            7 => Kind::SpawnFailed,
            8 => Kind::Typed,
            9 => Kind::Resized,
            10 => Kind::Hook,
            11 => Kind::HookAnswered,
            12 => Kind::HookGone,
            13 => Kind::Refused,
            14 => Kind::Keys,
            unknown => Kind::Unknown(unknown),
        }
    }

    fn byte(self) -> u8 {
        match self {
            Kind::Output => 1,
            Kind::ErrorOutput => 2,
            Kind::Input => 3,
            Kind::Started => 4,
            Kind::Exited => 5,
            Kind::Signalled => 6,
            Kind::SpawnFailed => 7,
            Kind::Typed => 8,
            Kind::Resized => 9,
            Kind::Hook => 10,
            Kind::HookAnswered => 11,
            Kind::HookGone => 12,
            Kind::Refused => 13,
            Kind::Keys => 14,
            Kind::Unknown(byte) => byte,
        }
    }
}

/// A record as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it begins.
    pub offset: u64,
    /// Where the next one begins.
    pub next: u64,
    /// When it was written, in microseconds since the Unix epoch.
    pub time_us: u64,
    /// What it holds.
    pub kind: Kind,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// Why the next record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The next part was deleted or lost; the reader continues at `resume_at`.
    #[error("the journal continues at {resume_at}")]
    Gap {
        /// The offset of the next existing record.
        resume_at: u64,
    },
    /// The record is damaged. [`Reader::skip_corrupt`] can find a way past it.
    #[error("the journal is damaged at {offset}")]
    Corrupt {
        /// Its offset.
        offset: u64,
    },
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The payload of [`Kind::Started`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
    /// The number of the launch.
    pub launch: u32,
    /// Claude's process id.
    pub pid: u32,
}

impl Started {
    /// The payload.
    pub fn encode(&self) -> Vec<u8> {
        [self.launch.to_le_bytes(), self.pid.to_le_bytes()].concat()
    }

    /// Reads the payload; `None` if it is too short.
    pub fn decode(payload: &[u8]) -> Option<Started> {
        let (launch, rest) = payload.split_first_chunk()?;
        let pid = rest.first_chunk()?;
        Some(Started { launch: u32::from_le_bytes(*launch), pid: u32::from_le_bytes(*pid) })
    }
}

/// How Claude ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// With this exit status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// The payload of [`Kind::Exited`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exited {
    /// The number of the launch.
    pub launch: u32,
    /// How Claude ended.
    pub how: How,
}

impl Exited {
    /// The payload.
    pub fn encode(&self) -> Vec<u8> {
        let (how, value) = match self.how {
            How::Code(code) => (0, code),
            How::Signal(signal) => (1, signal),
        };
        [&self.launch.to_le_bytes()[..], &[how], &value.to_le_bytes()].concat()
    }

    /// Reads the payload; `None` if it is too short or the way of ending is unknown.
    pub fn decode(payload: &[u8]) -> Option<Exited> {
        let (launch, rest) = payload.split_first_chunk()?;
        let (how, rest) = rest.split_first()?;
        let value = i32::from_le_bytes(*rest.first_chunk()?);
        let how = match how {
            0 => How::Code(value),
            1 => How::Signal(value),
            _ => return None,
        };
        Some(Exited { launch: u32::from_le_bytes(*launch), how })
    }
}

/// The payload of [`Kind::SpawnFailed`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpawnFailed {
    /// The number of the launch.
    pub launch: u32,
    /// Why, for people.
    pub reason: String,
}

impl SpawnFailed {
    /// The payload.
    pub fn encode(&self) -> Vec<u8> {
        [&self.launch.to_le_bytes()[..], self.reason.as_bytes()].concat()
    }

    /// Reads the payload; `None` if it is too short.
    pub fn decode(payload: &[u8]) -> Option<SpawnFailed> {
        let (launch, reason) = payload.split_first_chunk()?;
        Some(SpawnFailed {
            launch: u32::from_le_bytes(*launch),
            reason: String::from_utf8_lossy(reason).into_owned(),
        })
    }
}

/// Where a process is that a host refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// It exited before that was known.
    #[default]
    Unknown,
    /// Inside this session.
    OwnSession,
    /// Inside another session.
    OtherSession,
    /// Not inside any session.
    Outside,
}

/// What a process tried that a host refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tried {
    /// It connected. The host did not read what it wanted.
    #[default]
    Connect,
    /// To give orders.
    Orders,
    /// To give orders, without the key of the launch.
    WrongKey,
    /// To view the terminal and to type in it.
    Attach,
    /// To report as a hook of Claude.
    Hook,
}

/// The payload of [`Kind::Refused`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refused {
    /// Where the process is.
    pub origin: Origin,
    /// What it tried.
    pub tried: Tried,
    /// Its process id.
    pub pid: u32,
    /// The number of refused connections that have no record. If it is not 0, the other fields say nothing.
    pub more: u32,
    /// The session that the process is inside of; empty if that is unknown.
    pub session: String,
    /// The process's name, which it chose itself; empty if that is unknown.
    pub name: String,
}

impl Refused {
    /// The payload. It keeps the first 255 bytes of the session's name.
    pub fn encode(&self) -> Vec<u8> {
        let origin = match self.origin {
            Origin::Unknown => 0,
            Origin::OwnSession => 1,
            Origin::OtherSession => 2,
            Origin::Outside => 3,
        };
        let tried = match self.tried {
            Tried::Connect => 0,
            Tried::Orders => 1,
            Tried::WrongKey => 2,
            Tried::Attach => 3,
            Tried::Hook => 4,
        };
        let session = &self.session.as_bytes()[..self.session.len().min(usize::from(u8::MAX))];
        let [pid, more] = [self.pid, self.more].map(u32::to_le_bytes);
        let length = [session.len() as u8];
        [&[origin, tried][..], &pid, &more, &length, session, self.name.as_bytes()].concat()
    }

    /// Reads the payload; `None` if it is too short. What a later version can refuse becomes [`Tried::Connect`].
    pub fn decode(payload: &[u8]) -> Option<Refused> {
        let ([origin, tried], rest) = payload.split_first_chunk()?;
        let (pid, rest) = rest.split_first_chunk()?;
        let (more, rest) = rest.split_first_chunk()?;
        let (length, rest) = rest.split_first()?;
        let (session, name) = rest.split_at_checked(usize::from(*length))?;
        Some(Refused {
            origin: match origin {
                1 => Origin::OwnSession,
                2 => Origin::OtherSession,
                3 => Origin::Outside,
                _ => Origin::Unknown,
            },
            tried: match tried {
                1 => Tried::Orders,
                2 => Tried::WrongKey,
                3 => Tried::Attach,
                4 => Tried::Hook,
                _ => Tried::Connect,
            },
            pid: u32::from_le_bytes(*pid),
            more: u32::from_le_bytes(*more),
            session: String::from_utf8_lossy(session).into_owned(),
            name: String::from_utf8_lossy(name).into_owned(),
        })
    }
}

/// The bytes of a record before its payload.
fn record_header(kind: Kind, time_us: u64, payload: &[u8]) -> io::Result<[u8; RECORD_HEADER]> {
    if payload.len() > MAX_PAYLOAD {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the record exceeds the size limit"));
    }
    let mut header = [0; RECORD_HEADER];
    header[..4].copy_from_slice(&(payload.len() as u32).to_le_bytes());
    header[CHECKED] = kind.byte();
    header[CHECKED + 1..].copy_from_slice(&time_us.to_le_bytes());
    let checksum = checksum(&[&header[CHECKED..], payload]);
    header[4..CHECKED].copy_from_slice(&checksum.to_le_bytes());
    Ok(header)
}

fn checksum(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// What the beginning of a buffer holds.
enum Parsed {
    /// A record of this kind, time and payload length.
    Whole(Kind, u64, usize),
    /// Incomplete: so many bytes from its beginning are needed to continue.
    Incomplete(usize),
    /// Damage.
    Damaged,
}

/// Parses the record at the beginning of a buffer.
fn parse(buffer: &[u8]) -> Parsed {
    let Some((header, rest)) = buffer.split_first_chunk::<RECORD_HEADER>() else {
        return Parsed::Incomplete(RECORD_HEADER);
    };
    let [l0, l1, l2, l3, c0, c1, c2, c3, kind, time @ ..] = *header;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > MAX_PAYLOAD {
        return Parsed::Damaged;
    }
    let Some(payload) = rest.get(..length) else { return Parsed::Incomplete(RECORD_HEADER + length) };
    if checksum(&[&header[CHECKED..], payload]) != u32::from_le_bytes([c0, c1, c2, c3]) {
        return Parsed::Damaged;
    }
    Parsed::Whole(Kind::from_byte(kind), u64::from_le_bytes(time), length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_come_out_as_they_went_in_and_short_ones_are_none() {
        let started = Started { launch: 7, pid: 4711 };
        assert_eq!(Started::decode(&started.encode()), Some(started));
        for how in [How::Code(3), How::Signal(9)] {
            let exited = Exited { launch: 7, how };
            let bytes = exited.encode();
            assert_eq!(Exited::decode(&bytes), Some(exited));
            (0..bytes.len()).for_each(|cut| assert_eq!(Exited::decode(&bytes[..cut]), None));
        }
        for (origin, tried) in [
            (Origin::Unknown, Tried::Connect),
            (Origin::OwnSession, Tried::Orders),
            (Origin::OtherSession, Tried::WrongKey),
            (Origin::Outside, Tried::Attach),
            (Origin::OwnSession, Tried::Hook),
        ] {
            let (session, name) = ("K7M2Q9XD".to_owned(), "python3".to_owned());
            let refused = Refused { origin, tried, pid: 4711, more: 3, session, name };
            let bytes = refused.encode();
            assert_eq!(Refused::decode(&bytes), Some(refused));
            (0..19).for_each(|cut| assert_eq!(Refused::decode(&bytes[..cut]), None));
        }
        let failed = SpawnFailed { launch: 1, reason: "no such file".into() };
        assert_eq!(SpawnFailed::decode(&failed.encode()), Some(failed));
        assert_eq!(SpawnFailed::decode(&[1, 2]), None);
        assert_eq!(Started::decode(&[1, 2, 3, 4, 5]), None);
    }

    #[test]
    fn the_latest_output_comes_with_the_size_before_it_and_is_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let mut writer = Writer::open(directory.path(), 0).unwrap();
        let record = |size: u8| (RECORD_HEADER + usize::from(size)) as u64;
        for (kind, payload) in [
            (Kind::Resized, &b"old1"[..]),
            (Kind::Output, b"gone"),
            (Kind::Resized, b"size"),
            (Kind::Input, b"passed over"),
            (Kind::Output, b"gone, too"),
            (Kind::Output, b"first"),
            (Kind::Output, b"last"),
        ] {
            writer.append(kind, payload).unwrap();
        }
        let latest = latest_output(directory.path(), record(5) + record(4));
        let expected = [(Kind::Resized, &b"size"[..]), (Kind::Output, b"first"), (Kind::Output, b"last")];
        assert_eq!(latest, expected.map(|(kind, payload)| (kind, payload.to_vec())));
        for _ in 0..1_000 {
            writer.append(Kind::Resized, b"more").unwrap();
        }
        assert_eq!(latest_output(directory.path(), 10 * record(4)).len(), 11);
        assert_eq!(latest_output(directory.path(), 1 << 20).len(), 1_006);
    }
}
