//! The SIP message in one packet of a capture.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use etherparse::defrag::IpDefragPool;
use etherparse::{NetSlice, SlicedPacket, TransportSlice, UdpSlice};

use super::pdu_tag as tag;
use crate::limits::INSPECT_FRAGMENTED_MAX;
use crate::sip::Transport;

/// The link layer of a packet, as captures name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Ethernet.
    Ethernet,
    /// What Linux writes for "any interface".
    LinuxCooked,
    /// The second form of it.
    LinuxCooked2,
    /// IP without anything before it.
    Ip,
    /// The loopback of BSD and macOS: four bytes, then IP.
    Loopback,
    /// Wireshark's exported PDU.
    ExportedPdu,
}

/// What a packet holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Held {
    /// Bytes that may be a SIP message, from one place to another.
    Payload(Payload),
    /// A part of a datagram; the rest is still to come.
    Fragment,
    /// A segment of a stream.
    Stream,
    /// Something else.
    Other,
}

/// The bytes of a datagram, or of an exported PDU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) from: SocketAddr,
    pub(super) to: SocketAddr,
    pub(super) transport: Transport,
    pub(super) bytes: Bytes,
}

/// Reads packets, and puts those together that were sent in fragments.
#[derive(Debug)]
pub(super) struct Packets {
    fragments: IpDefragPool<u64>,
    number: u64,
}

impl Packets {
    pub(super) fn new() -> Self {
        Self { fragments: IpDefragPool::new(), number: 0 }
    }

    /// What a packet holds. One that does not read holds something else.
    pub(super) fn read(&mut self, link: Link, packet: &[u8]) -> Held {
        let sliced = match link {
            Link::Ethernet => SlicedPacket::from_ethernet(packet).ok(),
            Link::LinuxCooked => SlicedPacket::from_linux_sll(packet).ok(),
            // Twenty bytes, the first two of which name IP or something else.
            Link::LinuxCooked2 => packet.get(20..).and_then(|packet| SlicedPacket::from_ip(packet).ok()),
            Link::Ip => SlicedPacket::from_ip(packet).ok(),
            Link::Loopback => packet.get(4..).and_then(|packet| SlicedPacket::from_ip(packet).ok()),
            Link::ExportedPdu => return exported_pdu(packet).map_or(Held::Other, Held::Payload),
        };
        sliced.map_or(Held::Other, |sliced| self.of(&sliced))
    }

    fn of(&mut self, sliced: &SlicedPacket<'_>) -> Held {
        let Some((from, to)) = addresses(sliced) else { return Held::Other };
        if sliced.is_ip_payload_fragmented() {
            return self.fragment(sliced, from, to);
        }
        match &sliced.transport {
            Some(TransportSlice::Udp(udp)) => Held::Payload(payload(from, to, udp)),
            Some(TransportSlice::Tcp(_)) => Held::Stream,
            _ => Held::Other,
        }
    }

    fn fragment(&mut self, sliced: &SlicedPacket<'_>, from: IpAddr, to: IpAddr) -> Held {
        self.number += 1;
        // What never becomes whole does not stay: only the latest packets may still be open.
        // Looking at all of them is shared by as many packets.
        if self.number.is_multiple_of(INSPECT_FRAGMENTED_MAX) {
            let oldest = self.number.saturating_sub(INSPECT_FRAGMENTED_MAX);
            self.fragments.retain(|number| *number > oldest);
        }
        let Ok(whole) = self.fragments.process_sliced_packet(sliced, self.number, ()) else {
            return Held::Other;
        };
        let Some(whole) = whole else { return Held::Fragment };
        UdpSlice::from_slice(&whole.payload).map_or(Held::Other, |udp| Held::Payload(payload(from, to, &udp)))
    }
}

fn addresses(sliced: &SlicedPacket<'_>) -> Option<(IpAddr, IpAddr)> {
    match sliced.net.as_ref()? {
        NetSlice::Ipv4(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        NetSlice::Ipv6(ip) => {
            let header = ip.header();
            Some((header.source_addr().into(), header.destination_addr().into()))
        }
        NetSlice::Arp(_) => None,
    }
}

fn payload(from: IpAddr, to: IpAddr, udp: &UdpSlice<'_>) -> Payload {
    Payload {
        from: SocketAddr::new(from, udp.source_port()),
        to: SocketAddr::new(to, udp.destination_port()),
        transport: Transport::Udp,
        bytes: Bytes::copy_from_slice(udp.payload()),
    }
}

/// An exported PDU names its addresses in tags of a number, a length and a value.
fn exported_pdu(packet: &[u8]) -> Option<Payload> {
    let (mut from, mut to) = (None, None);
    let (mut from_port, mut to_port) = (0, 0);
    let mut rest = packet;
    loop {
        let (head, after) = rest.split_at_checked(4)?;
        let [high, low, long, short] = head else { return None };
        let length = usize::from(u16::from_be_bytes([*long, *short]));
        let (value, after) = after.split_at_checked(length)?;
        rest = after;
        match u16::from_be_bytes([*high, *low]) {
            tag::END => break,
            tag::IPV4_SOURCE => from = <[u8; 4]>::try_from(value).ok().map(|ip| Ipv4Addr::from(ip).into()),
            tag::IPV4_DESTINATION => to = <[u8; 4]>::try_from(value).ok().map(|ip| Ipv4Addr::from(ip).into()),
            tag::IPV6_SOURCE => from = <[u8; 16]>::try_from(value).ok().map(|ip| Ipv6Addr::from(ip).into()),
            tag::IPV6_DESTINATION => {
                to = <[u8; 16]>::try_from(value).ok().map(|ip| Ipv6Addr::from(ip).into());
            }
            tag::SOURCE_PORT => from_port = port(value)?,
            tag::DESTINATION_PORT => to_port = port(value)?,
            _ => {}
        }
    }
    let (from, to): (IpAddr, IpAddr) = (from?, to?);
    Some(Payload {
        from: SocketAddr::new(from, from_port),
        to: SocketAddr::new(to, to_port),
        transport: Transport::Tcp,
        bytes: Bytes::copy_from_slice(rest),
    })
}

fn port(value: &[u8]) -> Option<u16> {
    u32::from_be_bytes(value.try_into().ok()?).try_into().ok()
}
