//! Whose trust counts for a directory, exactly as Claude decides it.
//!
//! Claude's rule, measured with the version that the tests pin: its record of the directory, of each directory above it
//! up to the root of the Git repository (or `/` outside of one), or of the main checkout of a linked worktree. Paths are
//! free of symbolic links. Trust in a directory above a repository does not reach into it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The longest `.git` file of a linked worktree that is read.
const MAX_LINK_BYTES: u64 = 64 << 10;

/// A directory free of symbolic links, and what is above it.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Place {
    /// The directory.
    pub(in crate::daemon) directory: PathBuf,
    /// The root of its Git repository.
    pub(in crate::daemon) repository: Option<PathBuf>,
    /// The directories whose trust counts for it, itself first.
    pub(in crate::daemon) trusted_by: Vec<PathBuf>,
}

impl Place {
    /// Reads the file system.
    ///
    /// # Errors
    /// The directory cannot be resolved.
    pub(in crate::daemon) fn of(directory: &str) -> io::Result<Place> {
        let directory = fs::canonicalize(directory)?;
        let is_root = |place: &&Path| fs::metadata(place.join(".git")).is_ok();
        let repository = directory.ancestors().find(is_root).map(Path::to_owned);
        let inside = |place: &&Path| repository.as_ref().is_none_or(|root| place.starts_with(root));
        let mut trusted_by: Vec<PathBuf> =
            directory.ancestors().take_while(inside).map(Path::to_owned).collect();
        trusted_by.extend(repository.as_deref().and_then(main_checkout));
        Ok(Place { directory, repository, trusted_by })
    }
}

/// The main checkout of the linked worktree with this root. Both must name each other: a repository of a stranger can
/// claim to be a worktree of any other.
fn main_checkout(root: &Path) -> Option<PathBuf> {
    let link = read_line(&root.join(".git"))?;
    let own = fs::canonicalize(root.join(link.strip_prefix("gitdir:")?.trim())).ok()?;
    let back = fs::canonicalize(own.join(read_line(&own.join("gitdir"))?)).ok()?;
    if back != root.join(".git") {
        return None;
    }
    let common = fs::canonicalize(own.join(read_line(&own.join("commondir"))?)).ok()?;
    let linked = own.parent()? == common.join("worktrees");
    let main = common.parent().filter(|_| linked && common.file_name().is_some_and(|name| name == ".git"));
    main.map(Path::to_owned)
}

/// The only line of a small file.
fn read_line(path: &Path) -> Option<String> {
    let small = fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= MAX_LINK_BYTES);
    let text = fs::read_to_string(path).ok().filter(|_| small)?;
    Some(text.trim_end_matches('\n').to_owned())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A directory free of symbolic links, and directories below it.
    fn home(directories: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap();
        directories.iter().for_each(|directory| fs::create_dir_all(root.join(directory)).unwrap());
        (home, root)
    }

    /// Whether trust in one directory counts for the other.
    fn counts(root: &Path, trusted: &str, directory: &str) -> bool {
        let place = Place::of(root.join(directory).to_str().unwrap()).unwrap();
        place.trusted_by.contains(&root.join(trusted))
    }

    fn git(directory: &Path, arguments: &[&str]) {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@b"]).arg("-C").arg(directory).args(arguments);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    // Each case was measured with the pinned Claude, by what its terminal asks.
    #[test]
    fn trust_counts_for_the_directory_and_below_up_to_a_repository() {
        let (_home, root) = home(&["a/b/c", "repository/.git", "repository/sub", "outer/inner/.git", "file"]);
        fs::write(root.join("file/.git"), "x").unwrap();
        assert!(counts(&root, "a", "a") && counts(&root, "a", "a/b/c"));
        assert!(!counts(&root, "a/b", "a"), "not above");
        assert!(counts(&root, "repository", "repository/sub"));
        assert!(!counts(&root, "outer", "outer/inner"), "not into a repository");
        assert!(!counts(&root, "", "file"), "any `.git` begins a repository");
        assert!(counts(&root, "", "a"));
    }

    #[test]
    fn a_symbolic_link_has_the_trust_of_its_target() {
        let (_home, root) = home(&["a"]);
        std::os::unix::fs::symlink(root.join("a"), root.join("link")).unwrap();
        assert!(counts(&root, "a", "link"));
        assert!(!counts(&root, "link", "link"));
    }

    #[test]
    fn a_worktree_has_the_trust_of_its_main_checkout_and_a_forged_one_has_not() {
        let (_home, root) = home(&["main", "forged"]);
        git(&root.join("main"), &["init", "-q"]);
        git(&root.join("main"), &["commit", "-q", "--allow-empty", "-m", "x"]);
        git(&root.join("main"), &["worktree", "add", "-q", "../tree"]);
        assert!(counts(&root, "main", "tree") && counts(&root, "tree", "tree"));
        fs::copy(root.join("tree/.git"), root.join("forged/.git")).unwrap();
        assert!(!counts(&root, "main", "forged"));
    }
}
