//! The users of a proxy: changed from outside, while the proxy runs or not (W30).
//!
//! **Invariant:** the running proxy's lock is not touched, and it sees a change by itself.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::limits::{BLOCKED_PER_USER_MAX, USERS_MAX};
use crate::proxy::journal::UserRow;
use crate::sip::Aor;
use crate::sip::digest::{Algorithm, Ha1};
use crate::store::outside::{change, open_beside};
use crate::store::{OpenError, proxy_rows};

/// A change that was not made.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// The store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Added twice.
    #[error("{0} is a user already; give a new password with: fanfare proxy user passwd")]
    Known(Aor),
    /// Not there.
    #[error("{0} is no user of this proxy")]
    Unknown(Aor),
    /// Unblocked without having been blocked.
    #[error("{sender} was not blocked for {user}")]
    NotBlocked {
        /// Who does not want it.
        user: Aor,
        /// From whom.
        sender: Aor,
    },
    /// There is no room.
    #[error("{0} are the most")]
    Full(String),
}

/// The users in the store of a proxy.
#[derive(Debug)]
pub struct Users {
    connection: Connection,
    path: PathBuf,
}

impl Users {
    /// Opens the store of a proxy; it is made, or brought up to date, where that is needed and no proxy uses it.
    ///
    /// # Errors
    /// A sentence about what is wrong with the place or the file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { connection: open_beside(path)?, path: path.to_owned() })
    }

    /// All of them, by address.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<UserRow>, UsersError> {
        Ok(proxy_rows::users(&self.connection).map_err(|error| self.failed(error))?)
    }

    /// Adds somebody.
    ///
    /// # Errors
    /// He is there already, there is no room, or it is not on the disk.
    pub fn add(&mut self, user: &Aor, password: &str) -> Result<(), UsersError> {
        self.change(|change| {
            if is_known(change, user)? {
                return Ok(Err(UsersError::Known(user.clone())));
            }
            if count(change, "SELECT count(*) FROM user", [])? >= USERS_MAX {
                return Ok(Err(UsersError::Full(format!("{USERS_MAX} users"))));
            }
            let (sha256, md5) = hashes(user, password);
            let sql = "INSERT INTO user (aor, sha256, md5) VALUES (?1, ?2, ?3)";
            change.execute(sql, params![user.as_str(), sha256.hex(), md5.hex()])?;
            Ok(Ok(()))
        })
    }

    /// Gives somebody another password.
    ///
    /// # Errors
    /// He is not there, or it is not on the disk.
    pub fn set_password(&mut self, user: &Aor, password: &str) -> Result<(), UsersError> {
        let (sha256, md5) = hashes(user, password);
        self.change(|change| {
            let sql = "UPDATE user SET sha256 = ?2, md5 = ?3 WHERE aor = ?1";
            let changed = change.execute(sql, params![user.as_str(), sha256.hex(), md5.hex()])?;
            Ok(if changed == 0 { Err(UsersError::Unknown(user.clone())) } else { Ok(()) })
        })
    }

    /// Takes somebody out.
    ///
    /// # Errors
    /// He is not there, or it is not on the disk.
    pub fn remove(&mut self, user: &Aor) -> Result<(), UsersError> {
        self.change(|change| {
            let changed = change.execute("DELETE FROM user WHERE aor = ?1", [user.as_str()])?;
            Ok(if changed == 0 { Err(UsersError::Unknown(user.clone())) } else { Ok(()) })
        })
    }

    /// Nothing of `sender` goes to `user` any more; one without a user stands for its whole domain.
    ///
    /// # Errors
    /// There is no such user, there is no room, or it is not on the disk.
    pub fn block(&mut self, user: &Aor, sender: &Aor) -> Result<(), UsersError> {
        self.change(|change| {
            if !is_known(change, user)? {
                return Ok(Err(UsersError::Unknown(user.clone())));
            }
            let sql = "SELECT count(*) FROM block WHERE aor = ?1";
            if count(change, sql, [user.as_str()])? >= BLOCKED_PER_USER_MAX {
                return Ok(Err(UsersError::Full(format!("{BLOCKED_PER_USER_MAX} blocked senders"))));
            }
            let sql = "INSERT OR IGNORE INTO block (aor, sender) VALUES (?1, ?2)";
            change.execute(sql, [user.as_str(), sender.as_str()])?;
            Ok(Ok(()))
        })
    }

    /// What `sender` writes goes to `user` again.
    ///
    /// # Errors
    /// It was not blocked, or it is not on the disk.
    pub fn unblock(&mut self, user: &Aor, sender: &Aor) -> Result<(), UsersError> {
        self.change(|change| {
            let sql = "DELETE FROM block WHERE aor = ?1 AND sender = ?2";
            let changed = change.execute(sql, [user.as_str(), sender.as_str()])?;
            let missing = || UsersError::NotBlocked { user: user.clone(), sender: sender.clone() };
            Ok(if changed == 0 { Err(missing()) } else { Ok(()) })
        })
    }

    fn change(
        &mut self,
        act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<(), UsersError>>,
    ) -> Result<(), UsersError> {
        change(&mut self.connection, &self.path, act)
    }

    fn failed(&self, error: rusqlite::Error) -> OpenError {
        OpenError { path: self.path.clone(), kind: error.into() }
    }
}

