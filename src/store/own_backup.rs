//! The client's own backup: a copy of its store as it was at the last start at which it was sound, kept beside it to go
//! back to if the store is damaged.
//!
//! **Invariant:** it holds no message that was deleted: whoever deletes messages removes it first.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use tempfile::Builder;

use crate::limits::{BACKUP_BYTES_MAX, BACKUP_ROOM};
use crate::store::check::{copy, reader};
use crate::store::{ClientSchema, OpenErrorKind, folder};
use crate::time::Timestamp;

/// What SQLite keeps beside its file.
const BESIDE: [&str; 2] = ["-wal", "-shm"];
const BACKUP: &str = "-backup";
const LOCK: &str = ".lock";
/// Its presence says that the store was found to be damaged while it was in use.
const DAMAGED: &str = "-damaged";
/// A younger backup is good enough.
const RENEWED_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Why no backup was made although one is due. The former one is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum BackupRefusal {
    /// The store is larger than [`BACKUP_BYTES_MAX`].
    #[error("the store is larger than what is copied by itself")]
    TooLarge,
    /// The disk has too little room to spare.
    #[error("the disk has too little room for a copy")]
    NoRoom,
    /// The store cannot be read.
    #[error(transparent)]
    Source(#[from] OpenErrorKind),
    /// The copy cannot be written.
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// The backup of a store in use.
#[derive(Debug)]
pub struct OwnBackup {
    store: PathBuf,
    /// Messages are being deleted in this run: no backup is made any more. Locked while one is made or removed.
    is_deleting: Mutex<bool>,
}

impl OwnBackup {
    /// The backup beside this store.
    #[must_use]
    pub const fn of(store: PathBuf) -> Self {
        Self { store, is_deleting: Mutex::new(false) }
    }

    /// Makes it, unless there is one of the last 24 hours. The store must be sound.
    ///
    /// # Errors
    /// Why there is no new one.
    pub fn renew(&self, now: Timestamp) -> Result<(), BackupRefusal> {
        let is_deleting = self.is_deleting.lock().unwrap_or_else(PoisonError::into_inner);
        if *is_deleting { Ok(()) } else { renew(&self.store, now) }
    }

    /// Removes it, since messages are about to be deleted; the next start makes a new one.
    ///
    /// # Errors
    /// It is there and cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        let mut is_deleting = self.is_deleting.lock().unwrap_or_else(PoisonError::into_inner);
        *is_deleting = true;
        unless_missing(fs::remove_file(beside(&self.store, BACKUP)))
    }

    /// Removes the store itself too, which must not be in use, and whatever was set aside of it: its account is removed.
    ///
    /// # Errors
    /// Something is there and cannot be removed.
    pub fn remove_store(&self) -> io::Result<()> {
        self.remove()?;
        let folder = folder::above(&self.store);
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return unless_missing(Err(error)),
        };
        let name = self.store.file_name().unwrap_or_default().to_string_lossy();
        for entry in entries {
            let entry = entry?;
            let found = entry.file_name();
            let rest = found.to_string_lossy().strip_prefix(&*name).map(str::to_owned);
            // The lock says nothing, and another process may be waiting for it.
            if rest.is_some_and(|rest| rest != LOCK) {
                unless_missing(fs::remove_file(entry.path()))?;
            }
        }
        folder::sync(folder)
    }
}

fn renew(store: &Path, now: Timestamp) -> Result<(), BackupRefusal> {
    let backup = beside(store, BACKUP);
    // A backup from the future says nothing about its age.
    if made_at(store).is_some_and(|made| made <= now && now.since(made) < RENEWED_AFTER) {
        return Ok(());
    }
    let folder = folder::above(store);
    let bytes = bytes_of(store);
    if bytes > BACKUP_BYTES_MAX {
        return Err(BackupRefusal::TooLarge);
    }
    let disk = rustix::fs::statvfs(folder).map_err(io::Error::from)?;
    if disk.f_bavail.saturating_mul(disk.f_frsize) / BACKUP_ROOM < bytes {
        return Err(BackupRefusal::NoRoom);
    }
    // Readable by its owner only, as the store is.
    let aside = Builder::new().prefix(".fanfare-backup-").tempfile_in(folder)?;
    let (connection, _) = reader::<ClientSchema>(store)?;
    copy(&connection, aside.path()).map_err(OpenErrorKind::from)?;
    aside.as_file().sync_all()?;
    aside.persist(&backup).map_err(|refused| refused.error)?;
    Ok(folder::sync(folder)?)
}

