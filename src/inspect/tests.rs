//! Traces as a tester would see them, and captures in several formats.

use std::net::SocketAddr;

use bytes::Bytes;

use super::*;
use crate::sip::Transport;
use crate::time::Timestamp;

const JAMES: &str = "192.0.2.1:5060";
const PROXY: &str = "192.0.2.9:5060";
const ANN: &str = "192.0.2.2:5060";
const BEN: &str = "192.0.2.3:5060";

fn passed(at: u64, from: &str, to: &str, text: &str) -> Traced {
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    let traced = Traced::of(WireMessage {
        at: Timestamp::from_millis(1_000_000 + at),
        direction: None,
        from: address(from),
        to: address(to),
        transport: Transport::Udp,
        bytes: Bytes::from(text.replace('\n', "\r\n")),
        mark: None,
    });
    assert!(matches!(traced.read, Read::Message(_)), "{traced:?}");
    traced
}

/// The patent's message to Ann, and to these others.
fn submission(secondary: &str) -> String {
    format!(
        "MESSAGE sip:ann@domain.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK776\nMax-Forwards: 70\n\
         From: <im:james@domain.com>;tag=49583\nTo: <im:ann@domain.com>\n{secondary}\
         Call-ID: asd88asd77a@192.0.2.1\nCSeq: 1 MESSAGE\nContent-Type: text/plain\nContent-Length: 10\n\nCome here."
    )
}

fn leg(name: &str, call_id: &str) -> String {
    format!(
        "MESSAGE sip:{name}@192.0.2.2 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK{call_id}\nMax-Forwards: 69\n\
         From: <sip:james@domain.com>;tag={call_id}\nTo: <sip:{name}@domain.com>\nCall-ID: {call_id}\n\
         CSeq: 1 MESSAGE\nContent-Type: text/plain\nContent-Length: 10\n\nCome here."
    )
}

/// The answer to a request, with the fields that an answer copies.
fn answer(request: &str, status: &str) -> String {
    let copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
    let fields: Vec<_> =
        request.lines().filter(|line| copied.iter().any(|name| line.starts_with(name))).collect();
    format!("SIP/2.0 {status}\n{}\nContent-Length: 0\n\n", fields.join("\n"))
}

fn report(cseq: u32, state: &str, body: &str) -> String {
    let length = body.replace('\n', "\r\n").len();
    format!(
        "NOTIFY sip:james@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKn{cseq}\nMax-Forwards: 69\n\
         From: <sip:domain.com>;tag=p1\nTo: <sip:james@domain.com>;tag=49583\nCall-ID: asd88asd77a@192.0.2.1\n\
         CSeq: {cseq} NOTIFY\nEvent: delivery-report\nSubscription-State: {state}\n\
         Content-Type: application/delivery-report\nContent-Length: {length}\n\n{body}"
    )
}

/// The whole story of a message to Ann, who answers the second transmission, and to Ben, who is busy.
fn story() -> Vec<Traced> {
    let sent = submission("Secondary-To: <im:ben@domain.com>\n");
    let (ann, ben) = (leg("ann", "a1"), leg("ben", "b1"));
    let said = report(
        1,
        "terminated;reason=noresource",
        "im:ann@domain.com delivery success\nim:ben@domain.com delivery failure;status=486\n",
    );
    vec![
        passed(0, JAMES, PROXY, &sent),
        passed(2, PROXY, JAMES, &answer(&sent, "202 Accepted")),
        passed(3, PROXY, ANN, &ann),
        passed(3, PROXY, BEN, &ben),
        passed(20, BEN, PROXY, &answer(&ben, "486 Busy Here")),
        passed(503, PROXY, ANN, &ann),
        passed(520, ANN, PROXY, &answer(&ann, "200 OK")),
        passed(530, PROXY, JAMES, &said),
        passed(533, JAMES, PROXY, &answer(&said, "200 OK")),
    ]
}

fn only(trace: &[Traced]) -> Submission {
    let all = submissions(trace);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.into_iter().next().unwrap()
}

