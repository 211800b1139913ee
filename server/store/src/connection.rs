//! Opens the database file: checks its version, its permissions and its settings.

use std::ffi::{CStr, OsString};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{StoreError, database_file, schema};

/// How long a connection waits for another program to release the database.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The write-ahead log is truncated to this many bytes after a checkpoint, so that one large transaction does not
/// occupy the disk permanently.
const LOG_LIMIT_BYTES: u32 = 16 * 1024 * 1024;

/// A checkpoint copies the write-ahead log into the database when the log has this many pages, a few less than fit into
/// [`LOG_LIMIT_BYTES`]. A message changes about seven pages, and a commit waits for the checkpoint: with SQLite's
/// default of 1,000 pages there was one every 140 messages. Reading a log of this size after a crash takes little time.
const LOG_PAGES: u32 = LOG_LIMIT_BYTES / (4096 + 64);

/// The log is preallocated only if this much disk space is free, so that a small disk keeps its space until it is
/// needed.
const PREALLOCATION_FREE_BYTES: u64 = 16 * LOG_LIMIT_BYTES as u64;

/// SQLite's file system layer for Unix with exclusive locking: only one process can open the database, and the index of
/// the write-ahead log is in its memory. Otherwise SQLite maps the index from a file. On a completely full disk, a
/// write to that mapping has no block behind it, and `SIGBUS` kills the process.
const EXCLUSIVE_VFS: &CStr = c"unix-excl";

/// The first bytes of every SQLite database.
const FILE_SIGNATURE: &[u8; 16] = b"SQLite format 3\0";

/// The length of the database header, and the position of `user_version` in it, big-endian.
const HEADER_LENGTH: usize = 100;
const HEADER_VERSION: std::ops::Range<usize> = 60..64;

/// Offsets in the header: the page size, the change counter, the number of pages, and the value of the change counter
/// for which that number is valid.
const HEADER_PAGE_SIZE: usize = 16;
const HEADER_CHANGES: usize = 24;
const HEADER_PAGES: usize = 28;
const HEADER_PAGES_VALID_FOR: usize = 92;