/// When the backup of this store was made, if there is one.
#[must_use]
pub fn made_at(store: &Path) -> Option<Timestamp> {
    let made = fs::metadata(beside(store, BACKUP)).and_then(|data| data.modified()).ok()?;
    let since_1970: Duration = made.duration_since(UNIX_EPOCH).unwrap_or_default();
    Some(Timestamp::from_millis(u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)))
}

/// Bytes of what SQLite keeps beside the store, and of its backup.
#[must_use]
pub fn bytes_beside(store: &Path) -> u64 {
    BESIDE.iter().chain([&BACKUP]).map(|ending| size(&beside(store, ending))).sum()
}

/// Puts the backup in the place of the store, which is set aside; returns its new name. Nothing is overwritten, the
/// backup stays, and after a power cut at any time there is a store in that place. The store must not be in use.
///
/// # Errors
/// There is no backup, or the disk refuses.
pub fn restore(store: &Path) -> io::Result<PathBuf> {
    let folder = folder::above(store);
    let mut new = Builder::new().prefix(".fanfare-restore-").tempfile_in(folder)?;
    io::copy(&mut File::open(beside(store, BACKUP))?, &mut new)?;
    new.as_file().sync_all()?;
    let aside = free_name(store);
    // SQLite would take the old log for one of the new file.
    move_aside(store, &aside, &BESIDE)?;
    if fs::hard_link(store, &aside).is_err() {
        // Not every file system has links.
        unless_missing(fs::rename(store, &aside))?;
    }
    new.persist(store).map_err(|refused| refused.error)?;
    folder::sync(folder)?;
    Ok(aside)
}

/// Renames the store, what SQLite keeps beside it, and its backup, so that the next start begins with none; returns the
/// new name. Nothing is overwritten.
///
/// # Errors
/// The disk refuses.
pub fn set_aside(store: &Path) -> io::Result<PathBuf> {
    let aside = free_name(store);
    move_aside(store, &aside, &["", "-wal", "-shm", BACKUP])?;
    Ok(aside)
}

/// Remembers for the next start that the store is damaged.
///
/// # Errors
/// The disk refuses.
pub fn note_damage(store: &Path) -> io::Result<()> {
    File::create(beside(store, DAMAGED)).map(drop)
}

/// True, once, if the store was found to be damaged in an earlier run.
///
/// # Errors
/// That it was said cannot be noted.
pub fn take_damage(store: &Path) -> io::Result<bool> {
    match fs::remove_file(beside(store, DAMAGED)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn move_aside(store: &Path, aside: &Path, endings: &[&str]) -> io::Result<()> {
    endings
        .iter()
        .try_for_each(|ending| unless_missing(fs::rename(beside(store, ending), beside(aside, ending))))
}

fn free_name(store: &Path) -> PathBuf {
    let name = |number: u32| beside(store, &format!(".set-aside-{number}"));
    let is_free = |path: &PathBuf| ["", "-wal", "-shm", BACKUP].iter().all(|end| !beside(path, end).exists());
    (1..u32::MAX).map(name).find(is_free).unwrap_or_else(|| name(0))
}

fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(store.as_os_str());
    name.push(ending);
    name.into()
}

fn bytes_of(store: &Path) -> u64 {
    size(store) + size(&beside(store, "-wal"))
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |data| data.len())
}