fn verdicts(submission: &Submission) -> Vec<Verdict> {
    submission.recipients.iter().map(|recipient| verdict(submission, recipient)).collect()
}

#[test]
fn the_legs_and_the_report_of_a_submission_say_what_became_of_it_for_each() {
    let one = only(&story());
    assert_eq!((one.is_fan_out, one.messages.len(), one.reports.len()), (true, 9, 1));
    assert_eq!(one.answer.as_ref().unwrap().status, 202);
    let [ann, ben] = verdicts(&one).try_into().unwrap();
    assert_eq!((ann.state, ann.source, ann.transmissions), (State::Delivered, Some(Source::Report), Some(2)));
    assert_eq!(ann.took.unwrap().as_millis(), 517);
    assert_eq!((ben.state, ben.status, ben.transmissions), (State::Failed, Some(486), Some(1)));
    assert_eq!((ann.contradicted_by, ben.contradicted_by), (None, None));
}

#[test]
fn a_report_that_says_otherwise_than_the_device_answered_is_found() {
    let mut trace = story();
    let lie =
        report(1, "terminated", "im:ann@domain.com delivery success\nim:ben@domain.com delivery success\n");
    trace[7] = passed(530, PROXY, JAMES, &lie);
    let [ann, ben] = verdicts(&only(&trace)).try_into().unwrap();
    assert_eq!(ann.contradicted_by, None);
    assert_eq!(ben.contradicted_by.unwrap().status, 486);
}

#[test]
fn without_a_report_the_devices_say_it_and_without_legs_the_report() {
    let mut trace = story();
    trace.truncate(7);
    let [ann, ben] = verdicts(&only(&trace)).try_into().unwrap();
    assert_eq!((ann.source, ben.source), (Some(Source::Leg), Some(Source::Leg)));
    assert_eq!((ann.state, ben.state), (State::Delivered, State::Failed));

    let uplink: Vec<_> =
        story().into_iter().enumerate().filter(|(at, _)| [0, 1, 7, 8].contains(at)).collect();
    let uplink: Vec<_> = uplink.into_iter().map(|(_, traced)| traced).collect();
    let one = only(&uplink);
    let [ann, ben] = verdicts(&one).try_into().unwrap();
    assert_eq!((ann.state, ben.state, ben.status), (State::Delivered, State::Failed, Some(486)));
    assert_eq!(ann.transmissions, None);
    assert!(!ladder(&one, |place| uplink.get(place)).shows_legs);

    let [ann, ben] = verdicts(&only(&story()[..2])).try_into().unwrap();
    assert_eq!((ann.state, ben.state, ann.source), (State::Open, State::Open, None), "202 says nothing yet");
}

#[test]
fn an_ordinary_message_has_its_answer_and_the_relayed_one_is_its_leg() {
    let sent = submission("");
    let relayed = sent.replace("Via:", "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKr1\nVia:");
    let trace = [
        passed(0, JAMES, PROXY, &sent),
        passed(1, PROXY, ANN, &relayed),
        passed(5, ANN, PROXY, &answer(&relayed, "200 OK")),
        passed(6, PROXY, JAMES, &answer(&sent, "200 OK")),
    ];
    let one = only(&trace);
    assert!(!one.is_fan_out);
    let [ann] = verdicts(&one).try_into().unwrap();
    assert_eq!((ann.state, ann.transmissions, ann.took.unwrap().as_millis()), (State::Delivered, Some(1), 4));
    let drawn = ladder(&one, |place| trace.get(place));
    let ends: Vec<_> = drawn.rows.iter().map(|row| (row.from, row.to)).collect();
    assert_eq!(ends, [(0, 1), (1, 2), (2, 1), (1, 0)]);
}

