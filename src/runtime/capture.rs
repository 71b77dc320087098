//! Writes what passed on the wire as a capture that Wireshark reads: into a file while it passes (`fanfare proxy --trace
//! FILE.pcapng`), or some of it at once ([`pcapng`]).
//!
//! **Invariant:** the proxy never waits for this file. A thread of its own reads the [`WireTap`] and writes; what it is
//! too slow for is lost and counted, and a disk that fails ends the trace and nothing else.

mod frame;

use std::borrow::Cow;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use pcap_file::DataLink;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::InterfaceDescriptionBlock;
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::{PcapNgParser, PcapNgWriter};

use self::frame::Frame;
use super::wire_tap::{Direction, Unseen, WireTap};
use crate::inspect::WireMessage;
use crate::limits::{CAPTURE_FILE_BYTES_MAX, CAPTURED_BYTES_MAX, STOP_WAIT};
use crate::sip::{self, Message, Transport};
use crate::store::private;
use crate::terminal;

/// How often what has passed is written.
const WRITE_EVERY: Duration = Duration::from_millis(100);
/// So much is written at a time: where the disk is full, what was written before stays.
const CHUNK_BYTES: u64 = 4096;
/// The interface of packets, and the one of messages that no packet holds.
const PACKETS: u32 = 0;
const WHOLE_MESSAGES: u32 = 1;
/// A capture of ours says at its beginning that this wrote it, with the version.
const APPLICATION: &str = "Fanfare ";
/// The beginning of a file in which that is looked for.
const SECTION_BYTES_MAX: u64 = 4096;
/// Characters of one value in a comment.
const COMMENT_VALUE_CHARS: usize = 200;

/// Why a capture cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Opening the file, or starting the thread.
    #[error("cannot write the trace {}: {source}", path.display())]
    System {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// What is there is no capture of ours, and is not overwritten.
    #[error("cannot write the trace: {} exists and is not a capture of Fanfare, so it is not overwritten", .0.display())]
    Occupied(PathBuf),
}

/// A capture that is being written. Dropping it writes what has passed until then.
#[derive(Debug)]
pub struct Capture {
    stop: Option<SyncSender<Never>>,
    /// The thread holds the other end, so this closes when the thread ends.
    ended: Receiver<Never>,
}

/// Nothing is ever sent on these channels; they only close.
#[derive(Debug)]
enum Never {}

impl Capture {
    /// Creates the file, in place of an older capture of that name, and starts the thread.
    ///
    /// # Errors
    /// The file cannot be written, or it, or the one that it becomes when it is full, is something else.
    pub fn start(path: &Path, tap: WireTap) -> Result<Self, CaptureError> {
        let system = |source| CaptureError::System { path: path.to_owned(), source };
        let older = older(path);
        for place in [path, &older] {
            if !is_free(place).map_err(system)? {
                return Err(CaptureError::Occupied(place.to_owned()));
            }
        }
        let mut file = CaptureFile::create(path, CAPTURE_FILE_BYTES_MAX).map_err(system)?;
        let (stop, stopped) = sync_channel(0);
        let (alive, ended) = sync_channel(0);
        let thread = std::thread::Builder::new().name("trace".to_owned());
        let write = move || {
            let _alive: SyncSender<Never> = alive;
            write_until_stopped(&mut file, &tap, &stopped);
        };
        drop(thread.spawn(write).map_err(system)?);
        Ok(Self { stop: Some(stop), ended })
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A disk that does not answer is not waited for longer than this.
        self.ended.recv_timeout(STOP_WAIT).ok();
    }
}

/// A capture of these messages.
///
/// # Errors
/// Never, as it is written to memory: the writer of captures is one for files too.
pub fn pcapng<'a>(messages: impl IntoIterator<Item = &'a WireMessage>) -> io::Result<Vec<u8>> {
    let mut blocks = Blocks::new()?;
    for message in messages {
        blocks.push(message, 0)?;
    }
    Ok(blocks.take())
}

