//! Saves the delivery record of a message in the downloads folder, with what passed on the wire for it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::out::Out;
use super::saving::downloads;
use crate::inspect::{Traced, WireMessage, submissions};
use crate::model::command::Notice;
use crate::model::names::Names;
use crate::model::record::{CaptureIdentity, DeliveryRecord, RecordContext, RecordRequest};
use crate::runtime::capture::pcapng;
use crate::runtime::capture_identity::identify;
use crate::runtime::saved_file::save_private;
use crate::runtime::wire_tap::WireTap;
use crate::sip::File;
use crate::store::history::{History, Reader};
use crate::time::Timestamp;

/// What is to be saved.
#[derive(Debug)]
pub(super) struct WantedRecord {
    pub(super) request: RecordRequest,
    /// Where what passed for it is found, if that is to be saved too.
    pub(super) tap: Option<WireTap>,
    pub(super) names: Arc<Names>,
    /// The current time.
    pub(super) now: Timestamp,
}

/// Saves a record on the history's thread and reports the result; false if too much is waiting there.
pub(super) fn save_record(history: &History, wanted: WantedRecord, out: &Arc<Out>) -> bool {
    let out = Arc::clone(out);
    history.ask(move |reader| {
        let saved = downloads().and_then(|folder| write(reader, &wanted, &folder));
        out.tell(match saved {
            Ok(path) => Notice::Saved(path),
            Err(error) => Notice::Problem(format!("The delivery record could not be saved: {error}.")),
        });
    })
}

fn write(reader: &dyn Reader, wanted: &WantedRecord, folder: &Path) -> io::Result<PathBuf> {
    let record = reader.record(wanted.request.message).map_err(io::Error::other)?;
    let record = record.ok_or_else(|| io::Error::other("the message is not there any more"))?;
    let name = format!("delivery-record-{}", wanted.request.message.0);
    let capture = wanted.tap.as_ref().map(|tap| save_capture(tap, &record, (folder, &name))).transpose()?;
    let context = RecordContext {
        names: &wanted.names,
        written_at: wanted.now,
        zone: &TimeZone::system(),
        capture: capture.as_ref().and_then(Option::as_ref),
    };
    let text = record.document(wanted.request.format, &context);
    let (name, media_type) =
        (format!("{name}.{}", wanted.request.format.ending()), wanted.request.format.media_type());
    save_private(folder, &File { name: Some(name), media_type: media_type.to_owned(), bytes: text.into() })
}