#[test]
fn the_same_words_twice_keep_their_legs_apart_and_a_member_of_a_list_is_told_apart() {
    let first = submission("Secondary-To: <im:ben@domain.com>\n");
    let second = first.replace("49583", "again").replace("asd88", "other").replace("bK776", "bK777");
    let trace = [
        passed(0, JAMES, PROXY, &first),
        passed(1, JAMES, PROXY, &second),
        passed(2, PROXY, ANN, &leg("ann", "a1")),
        passed(3, PROXY, ANN, &leg("ann", "a2")),
        passed(4, ANN, PROXY, &answer(&leg("ann", "a2"), "480 Away")),
        passed(5, PROXY, BEN, &leg("member", "m1")),
        passed(6, BEN, PROXY, &answer(&leg("member", "m1"), "200 OK")),
    ];
    let all = submissions(&trace);
    assert_eq!(all.len(), 2);
    let answered = |one: &Submission| one.recipients[0].leg.as_ref().unwrap().answer.clone();
    assert_eq!(answered(&all[0]), None);
    assert_eq!(answered(&all[1]).unwrap().status, 480);
    assert_eq!(all[1].others[0].to.as_str(), "sip:member@domain.com");
    assert_eq!(all[1].others[0].answer.as_ref().unwrap().status, 200);
}

#[test]
fn a_submission_that_was_refused_takes_no_leg_of_the_same_words_until_it_comes_with_a_password() {
    let other =
        |text: &str| text.replace("asd88asd77a", "other").replace("K776", "K777").replace("49583", "49584");
    let first = submission("Secondary-To: <im:ben@domain.com>\n");
    let (second, ann, late) = (other(&first), leg("ann", "a1"), leg("ann", "a2"));
    let with_password = first.replace("CSeq: 1", "CSeq: 2").replace("K776", "K778");
    let trace = [
        passed(0, JAMES, PROXY, &first),
        passed(1, PROXY, JAMES, &answer(&first, "407 Proxy Authentication Required")),
        passed(10, JAMES, PROXY, &second),
        passed(11, PROXY, JAMES, &answer(&second, "202 Accepted")),
        passed(12, PROXY, ANN, &ann),
        passed(13, ANN, PROXY, &answer(&ann, "200 OK")),
        passed(20, JAMES, PROXY, &with_password),
        passed(21, PROXY, JAMES, &answer(&with_password, "202 Accepted")),
        passed(22, PROXY, ANN, &late),
        passed(23, ANN, PROXY, &answer(&late, "486 Busy Here")),
    ];
    let states = |end: usize| {
        let all = submissions(&trace[..end]);
        let of = |one: &Submission| verdicts(one).iter().map(|verdict| verdict.state).collect::<Vec<_>>();
        all.iter().map(of).collect::<Vec<_>>()
    };
    let refused = vec![State::Failed, State::Failed];
    assert_eq!(states(6), [refused, vec![State::Delivered, State::Open]]);
    assert_eq!(states(10), [vec![State::Failed, State::Open], vec![State::Delivered, State::Open]]);
}

#[test]
fn a_message_that_its_sender_sends_again_one_by_one_is_no_leg() {
    let sent = submission("Secondary-To: <im:ben@domain.com>\n");
    let trace = [
        passed(0, JAMES, PROXY, &sent),
        passed(2, PROXY, JAMES, &answer(&sent, "200 OK")),
        passed(3, JAMES, PROXY, &leg("ben", "b1")),
    ];
    assert_eq!(submissions(&trace).len(), 2);
}

#[test]
fn a_ladder_has_an_arrow_for_each_message_and_counts_retransmissions() {
    let trace = story();
    let drawn = ladder(&only(&trace), |place| trace.get(place));
    assert_eq!(
        ladder_text(&drawn),
        "             im:james@domain.com     proxy                   im:ann@domain.com       im:ben@domain.com\n\
         \x20            192.0.2.1:5060          192.0.2.9:5060          192.0.2.2:5060          192.0.2.3:5060\n\
         \x20    0.000 s |-- MESSAGE ----------->|                       |                       |\n\
         \x20    0.002 s |<- 202 Accepted -------|                       |                       |\n\
         \x20    0.003 s |                       |-- MESSAGE x2 -------->|                       |  until 0.503 s\n\
         \x20    0.003 s |                       |-- MESSAGE ----------------------------------->|\n\
         \x20    0.020 s |                       |<- 486 Busy Here ------------------------------|\n\
         \x20    0.520 s |                       |<- 200 OK -------------|                       |\n\
         \x20    0.530 s |<- NOTIFY -------------|                       |                       |\n\
         \x20    0.533 s |-- 200 OK ------------>|                       |                       |\n"
    );
}

