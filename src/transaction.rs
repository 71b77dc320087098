//! Non-INVITE transactions (RFC 3261 §17). CONTRACT: the real code is being written; names and signatures stay.
#![allow(unused_variables, missing_docs, clippy::all, dead_code)]
use std::time::{Duration, Instant};
use bytes::Bytes;
use crate::machine::{Flow, Transmit};
use crate::sip::{Method, Request, Response};

/// T1 and what scales with it: T2 = 8 T1, T4 = 10 T1, F = J = 64 T1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers { pub t1: Duration }
impl Timers { pub fn new(t1: Duration) -> Self { todo!() } pub fn t2(&self) -> Duration { todo!() } pub fn t4(&self) -> Duration { todo!() } pub fn f(&self) -> Duration { todo!() } pub fn j(&self) -> Duration { todo!() } }

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerKey(pub u128);

/// What the layer makes of a request.
#[derive(Debug)]
pub enum Arrival { /// a new transaction: answer it with `respond`
    New(ServerKey), /// a retransmission (answered again if there is an answer), or an ACK: nothing to do
    Absorbed, /// the table is full: answer 503 statelessly
    Full }

/// A request to send as a client transaction. `U` is the owner's own name for it (a small Copy enum).
#[derive(Debug)]
pub struct Outgoing<'a, U> { pub user: U, pub branch: &'a str, pub method: Method, pub flow: Flow, pub bytes: Bytes, /// ends at the latest then, if before Timer F
    pub deadline: Option<Instant> }

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure { Timeout, Transport }
/// The layer's word on a client transaction that failed by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed<U> { pub user: U, pub failure: Failure, pub transmissions: u32 }
/// A response that belongs to a client transaction of ours and is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard<U> { pub user: U, pub transmissions: u32 }

#[derive(Debug)]
pub struct TransactionLayer<U> { _u: std::marker::PhantomData<U> }
impl<U: Copy + Ord + std::fmt::Debug> TransactionLayer<U> {
    /// `key` seeds the keyed hash of requests and branches.
    pub fn new(timers: Timers, key: [u8; 16]) -> Self { todo!() }
    pub fn receive_request(&mut self, request: &Request, flow: Flow, now: Instant) -> Arrival { todo!() }
    /// Final or provisional (by status); sends it, repeats it to retransmissions until Timer J.
    pub fn respond(&mut self, key: ServerKey, status: u16, bytes: Bytes, now: Instant) { todo!() }
    /// Starts a client transaction: first transmission at once. The same branch again replaces it.
    pub fn send(&mut self, outgoing: Outgoing<'_, U>, now: Instant) { todo!() }
    /// None: a stray, a repeated final. Some: provisional (status < 200, retransmission slows to T2) or the final one.
    pub fn receive_response(&mut self, response: &Response, now: Instant) -> Option<Heard<U>> { todo!() }
    /// Ends a client transaction without a word (it is not wanted any more). True if it was under way.
    pub fn forget(&mut self, user: U) -> bool { todo!() }
    /// A flow is gone: its client transactions fail with `Failure::Transport` (see poll_failed).
    pub fn disconnected(&mut self, flow: Flow) { todo!() }
    pub fn handle_timeout(&mut self, now: Instant) { todo!() }
    pub fn poll_transmit(&mut self) -> Option<Transmit> { todo!() }
    pub fn poll_failed(&mut self) -> Option<Failed<U>> { todo!() }
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> { todo!() }
    pub fn client_count(&self) -> usize { todo!() }
    pub fn server_count(&self) -> usize { todo!() }
}
