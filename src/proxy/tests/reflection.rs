//! What somebody gets who never asked, because others write his address as the source of their datagrams (W30, W31).

use super::auth::{Said, nonce, user, users};
use super::*;
use crate::limits::{REFLECTED_BURST_BYTES, REFLECTED_RATIO, WRONG_PASSWORDS_MAX};
use crate::proxy::journal::UserRow;
use crate::proxy::{Auth, RefusalKind};
use crate::sip::Aor;

const VICTIM: &str = "198.51.100.66:5060";
const EVE: &str = "203.0.113.9:5060";

fn asking() -> Bench {
    let mut bench = Bench::with(ProxyConfig { auth: Auth::On, ..config() });
    bench.input(Input::Command(users(&["james", "ann", "bob"])));
    bench
}

fn challenged(answer: &str) -> String {
    let name = if status(answer) == 401 { "WWW-Authenticate" } else { "Proxy-Authenticate" };
    nonce(fields(answer, name)[0])
}

fn said<'a>(name: &'a str, password: &'a str, nonce: &'a str, nc: &'a str) -> Said<'a> {
    Said { username: name, password, nonce, nc, algorithm: "SHA-256" }
}

/// That user registers a Contact from there; the answer.
fn registers(
    bench: &mut Bench,
    (name, password): (&str, &str),
    from: &str,
    contact: &str,
    cseq: u32,
) -> String {
    let text = register(name, contact, cseq, 3600);
    let given = challenged(&bench.ask(from, &text));
    bench.ask(from, &said(name, password, &given, "00000001").with(&text, "Authorization"))
}

#[test]
fn w31_the_answer_to_one_is_given_to_nobody_else_who_repeats_its_branch() {
    let mut bench = asking();
    let long = "a".repeat(3900);
    let contacts: Vec<_> = (0..10).map(|number| format!("<sip:m{number}@{EVE};x={long}>")).collect();
    let text = register("ann", &contacts.join(", "), 1, 3600);
    let given = challenged(&bench.ask(EVE, &text));
    let request = said("ann", "nna", &given, "00000001").with(&text, "Authorization");
    let answer = bench.ask(EVE, &request);
    assert!(status(&answer) == 200 && answer.len() > 39_000, "{}", answer.len());
    let via = format!("Via: {}\n", field(&request.replace('\n', "\r\n"), "Via").unwrap());
    let small = format!(
        "REGISTER sip:domain.com SIP/2.0\n{via}f: <sip:ann@domain.com>;tag=1\nt: <sip:ann@domain.com>\ni: 1\n\
         CSeq: 1 REGISTER\nl: 0\n\n"
    );
    for from in [VICTIM, "203.0.113.9:5061", "[2001:db8::66]:5060"] {
        for _ in 0..50 {
            bench.receive(udp(from), &small);
        }
        let got = bench.take(from);
        assert!(got.iter().all(|text| status(text) == 401 && text.len() < 1000), "{from}");
    }
    // Nor does he who asked get it again for a shorter datagram, or for many.
    for _ in 0..50 {
        bench.receive(udp(EVE), &small);
        bench.receive(udp(EVE), &request);
    }
    assert_eq!(bench.take(EVE), [] as [String; 0], "more than may be sent again");
}