fn unless_missing(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::time::Clock;

    const STORE: &str = "messages.sqlite3";

    /// A folder with a sound store, which is closed.
    fn sound() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join(STORE);
        drop(Store::<ClientSchema>::open(&store).unwrap());
        (folder, store)
    }

    fn now() -> Timestamp {
        Clock::start().now().wall
    }

    fn made_hours_ago(store: &Path, hours: u64) {
        let backup = File::options().write(true).open(beside(store, BACKUP)).unwrap();
        let made = Duration::from_millis(now().as_millis()) - Duration::from_secs(hours * 3600);
        backup.set_modified(UNIX_EPOCH + made).unwrap();
    }

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_backup_is_made_once_a_day_while_the_store_is_in_use() {
        let (_folder, store) = sound();
        assert_eq!(made_at(&store), None);
        let _in_use = Store::<ClientSchema>::open(&store).unwrap();
        renew(&store, now()).unwrap();
        made_hours_ago(&store, 23);
        let first = made_at(&store);
        renew(&store, now()).unwrap();
        assert_eq!(made_at(&store), first, "there is one of today");
        made_hours_ago(&store, 25);
        renew(&store, now()).unwrap();
        assert!(made_at(&store) > first);
        drop(reader::<ClientSchema>(&beside(&store, BACKUP)).unwrap());
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, store) = sound();
        renew(&store, now()).unwrap();
        let mode = fs::metadata(beside(&store, BACKUP)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_cannot_be_read_replaces_no_backup() {
        let (_folder, store) = sound();
        renew(&store, now()).unwrap();
        made_hours_ago(&store, 48);
        let former = made_at(&store);
        fs::write(&store, "no database").unwrap();
        assert!(matches!(renew(&store, now()), Err(BackupRefusal::Source(_))));
        assert_eq!(made_at(&store), former);
    }

    #[test]
    fn the_backup_takes_the_place_of_a_damaged_store_and_both_stay() {
        let (folder, store) = sound();
        renew(&store, now()).unwrap();
        for (ending, damage) in [("", "damaged"), ("-wal", "its log")] {
            fs::write(beside(&store, ending), damage).unwrap();
        }
        let aside = restore(&store).unwrap();
        assert_eq!(fs::read_to_string(&aside).unwrap(), "damaged");
        assert_eq!(fs::read_to_string(beside(&aside, "-wal")).unwrap(), "its log");
        drop(Store::<ClientSchema>::open(&store).unwrap());
        assert!(made_at(&store).is_some());
        // A second time nothing is overwritten.
        fs::write(&store, "damaged again").unwrap();
        let second = restore(&store).unwrap();
        assert_eq!(fs::read_to_string(&second).unwrap(), "damaged again");
        assert_eq!(fs::read_to_string(&aside).unwrap(), "damaged");
        assert!(!names(&folder).iter().any(|name| name.starts_with(".fanfare")), "{:?}", names(&folder));
    }

    #[test]
    fn a_store_is_set_aside_with_its_backup_and_nothing_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join(STORE);
        for round in ["one", "two"] {
            for ending in ["", "-wal", BACKUP] {
                fs::write(beside(&store, ending), round).unwrap();
            }
            set_aside(&store).unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("messages.sqlite3.set-aside-1"), "one");
        assert_eq!(read("messages.sqlite3.set-aside-1-backup"), "one");
        assert_eq!(read("messages.sqlite3.set-aside-2-wal"), "two");
        assert_eq!(names(&folder).len(), 6);
    }

    #[test]
    fn nothing_stays_of_the_store_of_an_account_that_is_removed() {
        let (folder, store) = sound();
        let backup = OwnBackup::of(store.clone());
        backup.renew(now()).unwrap();
        note_damage(&store).unwrap();
        for ending in ["-wal", ".set-aside-1", ".set-aside-1-backup"] {
            fs::write(beside(&store, ending), "messages").unwrap();
        }
        fs::write(folder.path().join("window.ron"), "()").unwrap();
        backup.remove_store().unwrap();
        assert_eq!(names(&folder), ["messages.sqlite3.lock", "window.ron"]);
        backup.remove_store().unwrap();
        backup.renew(now()).unwrap();
        assert_eq!(made_at(&store), None, "and no backup is made of it");
    }

    #[test]
    fn damage_is_said_at_one_start() {
        let (_folder, store) = sound();
        assert!(!take_damage(&store).unwrap());
        note_damage(&store).unwrap();
        assert!(take_damage(&store).unwrap());
        assert!(!take_damage(&store).unwrap());
    }

    #[test]
    fn without_a_backup_nothing_is_touched() {
        let (folder, store) = sound();
        let before = names(&folder);
        assert_eq!(restore(&store).unwrap_err().kind(), ErrorKind::NotFound);
        OwnBackup::of(store).remove().unwrap();
        assert_eq!(names(&folder), before);
    }

    #[test]
    fn once_messages_are_deleted_there_is_none_until_the_next_start() {
        let (_folder, store) = sound();
        let backup = OwnBackup::of(store.clone());
        backup.renew(now()).unwrap();
        backup.remove().unwrap();
        backup.renew(now()).unwrap();
        assert_eq!(made_at(&store), None);
        OwnBackup::of(store.clone()).renew(now()).unwrap();
        assert!(made_at(&store).is_some());
    }
}
