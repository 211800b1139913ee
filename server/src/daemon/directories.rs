//! Choosing a directory: what there is, and whether a session could live in it.

use std::fs;

use areyouj_protocol::{DirectoryList, DirectoryValid};

use super::directory_checks::{check_directory, check_readable};
use areyouj_core::orchestrator::Problem;

/// More names than anybody looks through; whoever types another letter gets others.
const MAX_NAMES: usize = 1_000;

/// The directories whose paths begin with this one.
pub(super) fn list(typed: &str, hidden: bool) -> Result<DirectoryList, Problem> {
    let typed = from_home(typed);
    let (directory, prefix) = match typed.rfind('/') {
        Some(slash) => (&typed[..=slash], &typed[slash + 1..]),
        None => (typed.as_str(), ""),
    };
    // With the slash at its end a file would be said to be missing.
    check_readable(if directory == "/" { directory } else { directory.trim_end_matches('/') })?;
    let entries = fs::read_dir(directory)
        .map_err(|error| super::directory_checks::not_accessible(directory, &error))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry)))
        .filter(|(name, _)| {
            name.starts_with(prefix) && (hidden || !name.starts_with('.') || prefix.starts_with('.'))
        })
        .filter(|(_, entry)| {
            // A link to a directory is one too; files are told apart without a look at each.
            let kind = entry.file_type();
            kind.is_ok_and(|kind| kind.is_dir() || kind.is_symlink() && entry.path().is_dir())
        })
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    let more = names.len() > MAX_NAMES;
    names.truncate(MAX_NAMES);
    Ok(DirectoryList { directory: directory.to_owned(), names, more })
}

/// Whether a session could be created here.
pub(super) fn validate(typed: &str) -> Result<DirectoryValid, Problem> {
    let typed = from_home(typed);
    let trimmed = typed.trim_end_matches('/');
    let directory = if trimmed.is_empty() && typed.starts_with('/') { "/" } else { trimmed };
    check_directory(directory)?;
    Ok(DirectoryValid { directory: directory.to_owned() })
}

/// `~` and what follows it, as a shell would read it.
fn from_home(typed: &str) -> String {
    let home = || std::env::home_dir().and_then(|home| home.into_os_string().into_string().ok());
    match typed.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            home().map_or_else(|| typed.to_owned(), |home| format!("{home}{rest}"))
        }
        _ => typed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use areyouj_core::orchestrator::ErrorCode;

    use super::*;

    #[test]
    fn directories_are_found_by_the_beginning_of_their_names() {
        let root = tempfile::tempdir().unwrap();
        for name in ["alpha", "alp", "beta", ".hidden"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        fs::write(root.path().join("alphabet"), "a file").unwrap();
        std::os::unix::fs::symlink("beta", root.path().join("also")).unwrap();
        let root = root.path().to_str().unwrap();
        let names = |typed: &str, hidden| list(&format!("{root}/{typed}"), hidden).unwrap().names;
        assert_eq!(names("", false), ["alp", "alpha", "also", "beta"]);
        assert_eq!(names("", true), [".hidden", "alp", "alpha", "also", "beta"]);
        assert_eq!(names("alp", false), ["alp", "alpha"]);
        assert_eq!(names(".h", false), [".hidden"]);
        assert_eq!(names("x", false), Vec::<String>::new());
        assert_eq!(list(&format!("{root}/none/"), false).unwrap_err().code, ErrorCode::DirectoryMissing);
        assert_eq!(list(&format!("{root}/alphabet/"), false).unwrap_err().code, ErrorCode::NotADirectory);
        assert_eq!(list("relative/", false).unwrap_err().code, ErrorCode::DirectoryMissing);
    }

    #[test]
    fn what_is_typed_becomes_the_path_of_a_session() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().to_str().unwrap();
        assert_eq!(validate(&format!("{root}//")).unwrap().directory, root);
        assert_eq!(validate("").unwrap_err().code, ErrorCode::DirectoryMissing);
        assert_eq!(validate("~").unwrap().directory, from_home("~"));
        assert_eq!(from_home("~other/x"), "~other/x");
    }
}