#[test]
fn w30_a_nonce_that_one_was_given_is_of_no_use_in_his_neighbours_name() {
    // A network of IPv6 and one address behind which several are, of which one is the victim.
    for (own, neighbour) in
        [("[2001:db8::1]:5060", "[2001:db8::2]:5060"), ("203.0.113.9:40000", "203.0.113.9:5060")]
    {
        let mut bench = asking();
        let text = register("ann", &format!("<sip:ann@{neighbour}>"), 1, 3600);
        let given = challenged(&bench.ask(own, &text));
        let forged = said("ann", "nna", &given, "00000001").with(&text, "Authorization");
        let asked = bench.ask(neighbour, &forged);
        assert_eq!(status(&asked), 401, "{asked}");
        assert!(fields(&asked, "WWW-Authenticate")[0].ends_with(", stale=true"), "{asked}");
        assert!(bench.rows.bindings.is_empty());
        // Nor does anybody hear that the neighbour guesses passwords.
        for number in 0..=WRONG_PASSWORDS_MAX {
            let nc = format!("{:08x}", number + 2);
            let text = register("ann", &format!("<sip:ann@{own}>"), 2 + number, 3600);
            bench.ask(neighbour, &said("ann", "guess", &given, &nc).with(&text, "Authorization"));
        }
        let told = bench.events.iter().find(|event| {
            matches!(event, ProxyEvent::Offence(it) if matches!(it.kind, RefusalKind::WrongPassword | RefusalKind::LockedOut))
        });
        assert_eq!(told, None);
        // He himself registers, and the neighbour's requests with a nonce of a connection are asked anew too.
        assert_eq!(status(&registers(&mut bench, ("ann", "nna"), own, &format!("<sip:ann@{own}>"), 90)), 200);
        let stream = tcp(own, 7);
        let text = register("ann", &format!("<sip:ann@{neighbour}>"), 91, 3600);
        bench.receive(stream, &text);
        let given = challenged(&bench.take_one(own));
        let forged = said("ann", "nna", &given, "00000001").with(&text, "Authorization");
        assert_eq!(status(&bench.ask(neighbour, &forged)), 401);
    }
}

#[test]
fn w30_who_registers_in_a_forged_datagram_from_somebodys_port_does_not_own_that_device() {
    let (device, own) = ("203.0.113.9:5060", "203.0.113.9:40000");
    let mut bench = asking();
    let blocked = vec![Aor::parse("bob@domain.com").unwrap()];
    let people = [UserRow { blocked, ..user("ann") }, user("bob"), user("james")];
    bench.input(Input::Command(ProxyCommand::Users(people.into())));
    assert_eq!(
        status(&registers(&mut bench, ("ann", "nna"), device, &format!("<sip:ann@{device}>"), 1)),
        200
    );
    // Bob is behind the same NAT: he gets a nonce at his port, and uses it in Ann's name.
    let text = register("bob", &format!("<sip:bob@{device}>"), 1, 3600);
    let given = challenged(&bench.ask(own, &text));
    let forged = said("bob", "bob", &given, "00000001").with(&text, "Authorization");
    assert_eq!(status(&bench.ask(device, &forged)), 401);
    let write = format!(
        "MESSAGE sip:bob@{device} SIP/2.0\nVia: SIP/2.0/UDP {own};branch=z9hG4bKw\nMax-Forwards: 70\n\
         From: <sip:bob@domain.com>;tag=b1\nTo: <sip:bob@{device}>\nCall-ID: w1\nCSeq: 1 MESSAGE\n\
         Content-Type: text/plain\nContent-Length: 3\n\nabc"
    );
    let given = challenged(&bench.ask(own, &write));
    let answer = bench.ask(own, &said("bob", "bob", &given, "00000001").with(&write, "Proxy-Authorization"));
    assert_eq!(status(&answer), 403, "her block holds: {answer}");
    assert!(bench.take(device).is_empty());
}

#[test]
fn w31_small_requests_in_somebodys_name_bring_him_little() {
    let mut bench = asking();
    let small = |number: usize| {
        format!(
            "BYE sip:a SIP/2.0\nv:SIP/2.0/UDP a;branch=z9hG4bK{number}\nf:<sip:domain.com>;tag=1\nt:<sip:a>;tag=2\ni:{number}\n\
             CSeq:1 BYE\n\n"
        )
    };
    let (mut came, mut sent) = (0, 0);
    for number in 0..5000 {
        came += wire(&small(number)).len();
        bench.receive(udp(VICTIM), &small(number));
        sent += bench.take(VICTIM).iter().map(String::len).sum::<usize>();
    }
    assert!(sent > REFLECTED_BURST_BYTES / 2, "{sent}");
    assert!(sent <= REFLECTED_BURST_BYTES + REFLECTED_RATIO * came, "{sent} for {came}");
    // A usual request is answered all the same, and one over a connection as it ever was.
    let usual = bench.ask(VICTIM, SUBMISSION);
    assert_eq!(status(&usual), 407);
    bench.receive(tcp(VICTIM, 1), &small(9999));
    assert_eq!(bench.take(VICTIM).len(), 1);
}
