//! The launch file: everything a host needs to know to start Claude, written by the daemon for one launch.
//!
//! The magic and then fields `NAME=VALUE`, each terminated by a NUL byte. Paths, arguments and variables cannot contain
//! a NUL byte, so every value arrives byte for byte. The last field is `end=`: without it the file is truncated.
//!
//! A reader ignores fields that it does not know, so a later version can add fields. A field that a host must not
//! ignore, such as a confinement, has a name that begins with `!`: a host that does not know it refuses to start.

mod positional;

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The first bytes of a launch file with named fields.
const MAGIC: &[u8] = b"areyouj-launch-3";

/// The mark at the beginning of a name that a host must know.
const MUST_KNOW: char = '!';

/// Names of fields. `ARGUMENT` and `VARIABLE` can occur any number of times, all others once. `TERMINAL` is absent if
/// Claude gets pipes.
mod name {
    pub(super) const LAUNCH: &str = "launch";
    pub(super) const SESSION: &str = "session";
    pub(super) const FLOOR: &str = "floor";
    pub(super) const TERMINAL: &str = "terminal";
    pub(super) const DIRECTORY: &str = "directory";
    pub(super) const PROGRAM: &str = "program";
    pub(super) const ARGUMENT: &str = "argument";
    pub(super) const VARIABLE: &str = "variable";
    pub(super) const END: &str = "end";
}

/// Why a launch file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// It does not begin with the magic of a version that this host knows.
    #[error("it is not a launch file of a known version")]
    Magic,
    /// Its end is missing.
    #[error("it is truncated")]
    Truncated,
    /// A file with positional fields has too few of them, or invalid ones.
    #[error("it is damaged")]
    Damaged,
    /// A field without a name or with a name that is not text.
    #[error("a field has no valid name")]
    Name,
    /// A mandatory field is missing.
    #[error("the field {0} is missing")]
    Missing(&'static str),
    /// A field has a value of the wrong form.
    #[error("the field {0} has an invalid value")]
    Invalid(&'static str),
    /// A field occurs twice.
    #[error("the field {0} occurs twice")]
    Twice(&'static str),
    /// This host must know a field and does not.
    #[error("this version of areyouj-host does not know the field {0}")]
    Unknown(String),
}

/// How a host starts Claude.
#[derive(Clone, PartialEq, Eq)]
pub struct Launch {
    /// The number of the launch: one more than that of the session's last.
    pub launch: u32,
    /// The session's id.
    pub session: String,
    /// The ingested offset of the journal; the journal never continues below it.
    pub floor: u64,
    /// Claude gets a terminal instead of pipes; says which viewer determines its size.
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

/// Which viewer determines the size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sizing {
    /// The smallest one, so that all viewers see the whole screen.
    Smallest,
    /// The viewer that typed or attached last.
    Latest,
}

impl Sizing {
    fn word(self) -> &'static str {
        match self {
            Sizing::Smallest => "smallest",
            Sizing::Latest => "latest",
        }
    }

    fn parse(word: &[u8]) -> Option<Sizing> {
        [Sizing::Smallest, Sizing::Latest].into_iter().find(|sizing| sizing.word().as_bytes() == word)
    }
}

impl Launch {
    /// Writes the launch file, readable by its owner alone. It appears whole or not at all.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] for a value with a NUL byte, and for a variable without a name or with `=` in
    /// its name.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let bytes = self.encode()?;
        let mut temporary = path.as_os_str().to_owned();
        temporary.push(".new");
        let temporary = PathBuf::from(temporary);
        // A file that a crash left behind could have other permissions.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(&bytes)?;
        fs::rename(&temporary, path)
    }

    /// Reads a launch file and removes it: it holds the environment, which has secrets.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] with a [`LaunchError`] for a file that is not a whole, valid launch file.
    pub fn take(path: &Path) -> io::Result<Launch> {
        let bytes = fs::read(path)?;
        fs::remove_file(path)?;
        Launch::decode(&bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
    }

    fn encode(&self) -> io::Result<Vec<u8>> {
        let mut out = [MAGIC, b"\0"].concat();
        put(&mut out, name::LAUNCH, self.launch.to_string().as_bytes())?;
        put(&mut out, name::SESSION, self.session.as_bytes())?;
        put(&mut out, name::FLOOR, self.floor.to_string().as_bytes())?;
        if let Some(sizing) = self.terminal {
            put(&mut out, name::TERMINAL, sizing.word().as_bytes())?;
        }
        put(&mut out, name::DIRECTORY, self.directory.as_os_str().as_bytes())?;
        put(&mut out, name::PROGRAM, self.program.as_os_str().as_bytes())?;
        for argument in &self.arguments {
            put(&mut out, name::ARGUMENT, argument.as_bytes())?;
        }
        for (name, value) in &self.environment {
            if name.is_empty() || name.as_bytes().contains(&b'=') {
                return Err(invalid("a variable without a name or with = in its name"));
            }
            put(&mut out, name::VARIABLE, &[name.as_bytes(), b"=", value.as_bytes()].concat())?;
        }
        put(&mut out, name::END, b"")?;
        Ok(out)
    }

    fn decode(bytes: &[u8]) -> Result<Launch, LaunchError> {
        let magic = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        if positional::MAGICS.contains(&magic) {
            return positional::decode(bytes).ok_or(LaunchError::Damaged);
        }
        // A magic that the file ends in the middle of is one that it could have had.
        if magic != MAGIC {
            return Err(if MAGIC.starts_with(bytes) { LaunchError::Truncated } else { LaunchError::Magic });
        }
        let mut fields = Fields::default();
        let mut rest = bytes.get(MAGIC.len() + 1..).ok_or(LaunchError::Truncated)?;
        while !fields.ended {
            let end = rest.iter().position(|byte| *byte == 0).ok_or(LaunchError::Truncated)?;
            let (name, value) = pair(&rest[..end]).ok_or(LaunchError::Name)?;
            fields.take(std::str::from_utf8(name).map_err(|_| LaunchError::Name)?, value)?;
            rest = &rest[end + 1..];
        }
        fields.launch()
    }
}

/// The fields of a launch file, as far as it was read.
#[derive(Default)]
struct Fields<'a> {
    launch: Option<&'a [u8]>,
    session: Option<&'a [u8]>,
    floor: Option<&'a [u8]>,
    terminal: Option<&'a [u8]>,
    directory: Option<&'a [u8]>,
    program: Option<&'a [u8]>,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    ended: bool,
}

