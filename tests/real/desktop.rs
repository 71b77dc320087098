//! The real window on a desktop: what a person does with it from one morning to the next.

use std::fs;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use fanfare::machine::{Batch, BatchId};
use fanfare::model::journal::{ConversationId, ConversationRow, IncomingRow, MessageId, PersonRow, Write};
use fanfare::store::{ClientSchema, Outcome, Store};
use fanfare::time::Timestamp;
use image::{ImageFormat, RgbaImage};

use crate::common::Proxy;
use crate::program::{Program, WAIT, fanfare};
use crate::screen::{Desktop, account, stored, stored_text, wait_for};

const DRAFT: &str = "SELECT text FROM draft WHERE place = 1";
const DRAFT_FILES: &str = "SELECT count(*) FROM draft_file";

fn listen(proxy: &Proxy, name: &str, args: &[&str]) -> Program {
    let address = format!("sip:{name}@domain.com");
    let proxy = proxy.udp();
    let all = [["listen", "--as", &address, "--proxy", &proxy].as_slice(), args].concat();
    let listener = fanfare(&all);
    listener.complaint_with("registered as");
    listener
}

#[test]
fn somebody_writes_copies_pastes_attaches_and_searches_and_the_draft_is_there_after_a_kill() {
    let proxy = Proxy::start();
    let desktop = Desktop::start();
    let (data, files) = (desktop.path("james"), desktop.path("files"));
    account(&data, "james", &proxy.udp());
    fs::create_dir(&files).unwrap();
    let bob = listen(&proxy, "bob", &["--save-files", files.to_str().unwrap()]);
    let cy = listen(&proxy, "cy", &[]);
    let window = desktop.window(&data);
    desktop.activate(&window);
    desktop.keys(&["ctrl+n"]);
    desktop.types("bob@domain.com,");
    desktop.keys(&["Tab"]);
    desktop.types("Here is the plan");
    desktop.keys(&["Return"]);
    bob.line_with("Here is the plan");

    // From the message field to the search, from there to the messages; the first line of the menu copies.
    desktop.keys(&["F6", "F6", "shift+F10", "Return"]);
    wait_for("the text in another program", || desktop.clipboard().as_deref() == Some("Here is the plan"));

    // Whatever is typed goes into the message, wherever the focus is.
    desktop.types("Still writing");
    wait_for("the draft in the store", || stored_text(&data, DRAFT).as_deref() == Some("Still writing"));
    window.program.kill();
    let window = desktop.window(&data);
    desktop.activate(&window);
    desktop.keys(&["alt+Down"]);
    desktop.types("!");
    wait_for("the draft goes on", || stored_text(&data, DRAFT).as_deref() == Some("Still writing!"));

    let picture = desktop.path("picture.png");
    RgbaImage::from_pixel(30, 20, image::Rgba([200, 30, 30, 255])).save(&picture).unwrap();
    desktop.copy("image/png", &picture);
    desktop.keys(&["ctrl+v"]);
    wait_for("the picture in the draft", || stored(&data, DRAFT_FILES) == Some(1));
    let notes = desktop.path("notes.txt");
    fs::write(&notes, "bring the keys").unwrap();
    desktop.choose(&notes);
    desktop.keys(&["ctrl+o"]);
    wait_for("the chosen file in the draft", || stored(&data, DRAFT_FILES) == Some(2));
    desktop.keys(&["Return"]);
    bob.line_with("Still writing!");
    let saved = || fs::read_dir(&files).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    wait_for("both files with Bob", || saved().count() == 2);
    assert!(saved().any(|bytes| bytes == b"bring the keys"));
    let is_picture = |bytes: &Vec<u8>| {
        let read = image::load_from_memory_with_format(bytes, ImageFormat::Png);
        read.is_ok_and(|picture| (picture.width(), picture.height()) == (30, 20))
    };
    assert!(saved().any(|bytes| is_picture(&bytes)));

    desktop.keys(&["ctrl+n"]);
    desktop.types("cy@domain.com,");
    desktop.keys(&["Tab"]);
    desktop.types("Something else");
    desktop.keys(&["Return"]);
    cy.line_with("Something else");
    // What the search finds is in the other conversation, which it opens.
    desktop.keys(&["ctrl+shift+f"]);
    desktop.types("plan");
    std::thread::sleep(Duration::from_millis(500));
    desktop.keys(&["Return"]);
    desktop.types("found");
    wait_for("the conversation that was found", || stored_text(&data, DRAFT).as_deref() == Some("found"));
    window.program.signal("TERM");
    assert_eq!(window.program.end().code(), 0);
    desktop.end();
}

#[test]
fn without_a_window_the_icon_in_the_tray_says_what_is_new_shows_the_window_and_ends_the_program() {
    let proxy = Proxy::start();
    let desktop = Desktop::start();
    let data = desktop.path("james");
    account(&data, "james", &proxy.udp());
    let items = desktop.tray();
    let program = desktop.start_program(&["--data", data.to_str().unwrap(), "--hidden"]);
    let item = items.recv_timeout(WAIT).unwrap();
    let (path, properties) = ("/StatusNotifierItem", "org.freedesktop.DBus.Properties.Get");
    let status = || {
        let args = ["string:org.kde.StatusNotifierItem", "string:Status"];
        desktop.call(&item, path, properties, &args).unwrap()
    };
    assert!(status().contains("Active"));
    let send = || {
        let (to, text) = ("sip:james@domain.com", "Are you there?");
        let proxy = proxy.udp();
        fanfare(&["send", "--from", "sip:bob@domain.com", "--to", to, "--proxy", &proxy, "--text", text])
            .end()
    };
    // Until he has signed in, nobody reaches him.
    wait_for("the message", || send().code() == 0);
    wait_for("the mark on the icon", || status().contains("NeedsAttention"));
    assert_eq!(desktop.window_of(&program), None);

    let click = "org.kde.StatusNotifierItem.Activate";
    desktop.call(&item, path, click, &["int32:0", "int32:0"]).unwrap();
    wait_for("the window", || desktop.window_of(&program).is_some());
    // The second entry of its menu.
    let quit = ["int32:2", "string:clicked", "variant:int32:0", "uint32:0"];
    desktop.call(&item, "/MenuBar", "com.canonical.dbusmenu.Event", &quit).unwrap();
    assert_eq!(program.end().code(), 0);
    desktop.end();
}