/// Rejects a database of a newer version, and a file that is not a database, without changing it or its log.
pub(super) fn reject_newer(path: &Path) -> Result<(), StoreError> {
    let pending = fs::metadata(companion_path(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let Some(version) = header_version(path)? else {
        // SQLite would consider the log obsolete and delete it.
        let lost = StoreError::Corrupt("the file is empty, but its write-ahead log is not".to_owned());
        return if pending { Err(lost) } else { Ok(()) };
    };
    check_version(version)?;
    if !pending {
        reject_truncated(path)?;
    }
    // Only SQLite can read a newer header from the log.
    if pending { check_version(logged_version(path)?) } else { Ok(()) }
}

/// Rejects a file that is shorter than its header says. SQLite would use it until it reads a missing page, and
/// everything written until then would be lost when a backup is restored. With a log this check is impossible: the log
/// can contain the missing pages.
fn reject_truncated(path: &Path) -> Result<(), StoreError> {
    let file = database_file::open(path)?;
    let mut header = [0; HEADER_LENGTH];
    file.read_exact_at(&mut header, 0)?;
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let page = match u16::from_be_bytes([header[HEADER_PAGE_SIZE], header[HEADER_PAGE_SIZE + 1]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    // Programs that do not know the field leave it unchanged, and then it is not valid.
    let valid = word(HEADER_CHANGES) == word(HEADER_PAGES_VALID_FOR);
    let wanted = u64::from(word(HEADER_PAGES)) * page;
    let found = file.metadata()?.len();
    if valid && found < wanted {
        return Err(StoreError::Corrupt(format!("the file has {found} bytes of {wanted}")));
    }
    Ok(())
}

fn check_version(found: u32) -> Result<(), StoreError> {
    let known = schema::VERSION;
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(()) }
}

/// The version in the header of the file, or `None` if the file is missing or empty.
fn header_version(path: &Path) -> Result<Option<u32>, StoreError> {
    let file = match database_file::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    let mut header = [0; HEADER_LENGTH];
    match file.read_exact_at(&mut header, 0) {
        Ok(()) if header.starts_with(FILE_SIGNATURE) => {
            let mut version = [0; size_of::<u32>()];
            version.copy_from_slice(&header[HEADER_VERSION]);
            Ok(Some(u32::from_be_bytes(version)))
        }
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error.into()),
        _ => Err(StoreError::Corrupt("the file is not a database".to_owned())),
    }
}

/// The version according to the file and its log. The log does not change.
fn logged_version(path: &Path) -> Result<u32, StoreError> {
    let connection = open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    keep_log_on_close(&connection, true)?;
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Sets whether closing the connection keeps the log. Otherwise the last connection copies it into the database and
/// deletes it.
pub(super) fn keep_log_on_close(connection: &Connection, keep: bool) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)?;
    Ok(())
}

/// Creates the file if it is missing, and makes sure that only its owner can read and write it: it contains
/// conversations and environments. SQLite creates the log with the same mode.
pub(super) fn create_file(path: &Path) -> Result<(), StoreError> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    // The umask can have removed permissions, and a restored backup can have any mode.
    keep_private(path)?;
    match keep_private(&companion_path(path, "-wal")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn keep_private(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.permissions().mode() & 0o777 != 0o600 {
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Opens the connection that writes. There is one at a time, because of the daemon's lock.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Failed("this file system does not support a write-ahead log".to_owned()));
    }
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT_BYTES)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    // NORMAL does not wait until the log is on disk, and loses acknowledged changes in most power failures.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What is deleted is overwritten with zeros.
    let overwritten: bool =
        connection.pragma_update_and_check(None, "secure_delete", true, |row| row.get(0))?;
    if !overwritten {
        return Err(StoreError::Failed("this SQLite cannot overwrite what is deleted".to_owned()));
    }
    Ok(connection)
}

/// Preallocates the write-ahead log: writes zeros after its end, up to [`LOG_LIMIT_BYTES`]. This makes commits faster,
/// because they write into existing blocks and do not extend the file, which also changes metadata of the file system.
/// SQLite stops reading a log at the first wrong checksum, as it does for frames of an earlier checkpoint.
///
/// Must not run during a commit. With less than [`PREALLOCATION_FREE_BYTES`] of free disk space it does nothing, and
/// the log grows as it is written.
pub(super) fn preallocate_log(path: &Path) -> io::Result<()> {
    let log = OpenOptions::new().write(true).open(companion_path(path, "-wal"))?;
    let disk = nix::sys::statvfs::fstatvfs(&log)?;
    if disk.blocks_available().saturating_mul(disk.fragment_size()) < PREALLOCATION_FREE_BYTES {
        return Ok(());
    }
    let length = log.metadata()?.len();
    let missing = usize::try_from(u64::from(LOG_LIMIT_BYTES).saturating_sub(length)).unwrap_or(0);
    match log.write_all_at(&vec![0; missing], length) {
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            // The remaining space is more useful for other files.
            log.set_len(length)?;
        }
        written => written?,
    }
    // A commit syncs only its own data. The location of the blocks and the file length must be on disk before.
    log.sync_all()
}

/// Opens a connection that only reads, in addition to the one that writes. It is opened for writing, too: SQLite
/// handles locks of a read-only file differently, and could release the lock that excludes other programs.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    keep_log_on_close(&connection, true)?;
    Ok(connection)
}