impl<'a> Fields<'a> {
    fn take(&mut self, name: &str, value: &'a [u8]) -> Result<(), LaunchError> {
        let (single, name) = match name {
            name::LAUNCH => (&mut self.launch, name::LAUNCH),
            name::SESSION => (&mut self.session, name::SESSION),
            name::FLOOR => (&mut self.floor, name::FLOOR),
            name::TERMINAL => (&mut self.terminal, name::TERMINAL),
            name::DIRECTORY => (&mut self.directory, name::DIRECTORY),
            name::PROGRAM => (&mut self.program, name::PROGRAM),
            name::ARGUMENT => {
                self.arguments.push(os(value));
                return Ok(());
            }
            name::VARIABLE => {
                let (name, value) = pair(value).ok_or(LaunchError::Invalid(name::VARIABLE))?;
                self.environment.push((os(name), os(value)));
                return Ok(());
            }
            name::END => {
                self.ended = true;
                return Ok(());
            }
            unknown if unknown.starts_with(MUST_KNOW) => {
                return Err(LaunchError::Unknown(unknown.to_owned()));
            }
            _ => return Ok(()),
        };
        match single.replace(value) {
            None => Ok(()),
            Some(_) => Err(LaunchError::Twice(name)),
        }
    }

    fn launch(self) -> Result<Launch, LaunchError> {
        let session = mandatory(self.session, name::SESSION)?;
        let terminal =
            self.terminal.map(|word| Sizing::parse(word).ok_or(LaunchError::Invalid(name::TERMINAL)));
        Ok(Launch {
            launch: number(self.launch, name::LAUNCH)?,
            session: String::from_utf8(session.to_vec()).map_err(|_| LaunchError::Invalid(name::SESSION))?,
            floor: number(self.floor, name::FLOOR)?,
            terminal: terminal.transpose()?,
            directory: mandatory(self.directory, name::DIRECTORY).map(os)?.into(),
            program: mandatory(self.program, name::PROGRAM).map(os)?.into(),
            arguments: self.arguments,
            environment: self.environment,
        })
    }
}

