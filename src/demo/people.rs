//! The simulated people, on a separate thread: each has a socket, and is on the wire like anybody else.

use std::future::pending;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use super::{DOMAIN, DemoError};
use crate::injection::{Answer, Conduct, Sent};
use crate::model::contacts::Contact;
use crate::net::Net;
use crate::person::{Person, PersonEvent, Script};
use crate::random::Random;
use crate::runtime::Shell;
use crate::sip::{Transport, Uri};
use crate::time::Clock;

/// A person who could not register within this time is left out.
const REGISTRATION_WAIT: Duration = Duration::from_secs(5);

const USUAL: Answer = Answer { sent: Sent::Usual, dropped: 0, late: Duration::ZERO, is_double: false };

const fn sends(sent: Sent) -> Conduct {
    Conduct::Answers(Answer { sent, ..USUAL })
}

/// Name, user part, behavior, replies.
const CAST: [(&str, &str, Conduct, &[&str]); 6] = [
    ("Always Ann", "ann", Conduct::Answers(USUAL), &["I am in!", "Sounds good.", "Shall I bring something?"]),
    ("Offline Ben", "ben", Conduct::Offline, &[]),
    (
        "Slow Cy",
        "cy",
        Conduct::Answers(Answer { dropped: 3, ..USUAL }),
        &["Sorry, slow line here. Yes!", "Got it."],
    ),
    ("Wrong-Address Dana", "dana", sends(Sent::Status(404)), &[]),
    ("Busy Eli", "eli", sends(Sent::Status(486)), &[]),
    ("Silent Fay", "fay", sends(Sent::Nothing), &[]),
];

/// The address of the user who writes.
pub(super) fn writer() -> String {
    format!("sip:james@{DOMAIN}")
}

/// The simulated people; they leave when this is dropped.
#[derive(Debug)]
pub(super) struct People {
    scripts: Vec<Script>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl People {
    /// Makes them register at the proxy, and waits for it.
    pub(super) fn start(proxy: SocketAddr) -> Result<Self, DemoError> {
        let scripts = scripts()?;
        let online = scripts.iter().filter(|script| script.conduct != Conduct::Offline).count();
        let (stop, stopped) = oneshot::channel();
        let (registered, mut arrivals) = mpsc::channel(CAST.len());
        let cast = scripts.clone();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("demo-people".to_owned()).spawn(move || {
            let local = LocalSet::new();
            for script in cast {
                local.spawn_local(play(script, proxy, registered.clone()));
            }
            // This also stops them if the starter is gone.
            local.block_on(&runtime, async { drop(stopped.await) });
        })?;
        let people = Self { scripts, stop: Some(stop), thread: Some(thread) };
        let waiter = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        waiter.block_on(async {
            let everybody = async {
                for _ in 0..online {
                    arrivals.recv().await;
                }
            };
            tokio::time::timeout(REGISTRATION_WAIT, everybody).await.map_err(|_late| DemoError::NotRegistered)
        })?;
        Ok(people)
    }

    /// The people as contacts, marked as simulated.
    pub(super) fn contacts(&self) -> Vec<Contact> {
        let contact = |script: &Script| Contact {
            address: script.address.as_str().to_owned(),
            name: script.name.clone(),
            simulated: true,
        };
        self.scripts.iter().map(contact).collect()
    }
}

impl Drop for People {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the simulated people ended by a panic");
        }
    }
}

fn scripts() -> Result<Vec<Script>, DemoError> {
    let replies_to = Uri::parse(&writer())?;
    let script = |(name, user, conduct, replies): &(&str, &str, Conduct, &[&str])| {
        Ok(Script {
            address: Uri::parse(&format!("sip:{user}@{DOMAIN}"))?,
            name: (*name).to_owned(),
            conduct: *conduct,
            replies: replies.iter().map(|text| (*text).to_owned()).collect(),
            replies_to: replies_to.clone(),
        })
    };
    CAST.iter().map(script).collect()
}

/// Plays one person until its task is dropped.
async fn play(script: Script, proxy: SocketAddr, registered: mpsc::Sender<()>) {
    let name = script.name.clone();
    if let Err(error) = act(script, proxy, registered).await {
        tracing::warn!(%error, name, "a simulated person cannot take part");
    }
}

async fn act(script: Script, proxy: SocketAddr, registered: mpsc::Sender<()>) -> Result<(), DemoError> {
    let net = Net::bind(&[(Transport::Udp, SocketAddr::from(([127, 0, 0, 1], 0)))]).await?;
    let local = net.locals().first().map(|(_, address)| *address).ok_or(DemoError::NoSocket)?;
    let clock = Clock::start();
    let mut person = Person::new(script, local, proxy, Random::from_os()?, clock.now());
    let mut shell = Shell::without_store(net, clock);
    let mut on_event = |event: PersonEvent| {
        tracing::debug!(?event, "person");
        if event == PersonEvent::Registered {
            // Only the first registration counts; afterwards nobody listens.
            registered.try_send(()).ok();
        }
    };
    loop {
        shell.turn(&mut person, &mut on_event, pending::<()>()).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_of_the_cast_has_an_address_and_is_marked_as_simulated() {
        let people = People { scripts: scripts().unwrap(), stop: None, thread: None };
        let contacts = people.contacts();
        assert_eq!(contacts.len(), CAST.len());
        assert!(
            contacts.iter().all(|contact| contact.simulated && contact.address.ends_with("@demo.example"))
        );
    }
}