/// True if nothing of that name would be lost: there is nothing, or an empty file, or an older capture of ours. A link is
/// not followed.
fn is_free(path: &Path) -> io::Result<bool> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() {
        return Ok(false);
    }
    let mut start = Vec::new();
    File::open(path)?.take(SECTION_BYTES_MAX).read_to_end(&mut start)?;
    Ok(start.is_empty() || is_ours(&start))
}

/// True if a file begins like a capture of ours, of this version or another one.
fn is_ours(start: &[u8]) -> bool {
    let is_name = |option: &SectionHeaderOption<'_>| matches!(option, SectionHeaderOption::UserApplication(name) if name.starts_with(APPLICATION));
    PcapNgParser::new(start).is_ok_and(|(_, parser)| parser.section().options.iter().any(is_name))
}

fn write_until_stopped(file: &mut CaptureFile, tap: &WireTap, stopped: &Receiver<Never>) {
    let mut next = 0;
    loop {
        let is_last = !matches!(stopped.recv_timeout(WRITE_EVERY), Err(RecvTimeoutError::Timeout));
        let unseen = tap.since(next);
        next = unseen.next;
        if let Err(error) = file.write(&unseen) {
            let path = file.path.display();
            tracing::warn!("the trace {path} ends here, the proxy goes on: {error}");
            tap.close();
            return;
        }
        if is_last {
            return;
        }
    }
}

/// The file being written.
#[derive(Debug)]
struct CaptureFile {
    path: PathBuf,
    bytes_max: u64,
    file: File,
    /// How many bytes of the file are whole blocks.
    whole: u64,
    blocks: Blocks,
}

impl CaptureFile {
    fn create(path: &Path, bytes_max: u64) -> io::Result<Self> {
        // It holds what people write to each other. A new file is nobody else's: the mode of an older one, and whoever has
        // it open, do not matter.
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
        let mut created = Self { path: path.to_owned(), bytes_max, file, whole: 0, blocks: Blocks::new()? };
        created.flush()?;
        Ok(created)
    }

    fn write(&mut self, unseen: &Unseen) -> io::Result<()> {
        let mut lost = unseen.lost;
        for entry in &unseen.entries {
            self.blocks.push(&entry.message(), std::mem::take(&mut lost))?;
            if self.blocks.waiting() >= CHUNK_BYTES {
                self.flush()?;
            }
            if self.whole + self.blocks.waiting() >= self.bytes_max {
                self.flush()?;
                self.begin_anew()?;
            }
        }
        self.flush()
    }

    /// The full file becomes the older one. Somebody may have put another file there since the start.
    fn begin_anew(&mut self) -> io::Result<()> {
        let older = older(&self.path);
        if !is_free(&older)? {
            return Err(io::Error::other(CaptureError::Occupied(older)));
        }
        match fs::rename(&self.path, older) {
            // Somebody has moved it away.
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        *self = Self::create(&self.path, self.bytes_max)?;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = self.blocks.take();
        if let Err(error) = self.file.write_all(&bytes) {
            // A reader wants whole blocks. If this fails too, it complains about the last one and shows the others.
            self.file.set_len(self.whole).ok();
            return Err(error);
        }
        self.whole += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}

/// `trace.pcapng` becomes `trace.1.pcapng`.
fn older(path: &Path) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(".1");
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

/// The blocks of a capture file that are not written yet.
struct Blocks(PcapNgWriter<Vec<u8>>);

impl fmt::Debug for Blocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocks({} bytes)", self.waiting())
    }
}

impl Blocks {
    fn new() -> io::Result<Self> {
        let name = format!("{APPLICATION}{}", env!("CARGO_PKG_VERSION"));
        let options = vec![SectionHeaderOption::UserApplication(Cow::Owned(name))];
        let section = SectionHeaderBlock { options, ..SectionHeaderBlock::default() };
        let mut writer = PcapNgWriter::with_section_header(Vec::new(), section).map_err(io::Error::other)?;
        for link in [DataLink::RAW, DataLink::WIRESHARK_UPPER_PDU] {
            writer.write_pcapng_block(InterfaceDescriptionBlock::new(link, 0)).map_err(io::Error::other)?;
        }
        Ok(Self(writer))
    }

