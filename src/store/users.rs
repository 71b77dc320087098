//! The users of a proxy, which commands change while the proxy runs or not (W30).
//!
//! **Invariant:** the running proxy's lock is not touched, and it notices a change by itself.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::limits::{BLOCKED_PER_USER_MAX, USERS_MAX};
use crate::proxy::journal::{AliasRow, UserRow};
use crate::sip::Aor;
use crate::sip::digest::{Algorithm, Ha1};
use crate::store::outside::{change, open_beside};
use crate::store::served::{self, Doubt, doubts_about};
use crate::store::{OpenError, proxy_rows};

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// Opening the store.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The user exists already.
    #[error("{0} is a user already; to change the password, use: fanfare proxy user passwd {0}")]
    Known(Aor),
    /// There is no such user.
    #[error("{0} is not a user of this proxy")]
    Unknown(Aor),
    /// The sender was not blocked.
    #[error("{user} has not blocked {sender}")]
    NotBlocked {
        /// The user who would have blocked the sender.
        user: Aor,
        /// The sender.
        sender: Aor,
    },
    /// A list has this address, so messages to the user would go to its members.
    #[error("{0} is a list or an alias; remove it first with: fanfare proxy alias remove {0}")]
    List(Aor),
    /// Messages are waiting and would be lost.
    #[error(
        "{} for {user}; to remove the user anyway, add --purge: what waits fails, and its senders are told",
        waiting(*count)
    )]
    Waiting {
        /// The user to be removed.
        user: Aor,
        /// How many messages wait.
        count: usize,
    },
    /// A limit is reached.
    #[error("there is no room: the limit is {0}")]
    Full(String),
}

/// Whether to remove a user even if messages are waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purge {
    /// Yes: the messages fail.
    Yes,
    /// No: the user stays.
    No,
}

/// What is removed with a user, now or as soon as the proxy notices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Messages that were waiting.
    pub messages: usize,
    /// Registrations.
    pub bindings: usize,
    /// Remembered devices.
    pub devices: usize,
    /// Where the user is still mentioned.
    pub doubts: Vec<Doubt>,
}

/// The users in the store of a proxy.
#[derive(Debug)]
pub struct Users {
    connection: Connection,
    path: PathBuf,
}

