//! The kinds of machine that a host can run, and what they ask of their world; one interface for all three.

use std::convert::Infallible;
use std::fmt::Debug;
use std::net::SocketAddr;

use super::disk::NoStore;
use crate::client::{AgentConfig, UserAgent};
use crate::machine::{BatchId, ConnectId, Hop, Input, Machine, ResolveId, Transmit};
use crate::model::command::Event;
use crate::person::{PersonEvent, Script, ScriptedPerson};
use crate::proxy::journal::DispatchId;
use crate::proxy::{Proxy, ProxyCommand, ProxyConfig, ProxyEvent};
use crate::random::Random;
use crate::sip::Uri;
use crate::store::OpenError;
use crate::store::memory::{ClientMemory, ProxyMemory};
use crate::store::tables::Tables;
use crate::time::Now;

/// A machine that a host can run.
pub trait Kind: Machine<Write: Debug> + Sized {
    /// What it is started with, besides what its disk holds.
    type Setup;
    /// Its tables.
    type Store: Tables<Write = Self::Write> + Default;

    /// Starts it.
    ///
    /// # Errors
    /// Its tables cannot be read.
    fn start(setup: &Self::Setup, store: &Self::Store, random: Random, now: Now) -> Result<Self, OpenError>;
    /// What it told its owner.
    fn told(event: Self::Event) -> Told;
    /// The message that an event asks the store for, if any.
    fn wanted(event: &Self::Event) -> Option<DispatchId> {
        let _ = event;
        None
    }
    /// The store's answer to that, as a command.
    fn read(id: DispatchId, store: &Self::Store) -> Option<Self::Command> {
        let _ = (id, store);
        None
    }
    /// What is durable now.
    fn durable(writes: Vec<Self::Write>) -> Durable;
}

/// What the world gives to a machine.
pub type Arrival = Input<Infallible>;

/// What a machine told its owner.
#[derive(Debug)]
pub enum Told {
    /// An event of a client.
    Agent(Event),
    /// An event of the proxy or a person, as text for the trace.
    Other(String),
}

/// What a disk has stored.
#[derive(Debug)]
pub enum Durable {
    /// Of a proxy.
    Proxy(Vec<crate::proxy::journal::Write>),
    /// Of a client.
    Agent(Vec<crate::model::journal::Write>),
    /// Of a machine that writes nothing.
    Nothing,
}

/// Which batch it was, and what it made durable, or why nothing.
pub type Written = (BatchId, Result<Durable, String>);

/// A machine's request to the world.
#[derive(Debug)]
pub enum Effect {
    /// To send.
    Transmit(Transmit),
    /// To connect.
    Connect(ConnectId, Hop),
    /// To look up.
    Resolve(ResolveId, Uri),
    /// To make the next batch of its disk durable.
    Commit,
    /// To read what its store holds about a message.
    Read(DispatchId),
    /// To tell its owner.
    Told(Told),
}

impl Kind for Proxy {
    type Setup = ProxyConfig;
    type Store = ProxyMemory;

    fn start(setup: &ProxyConfig, store: &ProxyMemory, random: Random, now: Now) -> Result<Self, OpenError> {
        let mut rows = store.recover()?;
        store.each(&mut |stored| rows.add(stored))?;
        Ok(Self::new(setup.clone(), rows, random, now))
    }

    fn wanted(event: &ProxyEvent) -> Option<DispatchId> {
        if let ProxyEvent::Wanted { dispatch } = event { Some(*dispatch) } else { None }
    }

    fn read(id: DispatchId, store: &ProxyMemory) -> Option<ProxyCommand> {
        Some(ProxyCommand::Read(id, store.dispatches.get(&id).cloned().map(Box::new)))
    }

    fn told(event: ProxyEvent) -> Told {
        Told::Other(format!("{event:?}"))
    }

    fn durable(writes: Vec<Self::Write>) -> Durable {
        Durable::Proxy(writes)
    }
}

impl Kind for UserAgent {
    type Setup = AgentConfig;
    type Store = ClientMemory;

    fn start(setup: &AgentConfig, store: &ClientMemory, random: Random, now: Now) -> Result<Self, OpenError> {
        Ok(Self::new(setup.clone(), store.recover()?, random, now))
    }

    fn told(event: Event) -> Told {
        Told::Agent(event)
    }

    fn durable(writes: Vec<Self::Write>) -> Durable {
        Durable::Agent(writes)
    }
}

impl Kind for ScriptedPerson {
    type Setup = (Script, SocketAddr, SocketAddr);
    type Store = NoStore;

    fn start(
        (script, local, proxy): &Self::Setup,
        _: &NoStore,
        random: Random,
        now: Now,
    ) -> Result<Self, OpenError> {
        Ok(Self::new(script.clone(), *local, *proxy, random, now))
    }

    fn told(event: PersonEvent) -> Told {
        Told::Other(format!("{event:?}"))
    }

    fn durable(_: Vec<Self::Write>) -> Durable {
        Durable::Nothing
    }
}