    fn push(&mut self, message: &WireMessage, lost: u64) -> io::Result<()> {
        let direction = message.direction.map(|direction| match direction {
            Direction::Received => 1,
            Direction::Sent => 2,
        });
        let (interface_id, mut data) = match Frame::of(message.from, message.to, &message.bytes) {
            Frame::Packet(data) => (PACKETS, data),
            Frame::WholeMessage(data) => (WHOLE_MESSAGES, data),
        };
        let original_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
        data.truncate(CAPTURED_BYTES_MAX);
        let mut words = comment(message.transport, &message.bytes);
        if let Some(mark) = message.mark {
            words.push_str(&format!("; fault of a tester: {mark}"));
        }
        let comment = CommonOption::Comment(Cow::Owned(words));
        let mut options: Vec<_> = direction.map(EnhancedPacketOption::Flags).into_iter().collect();
        options.push(EnhancedPacketOption::Common(comment));
        if lost > 0 {
            options.push(EnhancedPacketOption::DropCount(lost));
        }
        let packet = EnhancedPacketBlock {
            interface_id,
            timestamp: Duration::from_millis(message.at.as_millis()),
            original_len,
            data: Cow::Owned(data),
            options,
        };
        self.0.write_pcapng_block(packet).map_err(io::Error::other)?;
        Ok(())
    }

    fn waiting(&self) -> u64 {
        u64::try_from(self.0.get_ref().len()).unwrap_or(u64::MAX)
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(self.0.get_mut())
    }
}

/// What Wireshark shows beside the packet: the transport that really carried it, which message it is, and whose.
fn comment(transport: Transport, bytes: &Bytes) -> String {
    let over = format!("over {}", transport.as_str());
    let (what, message) = match sip::parse(bytes.clone()) {
        Ok(Message::Request(request)) => (request.method().to_string(), request.fields().clone()),
        Ok(Message::Response(response)) => {
            let fields = response.fields().clone();
            (format!("{} to {}", response.status(), fields.cseq_method()), fields)
        }
        Err(_) if bytes.trim_ascii().is_empty() => return format!("keep-alive {over}"),
        Err(error) => return format!("{over}, not readable: {}", shown(&error.to_string())),
    };
    let (from, to) = (message.from().uri, message.to().uri);
    format!(
        "{} {over}, from {}, to {}, Call-ID {}",
        shown(&what),
        shown(from.as_str()),
        shown(to.as_str()),
        shown(message.call_id())
    )
}

