//! A message as Wireshark reads it: in a UDP packet between the two ends of its flow, whatever transport really carried
//! it; or, where no packet holds it, as an exported PDU, which names its dissector and its addresses.

use std::net::{IpAddr, SocketAddr};

use crate::inspect::pdu_tag as tag;
use crate::limits::DATAGRAM_PAYLOAD_BYTES_MAX;

const UDP: u8 = 17;
const UDP_HEADER_BYTES: usize = 8;
const IPV4_HEADER_BYTES: usize = 20;

/// The port type of TCP: only a stream carries what no packet holds.
const PORT_TYPE_TCP: u32 = 2;

/// The bytes of one packet of a capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// An IP packet with a UDP datagram.
    Packet(Vec<u8>),
    /// An exported PDU.
    WholeMessage(Vec<u8>),
}

impl Frame {
    /// One message from one address to another.
    pub(super) fn of(from: SocketAddr, to: SocketAddr, message: &[u8]) -> Self {
        let (from, to) = one_family(from, to);
        if message.len() > DATAGRAM_PAYLOAD_BYTES_MAX {
            return Self::WholeMessage(exported_pdu(from, to, message));
        }
        let datagram = datagram(from, to, message);
        let mut packet = match (from.ip(), to.ip()) {
            (IpAddr::V4(from), IpAddr::V4(to)) => ipv4_header(from.octets(), to.octets(), datagram.len()),
            (from, to) => ipv6_header(octets(from), octets(to), datagram.len()),
        };
        packet.extend(datagram);
        Self::Packet(packet)
    }
}

/// Both ends as addresses of one family; a flow on a wildcard socket may have two.
fn one_family(from: SocketAddr, to: SocketAddr) -> (SocketAddr, SocketAddr) {
    if from.is_ipv4() == to.is_ipv4() {
        return (from, to);
    }
    let wide = |address: SocketAddr| SocketAddr::new(octets(address.ip()).into(), address.port());
    (wide(from), wide(to))
}

const fn octets(ip: IpAddr) -> [u8; 16] {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    }
}

/// A length in 16 bits; what is put into a packet fits.
fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

fn datagram(from: SocketAddr, to: SocketAddr, message: &[u8]) -> Vec<u8> {
    let length = UDP_HEADER_BYTES + message.len();
    let mut pseudo = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => [from.octets(), to.octets()].concat(),
        (from, to) => [octets(from), octets(to)].concat(),
    };
    pseudo.extend([0, UDP]);
    pseudo.extend(short(length));
    let header = [from.port().to_be_bytes(), to.port().to_be_bytes(), short(length), [0, 0]].concat();
    // RFC 768: zero means that there is no checksum.
    let checksum = match checksum(&[&pseudo, &header, message]) {
        0 => u16::MAX,
        checksum => checksum,
    };
    let mut datagram = Vec::with_capacity(length);
    datagram.extend(header.iter().take(UDP_HEADER_BYTES - 2));
    datagram.extend(checksum.to_be_bytes());
    datagram.extend_from_slice(message);
    datagram
}

fn ipv4_header(from: [u8; 4], to: [u8; 4], length: usize) -> Vec<u8> {
    // Version and header length, no service class; the identification; "don't fragment"; a time to live.
    let start = [&[0x45, 0][..], &short(IPV4_HEADER_BYTES + length), &[0, 0, 0x40, 0, 64, UDP]].concat();
    let checksum = checksum(&[&start, &[0, 0], &from, &to]).to_be_bytes();
    [&start[..], &checksum, &from, &to].concat()
}

fn ipv6_header(from: [u8; 16], to: [u8; 16], length: usize) -> Vec<u8> {
    [&[0x60, 0, 0, 0][..], &short(length), &[UDP, 64], &from, &to].concat()
}

