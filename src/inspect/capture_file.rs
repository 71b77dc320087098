//! Reads the SIP messages out of a capture: pcapng or pcap, of Fanfare, tshark, sngrep or tcpdump.

use std::io::Read;
use std::time::Duration;

use pcap_file::DataLink;
use pcap_file::pcap::PcapReader;
use pcap_file::pcapng::{Block, PcapNgReader};

use super::packet::{Held, Link, Packets};
use super::trace::{Traced, WireMessage};
use crate::limits::{INSPECT_BYTES_MAX, INSPECT_MESSAGES_MAX, INSPECT_PACKETS_MAX};
use crate::time::Timestamp;

/// The SIP messages of a capture, in the order of time, and what in it was not read.
#[derive(Debug, Default)]
pub struct CaptureFile {
    /// The messages.
    pub messages: Vec<Traced>,
    /// TCP segments; SIP over TCP is read only from Fanfare's own captures.
    pub stream_segments: u64,
    /// Datagrams that hold no SIP.
    pub other_datagrams: u64,
    /// The capture has more messages than are kept, or ends in the middle of a packet.
    pub cut: Option<Cut>,
    packets: usize,
    bytes: usize,
    /// How many messages are kept, and how many bytes of them.
    bounds: (usize, usize),
}

/// Why a capture was not read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// More messages, or more bytes of them, than are kept.
    TooMany,
    /// More packets than are read.
    TooManyPackets,
    /// What follows does not read, in the words of the reader of captures.
    Damaged(String),
}

/// Why nothing of a file can be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureFileError {
    /// It begins with other bytes.
    #[error("this is not a capture: neither pcapng nor pcap")]
    NoCapture,
    /// Reading it failed.
    #[error(transparent)]
    System(#[from] std::io::Error),
}

const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

/// Reads a capture.
///
/// # Errors
/// The file is not a capture, or its start cannot be read. A capture that is damaged further on is read up to there.
pub fn read_capture(file: impl Read) -> Result<CaptureFile, CaptureFileError> {
    read_capture_within(file, (INSPECT_MESSAGES_MAX, INSPECT_BYTES_MAX))
}

/// The same with other bounds, in messages and in their bytes.
///
/// # Errors
/// The same.
pub fn read_capture_within(
    mut file: impl Read,
    bounds: (usize, usize),
) -> Result<CaptureFile, CaptureFileError> {
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    let whole = start.as_slice().chain(file);
    let mut capture = CaptureFile { bounds, ..CaptureFile::default() };
    if start == PCAPNG {
        read_pcapng(whole, &mut capture)?;
    } else {
        read_pcap(whole, &mut capture)?;
    }
    // Several interfaces, or several threads of the program that wrote it, may be out of order.
    capture.messages.sort_by_key(|traced| traced.wire.at);
    Ok(capture)
}

fn read_pcapng(file: impl Read, capture: &mut CaptureFile) -> Result<(), CaptureFileError> {
    let mut reader = PcapNgReader::new(file).map_err(|_other_bytes| CaptureFileError::NoCapture)?;
    let mut packets = Packets::new();
    while let Some(block) = reader.next_block() {
        let (block, state) = match block {
            Ok(block) => block,
            Err(error) => {
                capture.cut = Some(Cut::Damaged(error.to_string()));
                break;
            }
        };
        let Block::EnhancedPacket(packet) = block else { continue };
        let interface = usize::try_from(packet.interface_id).unwrap_or(usize::MAX);
        let Some(link) = state.interfaces().get(interface).and_then(|one| link(one.linktype)) else {
            continue;
        };
        if !capture.take(&mut packets, link, packet.timestamp, &packet.data) {
            break;
        }
    }
    Ok(())
}

fn read_pcap(file: impl Read, capture: &mut CaptureFile) -> Result<(), CaptureFileError> {
    let mut reader = PcapReader::new(file).map_err(|_other_bytes| CaptureFileError::NoCapture)?;
    let link = link(reader.header().datalink);
    let mut packets = Packets::new();
    while let Some(packet) = reader.next_packet() {
        let packet = match packet {
            Ok(packet) => packet,
            Err(error) => {
                capture.cut = Some(Cut::Damaged(error.to_string()));
                break;
            }
        };
        let Some(link) = link else { continue };
        if !capture.take(&mut packets, link, packet.timestamp(), packet.data()) {
            break;
        }
    }
    Ok(())
}

impl CaptureFile {
    /// Takes one packet; false once no more is kept.
    fn take(&mut self, packets: &mut Packets, link: Link, at: Duration, data: &[u8]) -> bool {
        self.packets += 1;
        if self.packets > INSPECT_PACKETS_MAX {
            self.cut = Some(Cut::TooManyPackets);
            return false;
        }
        match packets.read(link, data) {
            Held::Stream => self.stream_segments += 1,
            Held::Fragment | Held::Other => {}
            Held::Payload(payload) if !is_sip(&payload.bytes) => self.other_datagrams += 1,
            Held::Payload(payload) => {
                self.bytes += payload.bytes.len();
                let (messages, bytes) = self.bounds;
                if self.bytes > bytes || self.messages.len() >= messages {
                    self.cut = Some(Cut::TooMany);
                    return false;
                }
                self.messages.push(Traced::of(WireMessage {
                    at: Timestamp::from_millis(u64::try_from(at.as_millis()).unwrap_or(u64::MAX)),
                    direction: None,
                    from: payload.from,
                    to: payload.to,
                    transport: payload.transport,
                    bytes: payload.bytes,
                    mark: None,
                }));
            }
        }
        true
    }
}

/// True for bytes whose first line is that of a SIP message. What is wrong further on is shown as unreadable.
fn is_sip(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    let line = text.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    line.starts_with(b"SIP/2.0 ") || line.ends_with(b" SIP/2.0")
}

#[expect(clippy::wildcard_enum_match_arm, reason = "some two hundred link layers that carry no SIP")]
const fn link(link: DataLink) -> Option<Link> {
    match link {
        DataLink::ETHERNET => Some(Link::Ethernet),
        DataLink::LINUX_SLL => Some(Link::LinuxCooked),
        DataLink::LINUX_SLL2 => Some(Link::LinuxCooked2),
        DataLink::RAW | DataLink::IPV4 | DataLink::IPV6 => Some(Link::Ip),
        DataLink::NULL | DataLink::LOOP => Some(Link::Loopback),
        DataLink::WIRESHARK_UPPER_PDU => Some(Link::ExportedPdu),
        _ => None,
    }
}