/// A value of somebody else: safe for a terminal, and not too long for a comment.
fn shown(text: &str) -> String {
    terminal::shown(&text.chars().take(COMMENT_VALUE_CHARS).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{ConnectionId, Flow};
    use crate::runtime::wire_tap::WireEntry;
    use crate::time::Timestamp;
    use pcap_file::pcapng::{Block, PcapNgReader};

    const MESSAGE: &[u8] = b"MESSAGE sip:ann@domain.com SIP/2.0\r\nVia: SIP/2.0/TLS bare;branch=z9hG4bK1\r\n\
        From: <sip:james@domain.com>;tag=1\r\nTo: <sip:ann@domain.com>\r\nCall-ID: c@bare\r\nCSeq: 1 MESSAGE\r\n\
        Content-Length: 2\r\n\r\nHi";

    fn flow(transport: Transport) -> Flow {
        let connection = (transport != Transport::Udp).then_some(ConnectionId(7));
        let [local, remote] = [5060, 40_000].map(|port| ([127, 0, 0, 1], port).into());
        Flow { transport, local, remote, connection }
    }

    fn entry(direction: Direction, bytes: &[u8]) -> WireEntry {
        let (at, bytes) = (Timestamp::from_millis(1_234_567), Bytes::copy_from_slice(bytes));
        WireEntry { at, direction, flow: flow(Transport::Tls), bytes, mark: None }
    }

    fn packets(path: &Path) -> Vec<EnhancedPacketBlock<'static>> {
        let mut reader = PcapNgReader::new(File::open(path).unwrap()).unwrap();
        let mut packets = Vec::new();
        while let Some(block) = reader.next_block() {
            if let (Block::EnhancedPacket(packet), _) = block.unwrap() {
                packets.push(packet.into_owned());
            }
        }
        packets
    }

    fn unseen(count: usize, lost: u64) -> Unseen {
        Unseen { entries: vec![entry(Direction::Sent, MESSAGE); count], lost, next: 0 }
    }

    #[test]
    fn a_message_is_a_packet_with_its_time_its_way_and_a_comment() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.pcapng");
        CaptureFile::create(&path, 1000).unwrap().write(&unseen(1, 4)).unwrap();
        let [packet] = packets(&path).try_into().unwrap();
        assert_eq!(packet.timestamp, Duration::from_millis(1_234_567));
        assert!(packet.data.ends_with(MESSAGE) && packet.interface_id == PACKETS);
        let text = "MESSAGE over TLS, from sip:james@domain.com, to sip:ann@domain.com, Call-ID c@bare";
        let comment = CommonOption::Comment(text.into());
        assert_eq!(
            packet.options,
            [
                EnhancedPacketOption::Flags(2),
                EnhancedPacketOption::Common(comment),
                EnhancedPacketOption::DropCount(4)
            ]
        );
    }

    #[test]
    fn a_comment_says_what_is_no_message_and_lets_nothing_act_on_a_terminal() {
        assert_eq!(comment(Transport::Tcp, &Bytes::from_static(b"\r\n\r\n")), "keep-alive over TCP");
        let junk = comment(Transport::Udp, &Bytes::from_static(b"\x1b[2J"));
        assert!(junk.starts_with("over UDP, not readable: ") && !junk.contains('\x1b'), "{junk}");
        let long = String::from_utf8_lossy(MESSAGE).replace("c@bare", &"c".repeat(60_000));
        assert_eq!(comment(Transport::Udp, &long.into()).matches('c').count(), 2 + COMMENT_VALUE_CHARS);
    }

    #[test]
    fn w31_a_full_file_becomes_the_older_one_and_nothing_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.pcapng");
        let mut file = CaptureFile::create(&path, 1500).unwrap();
        file.write(&unseen(5, 0)).unwrap();
        let old = folder.path().join("trace.1.pcapng");
        let (older, newer) = (packets(&old).len(), packets(&path).len());
        assert_eq!(older + newer, 5);
        assert!(newer > 0 && older > 0, "{older} and {newer}");
        assert!(fs::metadata(&old).unwrap().len() < 1500 + 600);
        for _ in 0..10 {
            file.write(&unseen(5, 0)).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "two files and no more");
    }

    #[test]
    fn a_disk_that_fails_ends_the_trace_and_the_ring_keeps_nothing_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = CaptureFile::create(&folder.path().join("trace.pcapng"), 1000).unwrap();
        file.file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (tap, (_stop, stopped)) = (WireTap::new(), sync_channel(0));
        tap.record(
            Timestamp::from_millis(1),
            Direction::Sent,
            flow(Transport::Udp),
            &Bytes::from_static(MESSAGE),
        );
        write_until_stopped(&mut file, &tap, &stopped);
        tap.record(
            Timestamp::from_millis(2),
            Direction::Sent,
            flow(Transport::Udp),
            &Bytes::from_static(MESSAGE),
        );
        assert!(tap.since(0).entries.is_empty());
    }

    #[test]
    fn what_is_written_last_is_in_the_file_and_only_a_capture_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.pcapng");
        for _ in 0..2 {
            let tap = WireTap::new();
            let capture = Capture::start(&path, tap.clone()).unwrap();
            tap.record(
                Timestamp::from_millis(1),
                Direction::Received,
                flow(Transport::Udp),
                &Bytes::from_static(MESSAGE),
            );
            drop(capture);
            assert_eq!(packets(&path).len(), 1);
        }
        // The one of another program has a section header too.
        let others = folder.path().join("others.pcapng");
        PcapNgWriter::new(File::create(&others).unwrap()).unwrap();
        let theirs = fs::read(&others).unwrap();
        let settings = folder.path().join("proxy.ron");
        fs::write(&settings, "()").unwrap();
        let link = folder.path().join("link.pcapng");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        for occupied in [settings.as_path(), &others, &link, folder.path()] {
            let error = Capture::start(occupied, WireTap::new()).unwrap_err();
            let what = format!(
                "cannot write the trace: {} exists and is not a capture of Fanfare, so it is not overwritten",
                occupied.display()
            );
            assert_eq!(error.to_string(), what);
        }
        assert_eq!(fs::read_to_string(&settings).unwrap(), "()");
        assert_eq!(fs::read(&others).unwrap(), theirs);
        assert_eq!(packets(&path).len(), 1);
    }

    #[test]
    fn a_full_file_takes_the_place_of_no_file_of_somebody_else() {
        let folder = tempfile::tempdir().unwrap();
        let (path, older) = (folder.path().join("trace.pcapng"), folder.path().join("trace.1.pcapng"));
        fs::write(&older, "a thesis").unwrap();
        let error = Capture::start(&path, WireTap::new()).unwrap_err();
        assert!(matches!(error, CaptureError::Occupied(occupied) if occupied == older));
        assert!(!path.exists(), "and nothing was begun");
        fs::remove_file(&older).unwrap();

        let mut file = CaptureFile::create(&path, 1500).unwrap();
        fs::write(&older, "a thesis").unwrap();
        let error = file.write(&unseen(5, 0)).unwrap_err().to_string();
        assert!(
            error
                .ends_with("trace.1.pcapng exists and is not a capture of Fanfare, so it is not overwritten")
        );
        assert_eq!(fs::read_to_string(&older).unwrap(), "a thesis");
        assert!(packets(&path).len() > 1, "what was written before stays");

        fs::remove_file(&older).unwrap();
        fs::rename(&path, folder.path().join("moved.pcapng")).unwrap();
        file.write(&unseen(1, 0)).unwrap();
        assert!(!older.exists() && packets(&path).is_empty(), "a file that was moved away is left alone");
    }

    #[test]
    fn a_capture_that_others_could_read_is_private_once_it_is_written_again() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.pcapng");
        CaptureFile::create(&path, 1000).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let mut reads_already = File::open(&path).unwrap();
        drop(Capture::start(&path, WireTap::new()).unwrap());
        CaptureFile::create(&path, 100_000).unwrap().write(&unseen(1, 0)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut seen = Vec::new();
        reads_already.read_to_end(&mut seen).unwrap();
        assert!(
            memchr::memmem::find(&seen, b"james").is_none(),
            "nor does who has the old one open see more"
        );
    }

    #[test]
    fn w31_of_a_message_that_is_too_large_for_readers_the_beginning_is_kept_and_its_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.pcapng");
        let large = [MESSAGE, &vec![b'x'; 300_000]].concat();
        let entries = vec![entry(Direction::Sent, &large), entry(Direction::Sent, MESSAGE)];
        let mut file = CaptureFile::create(&path, 1_000_000).unwrap();
        file.write(&Unseen { entries, lost: 0, next: 0 }).unwrap();
        let [cut, whole] = packets(&path).try_into().unwrap();
        assert_eq!(cut.data.len(), 262_144);
        let addresses = 52;
        assert_eq!(usize::try_from(cut.original_len).unwrap(), addresses + large.len());
        assert!(whole.data.ends_with(MESSAGE));
    }
}