fn put(out: &mut Vec<u8>, name: &str, value: &[u8]) -> io::Result<()> {
    if value.contains(&0) {
        return Err(invalid("a NUL byte in a path, an argument or a variable"));
    }
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(0);
    Ok(())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

/// A name that is not empty, and its value.
fn pair(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = field.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
    Some((&field[..equals], &field[equals + 1..]))
}

fn mandatory<'a>(value: Option<&'a [u8]>, name: &'static str) -> Result<&'a [u8], LaunchError> {
    value.ok_or(LaunchError::Missing(name))
}

fn number<T: FromStr>(value: Option<&[u8]>, name: &'static str) -> Result<T, LaunchError> {
    parse(mandatory(value, name)?).ok_or(LaunchError::Invalid(name))
}

fn parse<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn os(value: &[u8]) -> OsString {
    OsStr::from_bytes(value).to_owned()
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
            arguments: vec![
                "".into(),
                "--x=y z".into(),
                OsString::from_vec(vec![0xfe, b'\n']),
                "end=".into(),
            ],
            environment: vec![("A".into(), "".into()), ("B".into(), "c=d=\n!x=1\nend=".into())],
        }
    }

    /// A launch file with these fields after those of the example.
    fn example_and(fields: &[u8]) -> Vec<u8> {
        let mut bytes = example().encode().unwrap();
        bytes.truncate(bytes.len() - b"end=\0".len());
        [&bytes, fields, b"end=\0"].concat()
    }

    fn decoded(bytes: &[u8]) -> Result<Launch, String> {
        Launch::decode(bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_is_read_once_and_for_the_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("launch");
        example().write(&path).unwrap();
        example().write(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(Launch::take(&path).unwrap() == example());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_nul_byte_is_rejected_rather_than_truncated() {
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
    fn a_file_cut_anywhere_is_truncated() {
        let bytes = example().encode().unwrap();
        for cut in 0..bytes.len() {
            assert_eq!(Launch::decode(&bytes[..cut]).err(), Some(LaunchError::Truncated), "cut at {cut}");
        }
    }

    #[test]
    fn fields_of_a_later_version_are_ignored_wherever_they_are() {
        assert!(decoded(&example_and(b"memory_max=1\0memory_max=\xff\0")) == Ok(example()));
        let first = example().encode().unwrap()[MAGIC.len() + 1..].to_vec();
        assert!(decoded(&[MAGIC, b"\0umask=077\0", &first].concat()) == Ok(example()));
        assert!(decoded(&[&example().encode().unwrap()[..], b"after the end"].concat()) == Ok(example()));
    }

    #[test]
    fn a_host_does_not_start_without_a_field_that_it_must_know() {
        let error = decoded(&example_and(b"!confinement=strict\0")).err();
        assert_eq!(
            error.as_deref(),
            Some("this version of areyouj-host does not know the field !confinement")
        );
    }

    #[test]
    fn an_error_names_the_missing_field() {
        for name in [name::LAUNCH, name::SESSION, name::FLOOR, name::DIRECTORY, name::PROGRAM] {
            let bytes = example().encode().unwrap();
            let kept: Vec<u8> = bytes
                .split_inclusive(|byte| *byte == 0)
                .filter(|field| !field.starts_with(format!("{name}=").as_bytes()))
                .flatten()
                .copied()
                .collect();
            assert_eq!(decoded(&kept).err(), Some(format!("the field {name} is missing")));
        }
    }

    #[test]
    fn a_file_without_the_optional_fields_starts_claude_with_pipes_and_no_arguments() {
        let bytes = b"areyouj-launch-3\0launch=1\0session=S\0floor=0\0directory=/\0program=/p\0end=\0";
        let launch = Launch::decode(bytes).ok().unwrap();
        assert_eq!((launch.terminal, launch.arguments.len(), launch.environment.len()), (None, 0, 0));
    }

    #[test]
    fn an_invalid_value_is_an_error_that_names_its_field() {
        for (field, what) in [
            (&b"launch=4\0"[..], "the field launch occurs twice"),
            (b"variable=\0", "the field variable has an invalid value"),
            (b"variable==x\0", "the field variable has an invalid value"),
            (b"=x\0", "a field has no valid name"),
            (b"no equals sign\0", "a field has no valid name"),
            (b"\xff=x\0", "a field has no valid name"),
        ] {
            assert_eq!(decoded(&example_and(field)).err().as_deref(), Some(what));
        }
        for (old, new, name) in [
            ("launch=3", "launch=-3", "launch"),
            ("floor=1", "floor=99999999991", "floor"),
            ("terminal=latest", "terminal=huge", "terminal"),
        ] {
            let mut launch = example();
            launch.directory = "/".into();
            launch.arguments.remove(2);
            let text = String::from_utf8(launch.encode().unwrap()).unwrap().replacen(old, new, 1);
            assert_eq!(
                decoded(text.as_bytes()).err(),
                Some(format!("the field {name} has an invalid value"))
            );
        }
        assert_eq!(
            decoded(b"areyouj-launch-4\0end=\0").err().as_deref(),
            Some("it is not a launch file of a known version")
        );
    }

    proptest! {
        #[test]
        fn any_bytes_without_nul_arrive_as_they_are(
            directory in "[^\0]*",
            arguments in proptest::collection::vec(proptest::collection::vec(1_u8.., 0..40), 0..8),
            values in proptest::collection::vec(proptest::collection::vec(1_u8.., 0..40), 0..8),
        ) {
            let mut launch = example();
            launch.directory = directory.into();
            launch.arguments = arguments.into_iter().map(OsString::from_vec).collect();
            launch.environment =
                values.into_iter().map(|value| ("NAME".into(), OsString::from_vec(value))).collect();
            prop_assert!(Launch::decode(&launch.encode().unwrap()) == Ok(launch));
        }

        #[test]
        fn no_bytes_can_upset_the_decoder(bytes in any::<Vec<u8>>()) {
            let _ = Launch::decode(&bytes);
            let _ = Launch::decode(&[MAGIC, b"\0", &bytes[..]].concat());
        }
    }
}