fn open_with(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(path, flags, EXCLUSIVE_VFS)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Sorted rows can be private, so they must stay in memory.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// The path of SQLite's companion file with this suffix.
fn companion_path(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::samples::{Store, entry_change, session, session_id};
    use crate::{Reader, open};
    use areyouj_core::orchestrator::Change;

    /// The contents of every file in a directory.
    fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// A store with a session and 1,000 entries.
    fn filled() -> Store {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&[Change::Session(Box::new(session(id)))]);
        store.commit(&(1..=1_000).map(|seq| entry_change(id, seq)).collect::<Vec<_>>());
        store
    }

    #[test]
    fn reading_the_file_does_not_release_the_locks_of_the_connection() {
        use std::os::unix::fs::MetadataExt;
        let store = filled();
        let inode = format!(":{} ", fs::metadata(store.path()).unwrap().ino());
        let locks = || {
            let all = fs::read_to_string("/proc/locks").unwrap();
            let own = format!(" {} ", std::process::id());
            all.lines().filter(|lock| lock.contains(&inode) && lock.contains(&own)).count()
        };
        let before = locks();
        assert!(before > 0, "SQLite holds a lock while the log is in use");
        drop(Reader::open(store.path()).unwrap());
        reject_newer(store.path()).unwrap();
        create_file(store.path()).unwrap();
        assert_eq!(locks(), before);
    }

    fn make_newer(path: &Path) -> Connection {
        let connection = open_for_writing(path).unwrap();
        connection.pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
        connection
    }

    #[test]
    fn only_the_owner_can_access_the_directory_and_its_files() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("new/data");
        let path = directory.join("areyouj.db");
        let (mut committer, _) = open(&path).unwrap();
        committer.commit(&[Change::Session(Box::new(session(session_id("AAAAAAAA"))))]).unwrap();
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(files(&directory).len(), 2, "the database and its log");
        for file in files(&directory).keys() {
            assert_eq!(mode(file), 0o600, "{}", file.display());
        }
    }

    #[test]
    fn wrong_permissions_of_the_database_are_corrected() {
        for wrong in [0o644, 0o400] {
            let store = filled();
            let crashed = tempfile::tempdir().unwrap();
            let path = crashed.path().join("areyouj.db");
            let log = companion_path(&path, "-wal");
            for (from, to) in [(store.path(), &path), (&companion_path(store.path(), "-wal"), &log)] {
                fs::copy(from, to).unwrap();
                fs::set_permissions(to, Permissions::from_mode(wrong)).unwrap();
            }
            let (mut committer, _) = open(&path).unwrap();
            committer.commit(&[Change::Session(Box::new(session(session_id("BBBBBBBB"))))]).unwrap();
            assert_eq!((mode(&path), mode(&log)), (0o600, 0o600));
        }
    }

    #[test]
    fn commits_wait_for_the_disk() {
        let store = Store::new();
        let connection = open_for_writing(store.path()).unwrap();
        let setting = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u32>(0)).unwrap();
        let full = 2;
        assert_eq!((setting("synchronous"), setting("foreign_keys")), (full, 1));
    }

    #[test]
    fn a_newer_database_is_rejected_and_does_not_change() {
        let mut store = filled();
        store.close();
        drop(make_newer(store.path()));
        let directory = store.path().parent().unwrap();
        let before = files(directory);
        let newer = StoreError::Newer { found: schema::VERSION + 1, known: schema::VERSION };
        assert_eq!(open(store.path()).err(), Some(newer.clone()));
        assert_eq!(Reader::open(store.path()).err(), Some(newer));
        assert_eq!(files(directory), before);
    }

    #[test]
    fn a_newer_database_is_rejected_even_if_only_its_log_has_the_version() {
        let mut store = filled();
        store.close();
        // The state after a crash: a copy made while the newer program has the database open, before a checkpoint of
        // the log.
        let newer = make_newer(store.path());
        let crashed = tempfile::tempdir().unwrap();
        let path = crashed.path().join("areyouj.db");
        fs::copy(store.path(), &path).unwrap();
        fs::copy(companion_path(store.path(), "-wal"), companion_path(&path, "-wal")).unwrap();
        drop(newer);
        assert_eq!(header_version(&path), Ok(Some(schema::VERSION)));
        let before = files(crashed.path());

        assert!(matches!(open(&path), Err(StoreError::Newer { .. })));
        assert!(matches!(Reader::open(&path), Err(StoreError::Newer { .. })));
        assert_eq!(files(crashed.path()), before);
    }

    #[test]
    fn changes_that_a_crash_left_in_the_log_are_read_at_the_next_start() {
        let store = filled();
        let crashed = tempfile::tempdir().unwrap();
        let path = crashed.path().join("areyouj.db");
        fs::copy(store.path(), &path).unwrap();
        fs::copy(companion_path(store.path(), "-wal"), companion_path(&path, "-wal")).unwrap();
        let (_committer, snapshot) = open(&path).unwrap();
        assert_eq!(snapshot.sessions.len(), 1);
        assert_eq!(Reader::open(&path).unwrap().totals(), Ok((1, 0, 1_000)));
    }

    #[test]
    fn a_file_that_is_not_a_database_is_rejected_and_not_changed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("areyouj.db");
        for content in [b"short".as_slice(), &[0; 4096], &[b'x'; 4096]] {
            fs::write(&path, content).unwrap();
            assert!(matches!(open(&path), Err(StoreError::Corrupt(_))));
            assert_eq!(files(home.path()), BTreeMap::from([(path.clone(), content.to_vec())]));
        }
    }

    #[test]
    fn an_empty_database_with_a_log_is_rejected_and_not_changed() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("areyouj.db");
        fs::write(&path, b"").unwrap();
        fs::write(companion_path(&path, "-wal"), b"all that is left").unwrap();
        let before = files(home.path());
        assert!(matches!(open(&path), Err(StoreError::Corrupt(_))));
        assert_eq!(files(home.path()), before);
    }

    #[test]
    fn a_truncated_database_is_rejected_and_not_changed() {
        let mut store = filled();
        store.close();
        let sound = fs::read(store.path()).unwrap();
        for length in [sound.len() - 1, sound.len() / 2, HEADER_LENGTH] {
            fs::write(store.path(), &sound[..length]).unwrap();
            assert!(matches!(open(store.path()), Err(StoreError::Corrupt(_))), "{length} bytes");
            assert_eq!(fs::read(store.path()).unwrap(), sound[..length]);
        }
        fs::write(store.path(), &sound).unwrap();
        assert!(open(store.path()).is_ok());
    }

    #[test]
    fn a_damaged_page_is_an_error_and_never_a_panic_or_a_deleted_file() {
        let mut store = filled();
        store.close();
        let sound = fs::read(store.path()).unwrap();
        let page = 4096;
        let mut rejected = 0;
        for damaged in 0..sound.len() / page {
            let mut bytes = sound.clone();
            // Keep the header, which identifies the file as a database.
            let start = (damaged * page).max(HEADER_LENGTH);
            bytes[start..(damaged + 1) * page].fill(0xA5);
            fs::write(store.path(), &bytes).unwrap();
            let opened = open(store.path()).map(drop);
            let checked = Reader::open(store.path()).and_then(|reader| reader.integrity_check());
            assert!(matches!(opened, Ok(()) | Err(StoreError::Corrupt(_))), "page {damaged}: {opened:?}");
            assert!(matches!(checked, Err(StoreError::Corrupt(_))), "page {damaged}: {checked:?}");
            assert_eq!(fs::metadata(store.path()).unwrap().len(), sound.len() as u64);
            rejected += u32::from(opened.is_err());
        }
        assert!(rejected > 0, "a start detects damage in the pages that it reads");
    }

    #[test]
    fn a_missing_database_is_not_created_by_reading() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("areyouj.db");
        assert!(matches!(Reader::open(&path), Err(StoreError::Failed(_))));
        assert!(files(home.path()).is_empty());
    }

    #[test]
    fn the_log_is_preallocated_and_keeps_its_contents() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&[Change::Session(Box::new(session(id))), entry_change(id, 1)]);
        let bytes = fs::read(companion_path(store.path(), "-wal")).unwrap();
        assert_eq!(bytes.len(), LOG_LIMIT_BYTES as usize);
        // The log of a killed daemon that did not preallocate: it ends after its contents.
        let length = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let directory = tempfile::tempdir().unwrap();
        let copy = directory.path().join("areyouj.db");
        fs::copy(store.path(), &copy).unwrap();
        fs::write(companion_path(&copy, "-wal"), &bytes[..length]).unwrap();
        let _committer = open(&copy).unwrap();
        assert_eq!(Reader::open(&copy).unwrap().totals(), Ok((1, 0, 1)));
        assert_eq!(fs::metadata(companion_path(&copy, "-wal")).unwrap().len(), u64::from(LOG_LIMIT_BYTES));
    }
}
