//! Who has an account at the hosted server, and whom they block.

use super::super::HostError;
use super::super::process::store_folder;
use super::super::settings::{label, password};
use super::Keeper;
use crate::model::hosting::HandedOut;
use crate::random::Random;
use crate::runtime::server::store_in;
use crate::sip::Aor;
use crate::store::users::{Users, UsersError};

impl Keeper {
    pub(super) fn users(&self) -> Result<Users, HostError> {
        Ok(Users::open(&store_in(&store_folder(&self.folder)))?)
    }

    /// Gives somebody an account; the running proxy notices by itself.
    pub(super) fn add(&self, name: &str) -> Result<HandedOut, HostError> {
        let (domain, server, sha256) =
            self.view(|view| (view.domain.clone(), view.server.clone(), view.sha256.clone()));
        let address = format!("{}@{domain}", label(name)?);
        let user = Aor::parse(&address).ok_or_else(|| HostError::NoName(name.to_owned()))?;
        let password = password(&mut Random::from_os()?);
        match self.users()?.add(&user, &password) {
            Err(UsersError::Known(user)) => return Err(HostError::Known(user.to_string())),
            added => added.map(drop)?,
        }
        let name = name.trim().to_owned();
        Ok(HandedOut { name, address, password, server, domain, sha256 })
    }

    /// The running proxy notices by itself.
    pub(super) fn block(&self, user: &Aor, sender: &Aor, is_blocked: bool) -> Result<(), HostError> {
        let mut users = self.users()?;
        match if is_blocked { users.block(user, sender) } else { users.unblock(user, sender) } {
            Err(UsersError::NotBlocked { .. }) => Ok(()),
            done => Ok(done?),
        }
    }

    pub(super) fn show_people(&self) -> Result<(), HostError> {
        if self.view(|view| view.domain.is_empty()) {
            return Ok(());
        }
        let users = self.users()?.list()?;
        let people = users.iter().map(|user| user.aor.to_string());
        self.change(|view| view.people = people.collect());
        Ok(())
    }
}