/// The ones' complement sum of RFC 1071. Every part but the last has an even length.
fn checksum(parts: &[&[u8]]) -> u16 {
    let mut sum = 0_u64;
    for pair in parts.iter().flat_map(|part| part.chunks(2)) {
        let (high, low) = (pair.first().copied().unwrap_or(0), pair.get(1).copied().unwrap_or(0));
        sum += u64::from(u16::from_be_bytes([high, low]));
    }
    while sum > u64::from(u16::MAX) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

fn exported_pdu(from: SocketAddr, to: SocketAddr, message: &[u8]) -> Vec<u8> {
    let mut pdu = Vec::with_capacity(message.len() + 128);
    let mut add = |tag: u16, value: &[u8]| {
        pdu.extend(tag.to_be_bytes());
        pdu.extend(short(value.len()));
        pdu.extend_from_slice(value);
    };
    // A value has a multiple of four bytes.
    add(tag::DISSECTOR, b"sip\0");
    let ends =
        [(from, tag::IPV4_SOURCE, tag::IPV6_SOURCE), (to, tag::IPV4_DESTINATION, tag::IPV6_DESTINATION)];
    for (end, ipv4, ipv6) in ends {
        match end.ip() {
            IpAddr::V4(ip) => add(ipv4, &ip.octets()),
            IpAddr::V6(ip) => add(ipv6, &ip.octets()),
        }
    }
    add(tag::PORT_TYPE, &PORT_TYPE_TCP.to_be_bytes());
    add(tag::SOURCE_PORT, &u32::from(from.port()).to_be_bytes());
    add(tag::DESTINATION_PORT, &u32::from(to.port()).to_be_bytes());
    add(tag::END, &[]);
    pdu.extend_from_slice(message);
    pdu
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(from: &str, to: &str, message: &[u8]) -> Vec<u8> {
        match Frame::of(from.parse().unwrap(), to.parse().unwrap(), message) {
            Frame::Packet(packet) => packet,
            Frame::WholeMessage(_) => panic!("{} bytes", message.len()),
        }
    }

    #[test]
    fn a_small_message_is_a_udp_packet_whose_checksums_are_right() {
        let expected = [
            0x45, 0, 0, 0x1f, 0, 0, 0x40, 0, 0x40, 0x11, 0x3c, 0xcc, 127, 0, 0, 1, 127, 0, 0, 1, 0x13, 0xc4,
            0x9c, 0x40, 0, 0x0b, 0xe8, 0x67, b'H', b'i', b'!',
        ];
        let packet4 = packet("127.0.0.1:5060", "127.0.0.1:40000", b"Hi!");
        assert_eq!(packet4, expected);
        assert_eq!(checksum(&[&packet4[..20]]), 0, "the header with its checksum");
        let pseudo = [127, 0, 0, 1, 127, 0, 0, 1, 0, UDP, 0, 11];
        assert_eq!(checksum(&[&pseudo, &packet4[20..]]), 0, "the datagram with its checksum");
        let packet6 = packet("[2001:db8::1]:5060", "[2001:db8::2]:40000", b"Hi!");
        assert_eq!(packet6[..8], [0x60, 0, 0, 0, 0, 11, UDP, 64]);
        let pseudo = [&packet6[8..40], &[0, UDP, 0, 11]].concat();
        assert_eq!(checksum(&[&pseudo, &packet6[40..]]), 0);
        assert_eq!(packet("127.0.0.1:5060", "[2001:db8::2]:1", b"")[0] >> 4, 6);
    }

    #[test]
    fn what_no_packet_holds_is_an_exported_pdu_with_its_addresses() {
        let most = vec![b'x'; DATAGRAM_PAYLOAD_BYTES_MAX];
        assert_eq!(packet("127.0.0.1:5060", "127.0.0.1:40000", &most).len(), 65_535);
        let large = [&most[..], b"x"].concat();
        let Frame::WholeMessage(pdu) =
            Frame::of("127.0.0.1:5060".parse().unwrap(), "127.0.0.1:40000".parse().unwrap(), &large)
        else {
            panic!("no packet holds it");
        };
        let expected =
            b"\0\x0c\0\x04sip\0\0\x14\0\x04\x7f\0\0\x01\0\x15\0\x04\x7f\0\0\x01\0\x18\0\x04\0\0\0\x02\
                         \0\x19\0\x04\0\0\x13\xc4\0\x1a\0\x04\0\0\x9c\x40\0\0\0\0";
        assert_eq!(&pdu[..expected.len()], expected);
        assert_eq!(pdu.len(), expected.len() + large.len());
    }
}