#[test]
fn each_button_of_a_notification_is_pressed_while_another_window_is_in_front() {
    let proxy = Proxy::start();
    let desktop = Desktop::with_dunst();
    let (data, other) = (desktop.path("james"), desktop.path("ann"));
    account(&data, "james", &proxy.udp());
    account(&other, "ann", &proxy.udp());
    let eli = listen(&proxy, "eli", &["--answer", "486"]);
    let (james, ann) = (desktop.window(&data), desktop.window(&other));
    desktop.activate(&james);
    desktop.keys(&["ctrl+n"]);
    desktop.types("eli@domain.com,");
    desktop.keys(&["Tab"]);
    desktop.types("Are you there?");
    desktop.keys(&["Return"]);
    desktop.activate(&ann);
    eli.line_with("486");

    let attempts = || stored(&data, "SELECT max(number) FROM attempt");
    assert_eq!(attempts(), Some(1));
    desktop.press("Resend to 1");
    wait_for("the second attempt", || attempts() == Some(2));
    desktop.press("Show");
    wait_for("the window that was asked for", || desktop.is_active(&james));

    desktop.activate(&ann);
    desktop.keys(&["ctrl+n"]);
    desktop.types("james@domain.com,");
    desktop.keys(&["Tab"]);
    let write = |text: &str| {
        desktop.types(text);
        desktop.keys(&["Return"]);
    };
    write("Lunch?");
    let unread = "SELECT count(*) FROM message m JOIN conversation c ON c.id = m.conversation
                  WHERE m.from_address LIKE '%ann@domain.com' AND m.id > coalesce(c.seen, 0)";
    wait_for("the message", || stored(&data, unread) == Some(1));
    desktop.press("Mark read");
    wait_for("it counts as read", || stored(&data, unread) == Some(0));
    assert!(desktop.is_active(&ann));
    write("At noon?");
    desktop.press("Reply");
    wait_for("the window to answer in", || desktop.is_active(&james));
    desktop.types("Yes");
    wait_for("the answer", || stored_text(&data, "SELECT text FROM draft").as_deref() == Some("Yes"));
    wait_for("it is read, so its notification is gone", || desktop.notifications() == 0);
    desktop.end();
    james.program.kill();
    ann.program.kill();
}

/// Fills a store as the program does that receives so many messages, half of them in one conversation.
fn fill(data: &Path, messages: u64) {
    let person =
        |id: u64| PersonRow { address: format!("sip:p{id}@domain.com"), name: format!("Person {id}") };
    let conversation = |id: u64| {
        let people = vec![person(id)];
        Write::Conversation(ConversationRow { id: ConversationId(id), people, hidden: false })
    };
    let message = |id: u64| {
        let place = if id.is_multiple_of(2) { 100 } else { id % 99 + 1 };
        Write::Incoming(IncomingRow {
            id: MessageId(id),
            conversation: ConversationId(place),
            at: Timestamp::from_millis(1_763_132_400_000 + id * 1000),
            sent_at: None,
            from: person(place),
            also_to: Vec::new(),
            content_type: "text/plain;charset=utf-8".to_owned(),
            body: format!("Message number {id} of many").into_bytes().into(),
            key: format!("tag{id} call{id} 1"),
            verified: true,
        })
    };
    let (answered, answers) = sync_channel(1);
    let store = Store::<ClientSchema>::open(&data.join("messages.sqlite3")).unwrap();
    let writer = store.start(move |group| answered.send(group).unwrap()).unwrap();
    let writes = (1..=100).map(conversation).chain((1..=messages).map(message)).collect();
    writer.commit(Batch { id: BatchId(1), writes }).unwrap();
    assert_eq!(answers.recv_timeout(WAIT).unwrap(), [Outcome::Committed(BatchId(1))]);
}

#[test]
fn ten_thousand_messages_are_shown_searched_and_left_within_bounds() {
    let proxy = Proxy::start();
    let desktop = Desktop::start();
    let data = desktop.path("james");
    account(&data, "james", &proxy.udp());
    fill(&data, 10_000);

    let began = Instant::now();
    let window = desktop.window(&data);
    desktop.activate(&window);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    desktop.keys(&["alt+Down", "Home", "Page_Down", "Page_Down", "End", "Page_Up"]);
    desktop.keys(&["ctrl+shift+f"]);
    // Only one of them has this number.
    desktop.types("9998");
    std::thread::sleep(Duration::from_secs(1));
    desktop.keys(&["Return"]);
    desktop.types("found");
    let found = "SELECT text FROM draft WHERE place = 100";
    wait_for("the conversation that was found", || stored_text(&data, found).as_deref() == Some("found"));
    let status = fs::read_to_string(format!("/proc/{}/status", window.program.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < 600 * 1024, "{kib} KiB");
    window.program.signal("TERM");
    assert_eq!(window.program.end().code(), 0);
    desktop.end();
}