/// Saves what has passed for a message; nothing if that is not known any more.
fn save_capture(
    tap: &WireTap,
    record: &DeliveryRecord,
    (folder, name): (&Path, &str),
) -> io::Result<Option<CaptureIdentity>> {
    let passed: Vec<Traced> = tap.since(0).entries.iter().map(|entry| Traced::of(entry.message())).collect();
    let is_ours = |call_id: &str| record.message.attempts.iter().any(|attempt| attempt.call_id == call_id);
    let all = submissions(&passed);
    let mut places: Vec<usize> = all
        .iter()
        .filter(|one| is_ours(&one.call_id))
        .flat_map(|one| one.messages.iter().map(|(place, _)| *place))
        .collect();
    places.sort_unstable();
    let messages: Vec<&WireMessage> =
        places.iter().filter_map(|place| passed.get(*place)).map(|traced| &traced.wire).collect();
    if messages.is_empty() {
        return Ok(None);
    }
    let bytes = pcapng(messages)?;
    let file = File {
        name: Some(format!("{name}.pcapng")),
        media_type: "application/octet-stream".to_owned(),
        bytes: bytes.into(),
    };
    let saved = save_private(folder, &file)?;
    let name = saved.file_name().unwrap_or_default().to_string_lossy();
    identify(&name, file.bytes.as_ref(), record).map(Some).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use bytes::Bytes;
    use data_encoding::HEXLOWER;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::inspect::read_capture;
    use crate::machine::{Batch, BatchId, Flow};
    use crate::model::journal::{
        AttemptRow, ConversationId, ConversationRow, DeliveryRow, DeliveryState, MessageId, OutgoingRow,
        PersonRow, Write,
    };
    use crate::model::record::RecordFormat;
    use crate::runtime::wire_tap::Direction;
    use crate::store::memory::ClientMemory;
    use crate::store::tables::Tables;

    fn store() -> ClientMemory {
        let at = Timestamp::from_millis(1_793_534_700_007);
        let ann = PersonRow { address: "sip:ann@domain.com".into(), name: String::new() };
        let message = MessageId(7);
        let mut store = ClientMemory::default();
        let writes = vec![
            Write::Conversation(ConversationRow {
                id: ConversationId(1),
                people: vec![ann.clone()],
                hidden: false,
            }),
            Write::Outgoing(OutgoingRow {
                id: message,
                conversation: ConversationId(1),
                at,
                content_type: "text/plain".into(),
                body: Bytes::from_static(b"Lunch"),
                recipients: vec![ann],
            }),
            Write::Attempt(AttemptRow {
                recipients: vec![0],
                call_id: "ours@host".into(),
                at,
                ..AttemptRow::closed(message, 1)
            }),
            Write::Delivery(DeliveryRow {
                message,
                attempt: 1,
                recipient: 0,
                state: DeliveryState::Delivered,
                status: Some(200),
                phrase: "OK".into(),
                tries: Some(1),
                after: None,
                at,
            }),
        ];
        store.apply(&[Batch { id: BatchId(1), writes }]).unwrap();
        store
    }

    fn pass(tap: &WireTap, call_id: &str) {
        let text = format!(
            "MESSAGE sip:ann@domain.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK{call_id}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:james@domain.com>;tag=t\r\nTo: <sip:ann@domain.com>\r\n\
             Call-ID: {call_id}\r\nCSeq: 1 MESSAGE\r\nDelivery-Report: each\r\nContent-Length: 5\r\n\r\nLunch"
        );
        let flow = Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 9], 5060).into());
        tap.record(Timestamp::from_millis(5), Direction::Sent, flow, &Bytes::from(text));
    }

    fn wanted(format: RecordFormat, tap: Option<WireTap>) -> WantedRecord {
        let now = Timestamp::from_millis(1_793_534_800_000);
        let request = RecordRequest { message: MessageId(7), format, with_capture: tap.is_some() };
        WantedRecord { request, tap, names: Arc::default(), now }
    }

    #[test]
    fn a_record_and_the_capture_of_its_message_are_saved_together_and_the_hash_is_that_of_the_file() {
        let (folder, tap) = (tempfile::tempdir().unwrap(), WireTap::new());
        pass(&tap, "other@host");
        pass(&tap, "ours@host");
        fs::write(folder.path().join("delivery-record-7.pcapng"), "somebody's").unwrap();
        let path = write(store().reader(), &wanted(RecordFormat::Json, Some(tap)), folder.path()).unwrap();
        assert_eq!(path.file_name().unwrap(), "delivery-record-7.json");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let told: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let bytes = fs::read(folder.path().join("delivery-record-7 (1).pcapng")).unwrap();
        let sha256 = HEXLOWER.encode(Sha256::digest(&bytes).as_slice());
        let expected =
            serde_json::json!({"file": "delivery-record-7 (1).pcapng", "sha256": sha256, "messages": 1});
        assert_eq!(told["capture"], expected);
        let read = read_capture(bytes.as_slice()).unwrap();
        assert_eq!(read.messages.len(), 1, "nothing of other messages");
        assert!(String::from_utf8_lossy(&read.messages[0].wire.bytes).contains("ours@host"));
    }

    #[test]
    fn a_record_of_which_nothing_was_watched_has_no_capture_and_one_that_is_gone_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let asked = wanted(RecordFormat::Html, Some(WireTap::new()));
        let path = write(store().reader(), &asked, folder.path()).unwrap();
        let page = fs::read_to_string(path).unwrap();
        assert!(page.contains("ours@host") && !page.contains("SHA-256"), "{page}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let gone = write(ClientMemory::default().reader(), &asked, folder.path()).unwrap_err();
        assert_eq!(gone.to_string(), "the message is not there any more");
    }
}
