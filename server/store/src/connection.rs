//! Opening the database's file: who may, in which mode, with which settings.

use std::ffi::{CStr, OsString};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{StoreError, held, schema};

/// How long a connection waits for another program to let go of the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The write-ahead log is cut back to this many bytes after it was copied into the database, so that one large
/// transaction does not occupy the disk for ever.
const LOG_LIMIT: u32 = 16 * 1024 * 1024;

/// The write-ahead log is copied into the database when it has this many pages, a few less than [`LOG_LIMIT`] keeps.
/// A message touches some seven pages, and whoever commits waits for the copying: with SQLite's own 1,000 it came every
/// 140 messages. Reading this much after a crash takes a moment.
const LOG_PAGES: u32 = LOG_LIMIT / (4096 + 64);

/// The log is laid out only where this much is free, so that nothing is taken from a small disk before it is needed.
const AMPLE_ROOM: u64 = 16 * LOG_LIMIT as u64;

/// The way in which SQLite uses files: as on every Unix, but one process keeps the database to itself, and the index of
/// the write-ahead log is in its memory. In a file, which SQLite maps, the index can end the process: on a disk that is
/// full to the last byte there is no block behind what is written to (`SIGBUS`).
const ALONE: &CStr = c"unix-excl";

/// Every SQLite database begins with this.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The length of a database's header, and where in it `user_version` stands, big-endian.
const HEADER_LENGTH: usize = 100;
const HEADER_VERSION: std::ops::Range<usize> = 60..64;

/// Where in the header the size of a page, a count of changes, the number of pages, and the count of changes for which
/// that number is right begin.
const HEADER_PAGE_SIZE: usize = 16;
const HEADER_CHANGES: usize = 24;
const HEADER_PAGES: usize = 28;
const HEADER_PAGES_VALID_FOR: usize = 92;

/// Refuses a database of a newer version, and a file that is none, without changing a byte of it or of its log.
pub(super) fn refuse_newer(path: &Path) -> Result<(), StoreError> {
    let pending = fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let Some(version) = header_version(path)? else {
        // SQLite would take the log for a left-over and delete it.
        let lost = StoreError::Corrupt("the file is empty, but its write-ahead log is not".to_owned());
        return if pending { Err(lost) } else { Ok(()) };
    };
    accept(version)?;
    if !pending {
        refuse_shortened(path)?;
    }
    // SQLite is asked only if the log may hold a newer header.
    if pending { accept(logged_version(path)?) } else { Ok(()) }
}

/// Refuses a file that is shorter than its header says: SQLite would work on it until it comes to what is missing, and
/// what it writes until then is lost with the first backup that is put back. With a log this does not show; what is
/// missing may be there.
fn refuse_shortened(path: &Path) -> Result<(), StoreError> {
    let file = held::open(path)?;
    let mut header = [0; HEADER_LENGTH];
    file.read_exact_at(&mut header, 0)?;
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let page = match u16::from_be_bytes([header[HEADER_PAGE_SIZE], header[HEADER_PAGE_SIZE + 1]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    // Programs older than the field leave it as it was; then it says nothing.
    let valid = word(HEADER_CHANGES) == word(HEADER_PAGES_VALID_FOR);
    let wanted = u64::from(word(HEADER_PAGES)) * page;
    let found = file.metadata()?.len();
    if valid && found < wanted {
        return Err(StoreError::Corrupt(format!("the file has {found} bytes of {wanted}")));
    }
    Ok(())
}

fn accept(found: u32) -> Result<(), StoreError> {
    let known = schema::VERSION;
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(()) }
}

/// The version in the file's own header; none if the file is missing or empty.
fn header_version(path: &Path) -> Result<Option<u32>, StoreError> {
    let file = match held::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if file.metadata()?.len() == 0 {
        return Ok(None);
    }
    let mut header = [0; HEADER_LENGTH];
    match file.read_exact_at(&mut header, 0) {
        Ok(()) if header.starts_with(MAGIC) => {
            let mut version = [0; size_of::<u32>()];
            version.copy_from_slice(&header[HEADER_VERSION]);
            Ok(Some(u32::from_be_bytes(version)))
        }
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error.into()),
        _ => Err(StoreError::Corrupt("the file is not a database".to_owned())),
    }
}

/// The version with the log taken into account, which stays as it is.
fn logged_version(path: &Path) -> Result<u32, StoreError> {
    let connection = open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    keep_log_on_close(&connection, true)?;
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

/// Whether closing leaves the log as it is. Otherwise the last connection copies it into the database and removes it.
pub(super) fn keep_log_on_close(connection: &Connection, keep: bool) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)?;
    Ok(())
}

