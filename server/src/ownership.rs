//! Whose files are read: a file that another user can replace decides nothing here, as ssh does with `StrictModes`.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The permission bits with which the group or others can write.
const OTHERS_WRITE: u32 = 0o022;

/// The bit of a directory in which only the owner of a file can replace it, such as `/tmp`.
const STICKY: u32 = 0o1000;

/// Who can change a file besides this user and root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// The file, or a directory above it, belongs to another user.
    #[error("{} belongs to another user (uid {owner})", .path.display())]
    Foreign {
        /// The file or the directory.
        path: PathBuf,
        /// The user id of the owner.
        owner: u32,
    },
    /// Other users can write to the file, or to a directory above it.
    #[error("other users can write to {} (mode {mode:o})", .path.display())]
    Writable {
        /// The file or the directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl Untrusted {
    /// What to do, one sentence.
    pub fn hint(&self) -> String {
        match self {
            Untrusted::Foreign { path, .. } => {
                format!(
                    "Check what it contains, then make it yours (`chown \"$USER\" {0}`), or remove {0}.",
                    path.display()
                )
            }
            Untrusted::Writable { path, .. } => {
                format!("Check what it contains, then run `chmod go-w {}`.", path.display())
            }
        }
    }
}

/// Checks that only this user and root can change an open file: it, and every directory above its real path up to the
/// user's home directory or the root directory, belongs to one of them and is not writable by the group or others.
///
/// # Errors
/// An error of the file system. The inner result is the check's.
pub fn check(path: &Path, file: &File, home: Option<&Path>) -> io::Result<Result<(), Untrusted>> {
    let user = nix::unistd::geteuid().as_raw();
    let real = fs::canonicalize(path)?;
    let home = home.and_then(|home| fs::canonicalize(home).ok());
    if let Err(untrusted) = check_one(&real, &file.metadata()?, user) {
        return Ok(Err(untrusted));
    }
    for directory in real.ancestors().skip(1) {
        if let Err(untrusted) = check_one(directory, &fs::metadata(directory)?, user) {
            return Ok(Err(untrusted));
        }
        if home.as_deref() == Some(directory) {
            break;
        }
    }
    Ok(Ok(()))
}

fn check_one(path: &Path, metadata: &Metadata, user: u32) -> Result<(), Untrusted> {
    let (owner, mode) = (metadata.uid(), metadata.permissions().mode() & 0o7777);
    if owner != user && owner != 0 {
        return Err(Untrusted::Foreign { path: path.to_owned(), owner });
    }
    let sticky = metadata.is_dir() && mode & STICKY != 0;
    if mode & OTHERS_WRITE != 0 && !sticky {
        return Err(Untrusted::Writable { path: path.to_owned(), mode: mode & 0o777 });
    }
    Ok(())
}

/// The directory of another user in which this path would be created: the nearest one that exists, or the user's home
/// directory above it. A program with the home directory of another user, as `sudo` can leave it, must not fill it.
pub fn foreign_parent(path: &Path, home: Option<&Path>) -> Option<(PathBuf, u32)> {
    let user = nix::unistd::geteuid().as_raw();
    let nearest = path.ancestors().find_map(|parent| Some((parent, fs::metadata(parent).ok()?)));
    let home = home.filter(|home| path.starts_with(home));
    let home = home.and_then(|home| Some((home, fs::metadata(home).ok()?)));
    let foreign = |(parent, metadata): (&Path, Metadata)| {
        let owner = metadata.uid();
        (owner != user && owner != 0).then(|| (parent.to_owned(), owner))
    };
    nearest.and_then(foreign).or_else(|| home.and_then(foreign))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::chown;

    use super::*;

    /// A user id that no test runs as.
    const ANOTHER: u32 = 12_345;

    fn file(home: &Path) -> PathBuf {
        let directory = home.join("config");
        fs::create_dir(&directory).unwrap();
        let path = directory.join("config.toml");
        fs::write(&path, "").unwrap();
        set_mode(&directory, 0o755);
        set_mode(&path, 0o644);
        path
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn checked(path: &Path, home: Option<&Path>) -> Result<(), Untrusted> {
        check(path, &File::open(path).unwrap(), home).unwrap()
    }

    #[test]
    fn a_file_that_others_can_read_but_not_change_is_trusted() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(checked(&file(home.path()), None), Ok(()));
    }

    #[test]
    fn a_file_or_directory_that_others_can_write_to_is_not() {
        let home = tempfile::tempdir().unwrap();
        let path = file(home.path());
        for (wrong, mode, right) in [
            (path.clone(), 0o664, 0o644),
            (path.clone(), 0o646, 0o644),
            (path.parent().unwrap().to_owned(), 0o775, 0o755),
            (home.path().to_owned(), 0o777, 0o700),
        ] {
            set_mode(&wrong, mode);
            let untrusted = Untrusted::Writable { path: fs::canonicalize(&wrong).unwrap(), mode };
            assert!(untrusted.hint().contains("chmod go-w"), "{}", untrusted.hint());
            assert_eq!(checked(&path, None), Err(untrusted));
            set_mode(&wrong, right);
        }
        assert_eq!(checked(&path, None), Ok(()));
    }

    #[test]
    fn a_link_is_checked_where_it_leads() {
        let home = tempfile::tempdir().unwrap();
        let path = file(home.path());
        let link = home.path().join("link.toml");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(checked(&link, None), Ok(()));
        set_mode(&path, 0o666);
        assert!(matches!(checked(&link, None), Err(Untrusted::Writable { .. })));
    }

    #[test]
    fn directories_above_the_home_directory_are_not_checked() {
        let root = tempfile::tempdir().unwrap();
        let home = root.path().join("home");
        fs::create_dir(&home).unwrap();
        let path = file(&home);
        set_mode(root.path(), 0o777);
        assert!(checked(&path, None).is_err());
        assert_eq!(checked(&path, Some(&home)), Ok(()));
        set_mode(&home, 0o777);
        assert!(checked(&path, Some(&home)).is_err());
    }

    #[test]
    fn a_file_or_directory_of_another_user_is_not_trusted() {
        // Only root can change the owner of a file.
        if !nix::unistd::geteuid().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let path = file(home.path());
        for foreign in [path.clone(), path.parent().unwrap().to_owned()] {
            chown(&foreign, Some(ANOTHER), None).unwrap();
            let found = Untrusted::Foreign { path: fs::canonicalize(&foreign).unwrap(), owner: ANOTHER };
            assert_eq!(checked(&path, None), Err(found));
            chown(&foreign, Some(0), None).unwrap();
        }
    }

    #[test]
    fn nothing_is_created_in_the_home_directory_of_another_user() {
        let home = tempfile::tempdir().unwrap();
        let inner = home.path().join(".local/state/areyouj");
        assert_eq!(foreign_parent(&inner, Some(home.path())), None);
        if nix::unistd::geteuid().is_root() {
            chown(home.path(), Some(ANOTHER), None).unwrap();
            let found = Some((home.path().to_owned(), ANOTHER));
            assert_eq!(foreign_parent(&inner, Some(home.path())), found);
            // An earlier mistake must not make the next one possible.
            fs::create_dir_all(&inner).unwrap();
            assert_eq!(foreign_parent(&inner, Some(home.path())), found);
        } else {
            assert!(foreign_parent(Path::new("/proc/1/none"), None).is_none());
        }
    }
}