impl Users {
    /// Opens a proxy's store. If no proxy uses it, it is created or migrated where needed.
    ///
    /// # Errors
    /// A sentence about what is wrong with the place or the file.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Ok(Self { connection: open_beside(path)?, path: path.to_owned() })
    }

    /// Takes these domains for the ones served if the proxy has never started; no domain says nothing.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn expect_served(&self, domains: &[String]) -> Result<(), UsersError> {
        Ok(served::expect(&self.connection, domains).map_err(|error| self.failed(error))?)
    }

    /// All users, by address.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn list(&self) -> Result<Vec<UserRow>, UsersError> {
        Ok(proxy_rows::users(&self.connection).map_err(|error| self.failed(error))?)
    }

    /// True if there is nobody, however many there may be.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_empty(&self) -> Result<bool, UsersError> {
        let sql = "SELECT NOT EXISTS (SELECT 1 FROM user)";
        Ok(self.connection.query_row(sql, [], |row| row.get(0)).map_err(|error| self.failed(error))?)
    }

    /// Adds a user; returns warnings about possible mistakes.
    ///
    /// # Errors
    /// The user exists, a list has the address, a limit is reached, or the change is not on the disk.
    pub fn add(&mut self, user: &Aor, password: &str) -> Result<Vec<Doubt>, UsersError> {
        self.change(|change| {
            if is_known(change, user)? {
                return Ok(Err(UsersError::Known(user.clone())));
            }
            if count(change, "SELECT count(*) FROM alias WHERE alias = ?1", [user.as_str()])? > 0 {
                return Ok(Err(UsersError::List(user.clone())));
            }
            if count(change, "SELECT count(*) FROM user", [])? >= USERS_MAX {
                return Ok(Err(UsersError::Full(format!("{USERS_MAX} users"))));
            }
            let (sha256, md5) = hashes(user, password);
            let sql = "INSERT INTO user (aor, sha256, md5) VALUES (?1, ?2, ?3)";
            change.execute(sql, params![user.as_str(), sha256.hex(), md5.hex()])?;
            doubts_about(change, user).map(Ok)
        })
    }

    /// Changes a user's password, and signs out the user's devices: whoever knows the former password may have registered
    /// them. A running proxy does so when it notices, which also ends what it registers until then. Returns how many
    /// registrations were in the store.
    ///
    /// # Errors
    /// There is no such user, or the change is not on the disk.
    pub fn set_password(&mut self, user: &Aor, password: &str) -> Result<usize, UsersError> {
        let (sha256, md5) = hashes(user, password);
        self.change(|change| {
            let sql = "UPDATE user SET sha256 = ?2, md5 = ?3 WHERE aor = ?1";
            let changed = change.execute(sql, params![user.as_str(), sha256.hex(), md5.hex()])?;
            if changed == 0 {
                return Ok(Err(UsersError::Unknown(user.clone())));
            }
            change.execute("INSERT INTO removed (aor, what) VALUES (?1, 'bindings')", [user.as_str()])?;
            proxy_rows::unbind_all(change, user).map(Ok)
        })
    }

    /// Removes a user, together with everything that the next owner of the address would otherwise get. A running proxy
    /// drops its own state and the waiting messages when it notices; one that is not running does so at its start,
    /// before it delivers anything.
    ///
    /// # Errors
    /// There is no such user, messages are waiting and must not be lost, or the change is not on the disk.
    pub fn remove(&mut self, user: &Aor, purge: Purge) -> Result<Removal, UsersError> {
        self.change(|change| {
            let messages = proxy_rows::waiting_for(change, user)?;
            if messages > 0 && purge == Purge::No {
                return Ok(Err(UsersError::Waiting { user: user.clone(), count: messages }));
            }
            let of = [user.as_str()];
            if change.execute("DELETE FROM user WHERE aor = ?1", of)? == 0 {
                return Ok(Err(UsersError::Unknown(user.clone())));
            }
            change.execute("INSERT INTO removed (aor, what) VALUES (?1, 'user')", of)?;
            Ok(Ok(Removal {
                messages,
                bindings: count(change, "SELECT count(*) FROM binding WHERE aor = ?1", of)?,
                devices: count(change, "SELECT count(*) FROM device WHERE aor = ?1", of)?,
                doubts: lists_with(change, user)?,
            }))
        })
    }

    /// Blocks `sender` for `user`; a sender without a user part means the whole domain.
    ///
    /// # Errors
    /// There is no such user, a limit is reached, or the change is not on the disk.
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

    /// Unblocks `sender` for `user`.
    ///
    /// # Errors
    /// The sender was not blocked, or the change is not on the disk.
    pub fn unblock(&mut self, user: &Aor, sender: &Aor) -> Result<(), UsersError> {
        self.change(|change| {
            let sql = "DELETE FROM block WHERE aor = ?1 AND sender = ?2";
            let changed = change.execute(sql, [user.as_str(), sender.as_str()])?;
            let missing = || UsersError::NotBlocked { user: user.clone(), sender: sender.clone() };
            Ok(if changed == 0 { Err(missing()) } else { Ok(()) })
        })
    }

    fn change<T>(
        &mut self,
        act: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Result<T, UsersError>>,
    ) -> Result<T, UsersError> {
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

fn waiting(count: usize) -> String {
    if count == 1 { "1 message waits".to_owned() } else { format!("{count} messages wait") }
}

/// The lists that still lead to a user.
fn lists_with(connection: &Connection, user: &Aor) -> rusqlite::Result<Vec<Doubt>> {
    let is_member = |row: &AliasRow| row.members.iter().any(|member| member.aor() == *user);
    let rows = proxy_rows::aliases(connection)?.into_iter().filter(is_member);
    Ok(rows.map(|row| Doubt::StillMember { list: row.alias, user: user.clone() }).collect())
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
    use crate::store::aliases::Aliases;
    use crate::store::outside::Watch;
    use crate::store::served::note_served;
    use crate::store::tables::{Changes, Outside};
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
        // Computed with: printf %s james:domain.com:sesame | md5sum, and sha256sum.
        assert_eq!(james.md5.hex(), "2e33f8c8454ef0d620f610875ee445b4");
        assert_eq!(james.sha256.hex(), "8430d4e6a620f8ce74b5ead48b7102beadc1a2891a95696576d520247fbaae1e");
        let bytes = std::fs::read(&path).unwrap();
        assert!(memchr::memmem::find(&bytes, b"sesame").is_none());
        users.set_password(&aor("james@domain.com"), "other").unwrap();
        assert_ne!(users.list().unwrap()[0].md5, james.md5);
        users.remove(&aor("james@domain.com"), Purge::No).unwrap();
        assert!(users.list().unwrap().is_empty());
        let refused = users.remove(&aor("james@domain.com"), Purge::Yes).unwrap_err();
        assert_eq!(refused.to_string(), "james@domain.com is not a user of this proxy");
        let refused = users.set_password(&aor("james@domain.com"), "x").unwrap_err();
        assert_eq!(refused.to_string(), "james@domain.com is not a user of this proxy");
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
            |users: &mut Users| users.set_password(&aor("ann@domain.com"), "y").map(drop),
            |users: &mut Users| users.block(&aor("ann@domain.com"), &aor("eve@elsewhere.com")),
            |users: &mut Users| users.unblock(&aor("ann@domain.com"), &aor("eve@elsewhere.com")),
            |users: &mut Users| users.remove(&aor("ann@domain.com"), Purge::No).map(drop),
        ] {
            change(&mut users).unwrap();
            assert!(watch.changed().unwrap().is_some());
            assert_eq!(watch.changed().unwrap(), None);
        }
        // A refused change is not reported as a change.
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
        users.remove(&ann, Purge::No).unwrap();
        users.add(&ann, "x").unwrap();
        assert_eq!(users.list().unwrap()[0].blocked, []);
        let refusal = users.unblock(&ann, &eve).unwrap_err().to_string();
        assert_eq!(refusal, "ann@domain.com has not blocked eve@elsewhere.com");
    }

    #[test]
    fn w30_an_address_is_a_user_or_a_list_and_never_both() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.sqlite3");
        let (mut users, mut lists) = (Users::open(&path).unwrap(), Aliases::open(&path).unwrap());
        users.add(&aor("ann@d.com"), "x").unwrap();
        let member = [crate::sip::Uri::parse("sip:eve@d.com").unwrap()];
        let refusal = lists.add(&aor("ann@d.com"), &member).unwrap_err().to_string();
        assert_eq!(
            refusal,
            "ann@d.com is a user, and messages to that user would go to the list; remove the user first with: fanfare proxy \
             user remove ann@d.com"
        );
        lists.add(&aor("team@d.com"), &member).unwrap();
        let refusal = users.add(&aor("team@d.com"), "x").unwrap_err().to_string();
        assert_eq!(
            refusal,
            "team@d.com is a list or an alias; remove it first with: fanfare proxy alias remove team@d.com"
        );
        assert_eq!((users.list().unwrap().len(), lists.list().unwrap().len()), (1, 1));
    }

    #[test]
    fn w30_what_may_be_a_mistake_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.sqlite3");
        let (mut users, mut lists) = (Users::open(&path).unwrap(), Aliases::open(&path).unwrap());
        let uris = |texts: &[&str]| -> Vec<_> {
            texts.iter().map(|text| crate::sip::Uri::parse(text).unwrap()).collect()
        };
        // Before the first start the served domains are unknown, and without users every address is accepted.
        assert_eq!(users.add(&aor("ann@elsewhere.com"), "x").unwrap(), []);
        users.remove(&aor("ann@elsewhere.com"), Purge::No).unwrap();
        note_served(&Store::open(&path).unwrap(), &["D.com:5070".to_owned(), "e.com".to_owned()]);
        assert_eq!(lists.add(&aor("team@d.com"), &uris(&["sip:nobody@d.com"])).unwrap(), []);

        assert_eq!(users.add(&aor("ann@d.com"), "x").unwrap(), []);
        let doubts = users.add(&aor("ann@f.com"), "x").unwrap();
        assert_eq!(
            doubts.iter().map(ToString::to_string).collect::<Vec<_>>(),
            [
                "this proxy does not serve the domain of ann@f.com (it serves d.com, e.com), so nothing will reach that address"
            ]
        );
        let members = uris(&["im:ann@d.com", "sip:team@d.com", "sip:bob@d.com", "sip:cy@else.org"]);
        let doubts = lists.add(&aor("all@f.com"), &members).unwrap();
        assert_eq!(
            doubts,
            [
                Doubt::NotServed {
                    address: aor("all@f.com"),
                    served: vec!["d.com".to_owned(), "e.com".to_owned()]
                },
                Doubt::Nobody(aor("bob@d.com")),
            ]
        );
        let said = |doubts: Vec<Doubt>| doubts.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            said(users.add(&aor("Ann@d.com"), "x").unwrap()),
            [
                "Ann@d.com and ann@d.com are different addresses, because upper and lower case differ before the @; people \
                 may take one for the other"
            ]
        );
        assert_eq!(
            said(lists.add(&aor("TEAM@d.com"), &uris(&["sip:ann@d.com"])).unwrap()),
            [
                "TEAM@d.com and team@d.com are different addresses, because upper and lower case differ before the @; \
                 people may take one for the other"
            ]
        );
        assert_eq!(
            said(users.add(&aor("x%E2%80%AEy@d.com"), "x").unwrap()),
            [
                "the address contains characters that nobody can see, shown here by their codes: x⟨U+202E⟩y@d.com"
            ]
        );
        assert_eq!(
            said(users.add(&aor("*@d.com"), "x").unwrap()),
            ["the * in *@d.com stands for no other characters: this is a single address"]
        );
        let removal = users.remove(&aor("ann@d.com"), Purge::No).unwrap();
        let still = |list: &str| Doubt::StillMember { list: aor(list), user: aor("ann@d.com") };
        assert_eq!(removal.doubts, [still("TEAM@d.com"), still("all@f.com")]);
    }
}