/// Makes sure that the file is there and that its owner alone may read it and write to it: it holds what people say to
/// Claude, and environments. SQLite gives the log beside it the same mode, if it makes it.
pub(super) fn create_file(path: &Path) -> Result<(), StoreError> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    // The mask may have taken more than was asked for, and a restored backup may have any mode.
    keep_private(path)?;
    match keep_private(&beside(path, "-wal")) {
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

/// The connection that writes. There is one at a time; the daemon's lock sees to that.
pub(super) fn open_for_writing(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Failed("this file system cannot hold a write-ahead log".to_owned()));
    }
    connection.pragma_update(None, "journal_size_limit", LOG_LIMIT)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
    // NORMAL does not wait for the log to be on disk, and loses what was acknowledged in most power cuts.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    Ok(connection)
}

/// Writes zeros behind the end of the write-ahead log, up to [`LOG_LIMIT`]. Whoever commits waits for less then: a write
/// into blocks that are there, instead of one that makes the file grow, which the file system has to note as well. SQLite
/// ends reading a log where a checksum is wrong, as it does with what an earlier round left behind.
///
/// Only while nobody commits. On a disk without [`AMPLE_ROOM`] it does nothing, and the log grows as it is written.
pub(super) fn lay_out_log(path: &Path) -> io::Result<()> {
    let log = OpenOptions::new().write(true).open(beside(path, "-wal"))?;
    let disk = nix::sys::statvfs::fstatvfs(&log)?;
    if disk.blocks_available().saturating_mul(disk.fragment_size()) < AMPLE_ROOM {
        return Ok(());
    }
    let length = log.metadata()?.len();
    let missing = usize::try_from(u64::from(LOG_LIMIT).saturating_sub(length)).unwrap_or(0);
    match log.write_all_at(&vec![0; missing], length) {
        Err(error) if matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) => {
            // The room is needed for what is worth more.
            log.set_len(length)?;
        }
        written => written?,
    }
    // A commit asks for its own bytes to be on disk. Where they lie and how long the file is has to be there before.
    log.sync_all()
}

/// A connection that only reads, beside the one that writes. Opened as that one is: with a file that it may not write to,
/// SQLite goes about locks in another way, and could give up the one that keeps other programs out.
pub(super) fn open_for_reading(path: &Path) -> Result<Connection, StoreError> {
    let connection = open_with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "query_only", true)?;
    keep_log_on_close(&connection, true)?;
    Ok(connection)
}

