//! Keep-alives: a few bytes that keep the path from our server to us open through a NAT or a firewall between two
//! registrations (RFC 5626 §3.5, §4.4).
//!
//! On a connection that is a double CRLF; the connection itself watches for the reply. For a datagram flow, the
//! server's response shows whether there is a NAT in between; only then a CRLF is sent now and then.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::limits::{FLOW_TIMER_MIN, KEEP_ALIVE_DATAGRAM, KEEP_ALIVE_STREAM, NAT_REFRESH};
use crate::machine::Flow;
use crate::random::Random;
use crate::sip::{Response, Transport};
use crate::time::Now;

/// Keep-alive of the flow that we are registered on.
#[derive(Debug, Default)]
pub(crate) struct KeepAlive(Option<Beat>);

#[derive(Clone, Copy, Debug)]
struct Beat {
    flow: Flow,
    every: Duration,
    due: Instant,
}

impl KeepAlive {
    /// The server has accepted a registration on `flow`; returns the longest time until the next one is due.
    pub(crate) fn registered(
        &mut self,
        response: &Response,
        flow: Flow,
        random: &mut Random,
        now: Now,
    ) -> Duration {
        let (every, refresh) = match flow.transport {
            Transport::Udp if is_translated(response, flow.local) => (Some(KEEP_ALIVE_DATAGRAM), NAT_REFRESH),
            Transport::Udp => (None, Duration::MAX),
            Transport::Tcp | Transport::Tls | Transport::Ws | Transport::Wss => {
                (Some(flow_timer(response).unwrap_or(KEEP_ALIVE_STREAM)), Duration::MAX)
            }
        };
        self.0 = every.map(|every| Beat { flow, every, due: now.mono + random.jitter(every) });
        refresh
    }

    /// There is nothing to keep alive.
    pub(crate) fn stop(&mut self) {
        self.0 = None;
    }

    /// The bytes to send at `now`, and the flow to send them on.
    pub(crate) fn due(&mut self, random: &mut Random, now: Now) -> Option<(Flow, Bytes)> {
        let beat = self.0.as_mut().filter(|beat| beat.due <= now.mono)?;
        beat.due = now.mono + random.jitter(beat.every);
        let bytes: &[u8] = if beat.flow.transport == Transport::Udp { b"\r\n" } else { b"\r\n\r\n" };
        Some((beat.flow, Bytes::from_static(bytes)))
    }

    /// When the next keep-alive is due.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.0.map(|beat| beat.due)
    }
}

/// True if the server sees another address of ours than we do: there is a NAT in between (RFC 3581 §4).
fn is_translated(response: &Response, own: SocketAddr) -> bool {
    let via = response.fields().top_via();
    let seen_ip = via.params.get("received").and_then(|ip| ip.trim_matches(['[', ']']).parse().ok());
    let seen_port = via.params.get("rport").and_then(|port| port.parse().ok());
    seen_ip.is_some_and(|ip: std::net::IpAddr| ip != own.ip())
        || seen_port.is_some_and(|port: u16| port != own.port())
}

/// The keep-alive interval that the server asks for (RFC 5626 §4.4.1).
fn flow_timer(response: &Response) -> Option<Duration> {
    let secs: u32 = response.fields().first("Flow-Timer")?.trim().parse().ok()?;
    Some(Duration::from_secs(secs.into()).clamp(FLOW_TIMER_MIN, KEEP_ALIVE_STREAM))
}