/// Both hashes of a password (RFC 8760: SHA-256, and MD5 for old clients).
#[must_use]
pub fn hashes(user: &Aor, password: &str) -> (Ha1, Ha1) {
    let of = |algorithm| Ha1::new(algorithm, user.user(), user.domain(), password);
    (of(Algorithm::Sha256), of(Algorithm::Md5))
}

fn is_known(connection: &Connection, user: &Aor) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM user WHERE aor = ?1";
    Ok(connection.query_row(sql, [user.as_str()], |_| Ok(())).optional()?.is_some())
}

fn count(connection: &Connection, sql: &str, of: impl rusqlite::Params) -> rusqlite::Result<usize> {
    let count: u32 = connection.query_row(sql, of, |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::outside::{Outside, Watch};
    use crate::store::{ProxySchema, Store};

    fn aor(text: &str) -> Aor {
        Aor::parse(text).unwrap()
    }

    #[test]
    fn users_are_kept_as_hashes_that_coreutils_compute_alike() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made").join("proxy.sqlite3");
        let mut users = Users::open(&path).unwrap();
        users.add(&aor("james@domain.com"), "sesame").unwrap();
        let again = users.add(&aor("james@domain.com"), "other").unwrap_err().to_string();
        assert!(again.starts_with("james@domain.com is a user already"), "{again}");
        let [james] = users.list().unwrap().try_into().unwrap();
        // printf %s james:domain.com:sesame | md5sum, and sha256sum.
        assert_eq!(james.md5.hex(), "2e33f8c8454ef0d620f610875ee445b4");
        assert_eq!(james.sha256.hex(), "8430d4e6a620f8ce74b5ead48b7102beadc1a2891a95696576d520247fbaae1e");
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"sesame"));
        users.set_password(&aor("james@domain.com"), "other").unwrap();
        assert_ne!(users.list().unwrap()[0].md5, james.md5);
        users.remove(&aor("james@domain.com")).unwrap();
        assert!(users.list().unwrap().is_empty());
        for refused in
            [users.remove(&aor("james@domain.com")), users.set_password(&aor("james@domain.com"), "x")]
        {
            assert_eq!(refused.unwrap_err().to_string(), "james@domain.com is no user of this proxy");
        }
    }

    #[test]
    fn what_is_changed_while_the_proxy_has_the_store_is_seen_by_it_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.sqlite3");
        let running = Store::<ProxySchema>::open(&path).unwrap();
        let mut watch = Watch::new(&path).unwrap();
        assert_eq!(watch.changed().unwrap(), Some(Outside::default()));
        assert_eq!(watch.changed().unwrap(), None);
        let mut users = Users::open(&path).unwrap();
        users.add(&aor("ann@domain.com"), "x").unwrap();
        let seen = watch.changed().unwrap().unwrap();
        assert_eq!((seen.users.len(), watch.changed().unwrap()), (1, None));
        for change in [
            |users: &mut Users| users.set_password(&aor("ann@domain.com"), "y"),
            |users: &mut Users| users.block(&aor("ann@domain.com"), &aor("eve@elsewhere.com")),
            |users: &mut Users| users.unblock(&aor("ann@domain.com"), &aor("eve@elsewhere.com")),
            |users: &mut Users| users.remove(&aor("ann@domain.com")),
        ] {
            change(&mut users).unwrap();
            assert!(watch.changed().unwrap().is_some());
            assert_eq!(watch.changed().unwrap(), None);
        }
        // A change that is refused is none.
        users.block(&aor("ann@domain.com"), &aor("eve@elsewhere.com")).unwrap_err();
        assert_eq!(watch.changed().unwrap(), None);
        assert_eq!(running.load().unwrap().users, []);
    }

    #[test]
    fn who_is_taken_out_takes_his_blocks_along() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.sqlite3");
        let mut users = Users::open(&path).unwrap();
        let (ann, eve) = (aor("ann@domain.com"), aor("eve@elsewhere.com"));
        users.add(&ann, "x").unwrap();
        users.block(&ann, &eve).unwrap();
        users.block(&ann, &eve).unwrap();
        assert_eq!(users.list().unwrap()[0].blocked, std::slice::from_ref(&eve));
        users.remove(&ann).unwrap();
        users.add(&ann, "x").unwrap();
        assert_eq!(users.list().unwrap()[0].blocked, []);
        let refusal = users.unblock(&ann, &eve).unwrap_err().to_string();
        assert_eq!(refusal, "eve@elsewhere.com was not blocked for ann@domain.com");
    }
}