#[test]
fn what_a_fault_did_is_drawn_and_what_was_lost_says_nothing_of_anybody() {
    use crate::injection::Mark;
    let mut trace = story();
    let late = std::time::Duration::from_millis(30);
    trace[2].wire.mark = Some(Mark::Lost);
    trace[4].wire.mark = Some(Mark::Lost);
    trace[6].wire.mark = Some(Mark::Arrived { late, is_double: false, tampering: None });
    trace[7].wire.mark = Some(Mark::Lost);
    let one = only(&trace);
    let drawn = ladder(&one, |place| trace.get(place));
    let text = ladder_text(&drawn);
    let lines: Vec<_> =
        text.lines().filter_map(|line| line.split_once("  fault: ")).map(|(_, what)| what).collect();
    assert_eq!(lines, ["1 of 2 lost", "lost", "30 ms late", "lost"], "{text}");
    assert_eq!(drawn.rows.iter().map(Row::is_lost).filter(|lost| *lost).count(), 2);
    let [ann, ben] = verdicts(&one).try_into().unwrap();
    assert_eq!((ann.state, ann.source), (State::Delivered, Some(Source::Leg)), "the report told nobody");
    assert_eq!((ben.state, ben.contradicted_by), (State::Open, None), "the proxy never got the 486");
}

#[test]
fn many_recipients_share_a_line_of_the_ladder() {
    let others: String = (0..5).map(|number| format!("Secondary-To: <im:p{number}@domain.com>\n")).collect();
    let trace = [passed(0, JAMES, PROXY, &submission(&others)), passed(3, PROXY, ANN, &leg("p3", "c3"))];
    let drawn = ladder_text(&ladder(&only(&trace), |place| trace.get(place)));
    let last = drawn.lines().last().unwrap();
    assert_eq!(last, "     0.003 s |                       |-- MESSAGE ----------->|  im:p3@domain.com");
}

mod captures {
    use std::time::Duration;

    use pcap_file::DataLink;
    use pcap_file::pcap::{PcapHeader, PcapPacket, PcapWriter};

    use super::*;

    /// A capture of these packets.
    fn capture(datalink: DataLink, packets: &[Vec<u8>]) -> Vec<u8> {
        let header = PcapHeader { datalink, ..PcapHeader::default() };
        let mut writer = PcapWriter::with_header(Vec::new(), header).unwrap();
        for (number, packet) in packets.iter().enumerate() {
            let length = u32::try_from(packet.len()).unwrap();
            let at = Duration::from_millis(u64::try_from(number).unwrap());
            writer.write_packet(&PcapPacket::new(at, length, packet).unwrap()).unwrap();
        }
        writer.into_inner()
    }

    fn datagram(payload: &[u8]) -> Vec<u8> {
        let builder = etherparse::PacketBuilder::ethernet2([1; 6], [2; 6])
            .ipv4([192, 0, 2, 1], [192, 0, 2, 9], 64)
            .udp(5060, 5060);
        let mut packet = Vec::new();
        builder.write(&mut packet, payload).unwrap();
        packet
    }

    #[test]
    fn a_capture_of_others_is_read_and_what_is_no_sip_is_counted() {
        let sent = submission("").replace('\n', "\r\n");
        let file = capture(
            DataLink::ETHERNET,
            &[datagram(sent.as_bytes()), datagram(b"\x12\x34 a DNS answer"), vec![1, 2]],
        );
        let read = read_capture(file.as_slice()).unwrap();
        assert_eq!((read.messages.len(), read.other_datagrams, read.cut), (1, 1, None));
        let wire = &read.messages[0].wire;
        assert_eq!((wire.from.to_string(), wire.to.to_string()), (JAMES.to_owned(), PROXY.to_owned()));
        assert_eq!(wire.bytes, sent);
        let plain = capture(DataLink::RAW, &[datagram(sent.as_bytes())[14..].to_vec()]);
        assert_eq!(read_capture(plain.as_slice()).unwrap().messages[0].wire, *wire);
    }

