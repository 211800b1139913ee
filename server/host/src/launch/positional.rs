//! Launch files with positional fields. A daemon of an earlier version writes them: it can continue to run, and start
//! hosts, while an upgrade replaces its programs.
//!
//! Fields terminated by NUL bytes: the magic, launch number, session id, journal floor, terminal (not in version 1),
//! directory, program, the number of arguments, the arguments, and `NAME=VALUE` fields up to the end.

use std::ffi::OsString;

use super::{Launch, Sizing, os, pair, parse};

/// The version before terminals.
const PIPES_ONLY: &[u8] = b"areyouj-launch-1";

/// The magics of files with positional fields.
pub(super) const MAGICS: [&[u8]; 2] = [PIPES_ONLY, b"areyouj-launch-2"];

/// Reads a file that begins with one of [`MAGICS`]. Returns `None` if a field is missing or invalid.
pub(super) fn decode(bytes: &[u8]) -> Option<Launch> {
    let mut fields = bytes.strip_suffix(b"\0")?.split(|byte| *byte == 0);
    let magic = fields.next()?;
    let launch = parse(fields.next()?)?;
    let session = String::from_utf8(fields.next()?.to_vec()).ok()?;
    let floor = parse(fields.next()?)?;
    let terminal = if magic == PIPES_ONLY { b"" } else { fields.next()? };
    let terminal = if terminal.is_empty() { None } else { Some(Sizing::parse(terminal)?) };
    let directory = os(fields.next()?).into();
    let program = os(fields.next()?).into();
    let count: usize = parse(fields.next()?)?;
    let arguments: Vec<OsString> = fields.by_ref().take(count).map(os).collect();
    if arguments.len() != count {
        return None;
    }
    let environment =
        fields.map(|field| pair(field).map(|(name, value)| (os(name), os(value)))).collect::<Option<_>>()?;
    Some(Launch { launch, session, floor, terminal, directory, program, arguments, environment })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn terminal_of(file: &[u8]) -> Option<Option<Sizing>> {
        let launch = decode(file)?;
        assert_eq!((launch.launch, &launch.session[..], launch.floor), (3, "K7M2Q9XD", 9));
        assert_eq!((launch.directory, launch.program), ("/a b".into(), "/bin/cat".into()));
        assert_eq!(launch.arguments, ["", "x"]);
        assert_eq!(launch.environment, [("A".into(), "".into()), ("B".into(), "c=d".into())]);
        Some(launch.terminal)
    }

    #[test]
    fn files_of_earlier_daemons_are_read() {
        let pipes = b"areyouj-launch-1\x003\0K7M2Q9XD\x009\0/a b\0/bin/cat\x002\0\0x\0A=\0B=c=d\0";
        assert_eq!(terminal_of(pipes), Some(None));
        for (word, terminal) in
            [("", None), ("latest", Some(Sizing::Latest)), ("smallest", Some(Sizing::Smallest))]
        {
            let file = format!(
                "areyouj-launch-2\x003\0K7M2Q9XD\x009\0{word}\0/a b\0/bin/cat\x002\0\0x\0A=\0B=c=d\0"
            );
            assert_eq!(terminal_of(file.as_bytes()), Some(terminal));
            for cut in 0..file.len() {
                let whole = cut > 0 && file.as_bytes()[cut - 1] == 0;
                assert!(whole || decode(&file.as_bytes()[..cut]).is_none(), "cut at {cut}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_can_upset_the_decoder(bytes in any::<Vec<u8>>()) {
            for magic in MAGICS {
                let _ = decode(&[magic, b"\0", &bytes[..]].concat());
            }
        }
    }
}
