//! Directories: choosing one for a session.

use std::fs;

use areyouj_core::orchestrator::Problem;
use areyouj_protocol::{DirectoryList, DirectoryListParams, DirectoryParams, DirectoryValid, request};

use super::{Context, Handler, Plan};
use crate::daemon::directory_checks::{check_directory, check_readable, not_accessible};
use crate::daemon::gate::Kind;

/// Names in one answer, at most; typing more letters narrows the list.
const MAX_NAMES: usize = 1_000;

impl Handler for request::DirectoryList {
    async fn plan(params: DirectoryListParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let place = params.path.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
        let list = move || list(&params.path, params.hidden);
        context.shared.gate.run(Kind::Browse, place, list).await.map(Plan::Answer)
    }
}

impl Handler for request::DirectoryValidate {
    async fn plan(params: DirectoryParams, context: &Context) -> Result<Plan<Self>, Problem> {
        let place = params.path.trim_end_matches('/').to_owned();
        context.shared.gate.run(Kind::Browse, place, move || validate(&params.path)).await.map(Plan::Answer)
    }
}

/// The directories whose paths begin with this text.
fn list(typed: &str, hidden: bool) -> Result<DirectoryList, Problem> {
    let typed = from_home(typed);
    let (directory, prefix) = match typed.rfind('/') {
        Some(slash) => (&typed[..=slash], &typed[slash + 1..]),
        None => (typed.as_str(), ""),
    };
    // With a slash at its end, a file would be reported as missing.
    check_readable(if directory == "/" { directory } else { directory.trim_end_matches('/') })?;
    let entries = fs::read_dir(directory).map_err(|error| not_accessible(directory, &error))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry)))
        .filter(|(name, _)| {
            name.starts_with(prefix) && (hidden || !name.starts_with('.') || prefix.starts_with('.'))
        })
        .filter(|(_, entry)| {
            // A link to a directory counts as one; the kinds of all others need no further system call.
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

/// Checks whether a session could be created in this directory.
fn validate(typed: &str) -> Result<DirectoryValid, Problem> {
    let typed = from_home(typed);
    let trimmed = typed.trim_end_matches('/');
    let directory = if trimmed.is_empty() && typed.starts_with('/') { "/" } else { trimmed };
    check_directory(directory)?;
    Ok(DirectoryValid { directory: directory.to_owned() })
}

/// Expands a leading `~` as a shell would.
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
    fn typed_text_becomes_the_path_of_a_session() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().to_str().unwrap();
        assert_eq!(validate(&format!("{root}//")).unwrap().directory, root);
        assert_eq!(validate("").unwrap_err().code, ErrorCode::DirectoryMissing);
        assert_eq!(validate("~").unwrap().directory, from_home("~"));
        assert_eq!(from_home("~other/x"), "~other/x");
    }
}