    #[test]
    fn a_datagram_in_fragments_is_put_together() {
        let sent = submission("").replace('\n', "\r\n");
        let whole = datagram(sent.as_bytes())[14..].to_vec();
        let cut = 20 + 240;
        let fragment = |bytes: &[u8], offset: usize, more: bool| {
            let mut header = whole[..20].to_vec();
            header[2..4].copy_from_slice(&u16::try_from(20 + bytes.len()).unwrap().to_be_bytes());
            let flags = u16::try_from(offset / 8).unwrap() | if more { 0x2000 } else { 0 };
            header[6..8].copy_from_slice(&flags.to_be_bytes());
            [&header[..], bytes].concat()
        };
        let packets = [fragment(&whole[cut..], 240, false), fragment(&whole[20..cut], 0, true)];
        let read = read_capture(capture(DataLink::RAW, &packets).as_slice()).unwrap();
        assert_eq!(read.messages.len(), 1);
        assert_eq!(read.messages[0].wire.bytes, sent);
    }

    /// It took hours when all open datagrams were looked at for each packet.
    #[test]
    fn fragments_of_datagrams_that_never_become_whole_cost_little() {
        let fragment = |number: u32| {
            let mut packet = datagram(b"12345678")[14..42].to_vec();
            packet[2..4].copy_from_slice(&28u16.to_be_bytes());
            packet[6..8].copy_from_slice(&0x2000u16.to_be_bytes());
            packet[12..16].copy_from_slice(&number.to_be_bytes());
            packet
        };
        let packets: Vec<_> = (0..100_000).map(fragment).collect();
        let clock = crate::time::Clock::start();
        let start = clock.now().mono;
        let read = read_capture(capture(DataLink::RAW, &packets).as_slice()).unwrap();
        assert_eq!((read.messages.len(), read.cut), (0, None));
        let took = clock.now().mono.saturating_duration_since(start);
        assert!(took < Duration::from_secs(20), "{took:?}");
    }

    #[test]
    fn what_is_damaged_is_read_up_to_there_and_what_is_no_capture_is_refused() {
        let sent = submission("").replace('\n', "\r\n");
        let file = capture(DataLink::ETHERNET, &[datagram(sent.as_bytes()), datagram(sent.as_bytes())]);
        let read = read_capture(&file[..file.len() - 7]).unwrap();
        assert_eq!(read.messages.len(), 1);
        assert!(matches!(read.cut, Some(Cut::Damaged(_))), "{:?}", read.cut);
        for other in [&b""[..], b"SIP", b"not a capture at all, but a text of some length"] {
            assert!(matches!(read_capture(other), Err(CaptureFileError::NoCapture)));
        }
        // Whatever the bytes are, the reader ends without a panic.
        for place in 0..file.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bent = file.clone();
                bent[place] = value;
                drop(read_capture(bent.as_slice()));
            }
        }
    }

    #[test]
    fn an_exported_pdu_names_its_addresses() {
        let tag = |number: u16, value: &[u8]| {
            [&number.to_be_bytes()[..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
        };
        let sent = submission("").replace('\n', "\r\n");
        let pdu = [
            tag(12, b"sip\0"),
            tag(20, &[192, 0, 2, 1]),
            tag(21, &[192, 0, 2, 9]),
            tag(25, &5060_u32.to_be_bytes()),
            tag(26, &5061_u32.to_be_bytes()),
            tag(0, &[]),
            sent.clone().into_bytes(),
        ];
        let file = capture(DataLink::WIRESHARK_UPPER_PDU, &[pdu.concat()]);
        let read = read_capture(file.as_slice()).unwrap();
        let wire = &read.messages[0].wire;
        assert_eq!(
            (wire.from.to_string(), wire.to.to_string()),
            (JAMES.to_owned(), "192.0.2.9:5061".to_owned())
        );
        assert_eq!(wire.bytes, sent);
    }
}
