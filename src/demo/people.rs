//! The simulated people, on a separate thread: each has a socket, and is on the wire like anybody else.

use std::future::pending;
use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use super::{DOMAIN, DemoError};
use crate::injection::{
    nearest, {Answer, Conduct, Injection, Sent},
};
use crate::machine::Input;
use crate::model::contacts::Contact;
use crate::net::Net;
use crate::person::{PersonCommand, PersonEvent, Script, ScriptedPerson};
use crate::random::Random;
use crate::runtime::Shell;
use crate::sip::{Transport, Uri};
use crate::time::Clock;

/// A person who could not register within this time is left out.
const REGISTRATION_WAIT: Duration = Duration::from_secs(5);

/// Orders to one person that have not been heard yet.
const ORDERS_MAX: usize = 16;

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

/// Tells the people how to behave.
#[derive(Clone, Debug)]
pub(super) struct Director(Vec<(Script, mpsc::Sender<Conduct>)>);

impl Director {
    /// Tells one of them; what is usual is what that person does in the demo.
    pub(super) fn direct(&self, name: &str, conduct: Conduct) -> Result<(), String> {
        let Some((script, orders)) = self.0.iter().find(|(script, _)| is_called(script, name)) else {
            let users: Vec<_> = CAST.iter().map(|(_, user, _, _)| *user).collect();
            let near = nearest(name, users.iter().copied());
            let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
            return Err(format!(
                "nobody in the demo is called {name:?}; there are {}{near}",
                users.join(", ")
            ));
        };
        let conduct = if conduct == Conduct::default() { script.conduct } else { conduct };
        orders.try_send(conduct).map_err(|_full| format!("{name} cannot be told now; try again"))
    }
}

fn is_called(script: &Script, name: &str) -> bool {
    script.address.user().is_some_and(|user| user.eq_ignore_ascii_case(name))
}

/// The simulated people; they leave when this is dropped.
#[derive(Debug)]
pub(super) struct People {
    scripts: Vec<Script>,
    director: Director,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl People {
    /// Makes them register at the proxy, and waits for it. Those of whom there is a fault behave so from the beginning.
    pub(super) fn start(proxy: SocketAddr, faults: &[Injection]) -> Result<Self, DemoError> {
        let scripts = scripts()?;
        let cast: Vec<_> = scripts.iter().map(|script| faulty(script, faults)).collect();
        let online = cast.iter().filter(|script| script.conduct != Conduct::Offline).count();
        let (stop, stopped) = oneshot::channel();
        let (registered, mut arrivals) = mpsc::channel(CAST.len());
        let (directed, orders): (Vec<_>, Vec<_>) = scripts
            .iter()
            .map(|script| {
                let (tell, told) = mpsc::channel(ORDERS_MAX);
                ((script.clone(), tell), told)
            })
            .unzip();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("demo-people".to_owned()).spawn(move || {
            let local = LocalSet::new();
            for (script, orders) in cast.into_iter().zip(orders) {
                local.spawn_local(play(script, proxy, registered.clone(), orders));
            }
            // This also stops them if the starter is gone.
            local.block_on(&runtime, async { drop(stopped.await) });
        })?;
        let director = Director(directed);
        let people = Self { scripts, director, stop: Some(stop), thread: Some(thread) };
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

    /// Whoever tells them how to behave.
    pub(super) fn director(&self) -> Director {
        self.director.clone()
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

/// The script of somebody as the latest fault of that person wants it.
fn faulty(script: &Script, faults: &[Injection]) -> Script {
    let conduct = faults.iter().rev().find_map(|fault| match fault {
        Injection::Person { name, conduct } if is_called(script, name) => Some(*conduct),
        Injection::Person { .. }
        | Injection::Path { .. }
        | Injection::Proxy(_)
        | Injection::Disk { .. }
        | Injection::Clock { .. } => None,
    });
    match conduct.filter(|conduct| *conduct != Conduct::default()) {
        Some(conduct) => Script { conduct, ..script.clone() },
        None => script.clone(),
    }
}

/// Plays one person until its task is dropped.
async fn play(
    script: Script,
    proxy: SocketAddr,
    registered: mpsc::Sender<()>,
    orders: mpsc::Receiver<Conduct>,
) {
    let name = script.name.clone();
    if let Err(error) = act(script, proxy, registered, orders).await {
        tracing::warn!(%error, name, "a simulated person cannot take part");
    }
}

async fn act(
    script: Script,
    proxy: SocketAddr,
    registered: mpsc::Sender<()>,
    mut orders: mpsc::Receiver<Conduct>,
) -> Result<(), DemoError> {
    let net = Net::bind(&[(Transport::Udp, SocketAddr::from(([127, 0, 0, 1], 0)))]).await?;
    let local = net.locals().first().map(|(_, address)| *address).ok_or(DemoError::NoSocket)?;
    let clock = Clock::start();
    let mut person = ScriptedPerson::new(script, local, proxy, Random::from_os()?, clock.now());
    let mut shell = Shell::without_store(net, clock);
    let mut on_event = |event: PersonEvent| {
        tracing::debug!(?event, "person");
        if event == PersonEvent::Registered {
            // Only the first registration counts; afterwards nobody listens.
            registered.try_send(()).ok();
        }
    };
    loop {
        let order = async {
            match orders.recv().await {
                Some(conduct) => conduct,
                // Whoever directs has left: the person goes on until the task is dropped.
                None => pending().await,
            }
        };
        if let Some(conduct) = shell.turn(&mut person, &mut on_event, order).await? {
            shell.give(&mut person, Input::Command(PersonCommand::Behave(conduct)), &mut on_event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_of_the_cast_has_an_address_and_is_marked_as_simulated() {
        let people =
            People { scripts: scripts().unwrap(), director: Director(Vec::new()), stop: None, thread: None };
        let contacts = people.contacts();
        assert_eq!(contacts.len(), CAST.len());
        assert!(
            contacts.iter().all(|contact| contact.simulated && contact.address.ends_with("@demo.example"))
        );
    }

    #[test]
    fn a_person_is_told_by_the_user_part_and_the_usual_is_what_the_demo_has() {
        let (tell, mut told) = mpsc::channel(2);
        let ben = scripts().unwrap().swap_remove(1);
        let director = Director(vec![(ben.clone(), tell)]);
        let busy = sends(Sent::Status(486));
        assert_eq!(director.direct("Ben", busy), Ok(()));
        assert_eq!(director.direct("ben", Conduct::default()), Ok(()));
        assert_eq!((told.try_recv(), told.try_recv()), (Ok(busy), Ok(Conduct::Offline)));
        let nobody = "nobody in the demo is called \"bob\"; there are ann, ben, cy, dana, eli, fay";
        assert_eq!(director.direct("bob", busy), Err(nobody.to_owned()));
        let fault = |text: &str| crate::injection::read(text).unwrap().swap_remove(0);
        assert_eq!(faulty(&ben, &[fault("ben:silent"), fault("ann:404"), fault("ben:486")]).conduct, busy);
        assert_eq!(faulty(&ben, &[fault("ben:486"), fault("ben:usual")]).conduct, Conduct::Offline);
    }
}
