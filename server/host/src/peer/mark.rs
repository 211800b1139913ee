//! The mark of everything below a host: the hard limit of the resident set, which has no effect in Linux.
//!
//! A child inherits the limit, and without privileges no process can raise it. So a process that has a lower limit than
//! the daemon is inside a session, whatever became of its host and its environment.

use std::fs;
use std::io::{self, ErrorKind};

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};

/// The mark without a session. No machine has so much memory, so that a program that reads the limit sees none.
const MARK: rlim_t = 1 << 62;

/// The bits of a mark that name the session.
const NAME_BITS: u32 = 48;

/// A character of a session's id is a digit or a capital letter, so the distance from the first digit has six bits.
const FIRST: u8 = b'0';
const CHARACTER_BITS: u32 = 6;

/// The limit for everything below this host. Below a host that is itself inside a session, it is lower than that of the
/// other host and names no session.
pub(in crate::peer) fn mark_of(session: &str, own: rlim_t) -> rlim_t {
    if own != RLIM_INFINITY {
        return own.saturating_sub(1);
    }
    let name = session.bytes().fold(0, |bits, byte| {
        bits << CHARACTER_BITS | rlim_t::from(byte.wrapping_sub(FIRST)) & ((1 << CHARACTER_BITS) - 1)
    });
    MARK | name & ((1 << NAME_BITS) - 1)
}

/// Returns what marks a child of this process, for a call between fork and exec: it makes one system call.
///
/// # Errors
/// The limit of this process cannot be read.
pub(crate) fn mark_children(
    session: &str,
) -> io::Result<impl Fn() -> io::Result<()> + Send + Sync + 'static> {
    let (_, own) = getrlimit(Resource::RLIMIT_RSS)?;
    let mark = mark_of(session, own);
    Ok(move || Ok(setrlimit(Resource::RLIMIT_RSS, mark, mark)?))
}

/// The session that a limit names.
pub(in crate::peer) fn marked_session(limit: u64) -> Option<String> {
    if limit >> NAME_BITS != MARK >> NAME_BITS {
        return None;
    }
    let characters = NAME_BITS / CHARACTER_BITS;
    let character = |place: u32| {
        let bits = limit >> (CHARACTER_BITS * (characters - 1 - place)) & ((1 << CHARACTER_BITS) - 1);
        u8::try_from(bits).map(|bits| char::from(bits + FIRST))
    };
    (0..characters).map(character).collect::<Result<String, _>>().ok()
}

/// The hard limit of a process, in bytes.
pub(in crate::peer) fn hard_limit(pid: i32) -> io::Result<u64> {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits"))?;
    parse(&limits).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, format!("/proc/{pid}/limits")))
}

/// Reads the line `Max resident set  SOFT  HARD  bytes`.
fn parse(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max resident set"))?;
    let hard = line.split_ascii_whitespace().nth(1)?;
    if hard == "unlimited" { Some(RLIM_INFINITY) } else { hard.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_names_its_session() {
        for session in ["K7M2Q9XD", "00000000", "ZZZZZZZZ"] {
            assert_eq!(marked_session(mark_of(session, RLIM_INFINITY)).as_deref(), Some(session));
        }
        assert_eq!(marked_session(RLIM_INFINITY), None);
        assert_eq!(marked_session(1 << 40), None);
    }

    #[test]
    fn a_mark_below_a_mark_is_lower() {
        let outer = mark_of("K7M2Q9XD", RLIM_INFINITY);
        assert_eq!(mark_of("ZZZZZZZZ", outer), outer - 1);
        assert_eq!(mark_of("ZZZZZZZZ", 0), 0);
    }

    #[test]
    fn the_limit_of_a_process_is_read() {
        let (_, own) = getrlimit(Resource::RLIMIT_RSS).unwrap();
        assert_eq!(hard_limit(std::process::id().cast_signed()).unwrap(), own);
        assert_eq!(parse("Max resident set          10   20   bytes     \n"), Some(20));
        assert_eq!(parse("Max cpu time  1 2 seconds"), None);
    }
}