fn open_with(path: &Path, access: OpenFlags) -> Result<Connection, StoreError> {
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(path, flags, ALONE)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // What is sorted may be private, and never leaves memory.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

/// The file with this suffix that SQLite keeps beside the database.
fn beside(path: &Path, suffix: &str) -> PathBuf {
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

    /// The bytes of every file of a directory.
    fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// A store with something in it.
    fn filled() -> Store {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&[Change::Session(Box::new(session(id)))]);
        store.commit(&(1..=1_000).map(|seq| entry_change(id, seq)).collect::<Vec<_>>());
        store
    }

    #[test]
    fn looking_at_the_file_does_not_give_up_the_locks_that_the_connection_has() {
        use std::os::unix::fs::MetadataExt;
        let store = filled();
        let inode = format!(":{} ", fs::metadata(store.path()).unwrap().ino());
        let locks = || {
            let all = fs::read_to_string("/proc/locks").unwrap();
            let own = format!(" {} ", std::process::id());
            all.lines().filter(|lock| lock.contains(&inode) && lock.contains(&own)).count()
        };
        let before = locks();
        assert!(before > 0, "SQLite holds a lock that tells others that the log is in use");
        drop(Reader::open(store.path()).unwrap());
        refuse_newer(store.path()).unwrap();
        create_file(store.path()).unwrap();
        assert_eq!(locks(), before);
    }

    fn make_newer(path: &Path) -> Connection {
        let connection = open_for_writing(path).unwrap();
        connection.pragma_update(None, "user_version", schema::VERSION + 1).unwrap();
        connection
    }

    #[test]
    fn the_directory_and_every_file_are_for_their_owner_only() {
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
    fn a_database_that_others_may_read_is_closed_to_them_and_one_that_its_owner_may_not_write_is_opened() {
        for wrong in [0o644, 0o400] {
            let store = filled();
            let crashed = tempfile::tempdir().unwrap();
            let path = crashed.path().join("areyouj.db");
            let log = beside(&path, "-wal");
            for (from, to) in [(store.path(), &path), (&beside(store.path(), "-wal"), &log)] {
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
    fn a_newer_database_is_refused_and_not_a_byte_of_it_changes() {
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
    fn a_newer_database_is_refused_even_if_only_its_log_says_so() {
        let mut store = filled();
        store.close();
        // As a crash leaves it: copied while the newer program has it open, with the log not yet taken in.
        let newer = make_newer(store.path());
        let crashed = tempfile::tempdir().unwrap();
        let path = crashed.path().join("areyouj.db");
        fs::copy(store.path(), &path).unwrap();
        fs::copy(beside(store.path(), "-wal"), beside(&path, "-wal")).unwrap();
        drop(newer);
        assert_eq!(header_version(&path), Ok(Some(schema::VERSION)));
        let before = files(crashed.path());

        assert!(matches!(open(&path), Err(StoreError::Newer { .. })));
        assert!(matches!(Reader::open(&path), Err(StoreError::Newer { .. })));
        assert_eq!(files(crashed.path()), before);
    }

    #[test]
    fn what_a_crash_left_in_the_log_is_there_at_the_next_start() {
        let store = filled();
        let crashed = tempfile::tempdir().unwrap();
        let path = crashed.path().join("areyouj.db");
        fs::copy(store.path(), &path).unwrap();
        fs::copy(beside(store.path(), "-wal"), beside(&path, "-wal")).unwrap();
        let (_committer, snapshot) = open(&path).unwrap();
        assert_eq!(snapshot.sessions.len(), 1);
        assert_eq!(Reader::open(&path).unwrap().totals(), Ok((1, 0, 1_000)));
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("areyouj.db");
        for content in [b"short".as_slice(), &[0; 4096], &[b'x'; 4096]] {
            fs::write(&path, content).unwrap();
            assert!(matches!(open(&path), Err(StoreError::Corrupt(_))));
            assert_eq!(files(home.path()), BTreeMap::from([(path.clone(), content.to_vec())]));
        }
    }

    #[test]
    fn a_database_emptied_behind_its_log_is_refused_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("areyouj.db");
        fs::write(&path, b"").unwrap();
        fs::write(beside(&path, "-wal"), b"all that is left").unwrap();
        let before = files(home.path());
        assert!(matches!(open(&path), Err(StoreError::Corrupt(_))));
        assert_eq!(files(home.path()), before);
    }

    #[test]
    fn a_database_that_was_cut_off_is_refused_and_left_alone() {
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
        let mut refused = 0;
        for damaged in 0..sound.len() / page {
            let mut bytes = sound.clone();
            // The header's own hundred bytes say whether it is a database at all.
            let start = (damaged * page).max(HEADER_LENGTH);
            bytes[start..(damaged + 1) * page].fill(0xA5);
            fs::write(store.path(), &bytes).unwrap();
            let opened = open(store.path()).map(drop);
            let checked = Reader::open(store.path()).and_then(|reader| reader.integrity_check());
            assert!(matches!(opened, Ok(()) | Err(StoreError::Corrupt(_))), "page {damaged}: {opened:?}");
            assert!(matches!(checked, Err(StoreError::Corrupt(_))), "page {damaged}: {checked:?}");
            assert_eq!(fs::metadata(store.path()).unwrap().len(), sound.len() as u64);
            refused += u32::from(opened.is_err());
        }
        assert!(refused > 0, "a start notices damage in what it reads");
    }

    #[test]
    fn a_missing_database_is_not_created_by_reading() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("areyouj.db");
        assert!(matches!(Reader::open(&path), Err(StoreError::Failed(_))));
        assert!(files(home.path()).is_empty());
    }

    #[test]
    fn the_log_is_laid_out_and_what_it_held_is_kept() {
        let mut store = Store::new();
        let id = session_id("AAAAAAAA");
        store.commit(&[Change::Session(Box::new(session(id))), entry_change(id, 1)]);
        let bytes = fs::read(beside(store.path(), "-wal")).unwrap();
        assert_eq!(bytes.len(), LOG_LIMIT as usize);
        // As a daemon leaves it that knew nothing of laying out, and was killed: as long as what it holds.
        let held = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let directory = tempfile::tempdir().unwrap();
        let copy = directory.path().join("areyouj.db");
        fs::copy(store.path(), &copy).unwrap();
        fs::write(beside(&copy, "-wal"), &bytes[..held]).unwrap();
        let _committer = open(&copy).unwrap();
        assert_eq!(Reader::open(&copy).unwrap().totals(), Ok((1, 0, 1)));
        assert_eq!(fs::metadata(beside(&copy, "-wal")).unwrap().len(), u64::from(LOG_LIMIT));
    }
}
