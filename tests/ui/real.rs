//! The same job with the real engine, store and proxy behind the window, and people on real sockets.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use fanfare::config::passwords::Keyring;
use fanfare::demo::DemoRun;
use fanfare::runtime::engine::{Engine, EngineOptions, WireTap};
use fanfare::ui::{App, Options};

use crate::fake::{press, type_into};
use crate::gallery::LARGE;

/// Longer than Timer F of the demo; nobody waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(30);

#[test]
fn three_people_on_real_sockets_get_one_message_and_one_of_them_does_not() {
    let (wake, woken) = sync_channel(64);
    let passed = wake.clone();
    let wire = WireTap::waking(Arc::new(move || passed.try_send(()).unwrap_or(())));
    let stage = DemoRun::set(Path::new(env!("CARGO_BIN_EXE_fanfare")), Some(wire.clone()), &[]).unwrap();
    let engine = Engine::start(EngineOptions {
        settings: Some(stage.folder()),
        keyring: Keyring::Unused,
        data: Some(stage.folder()),
        account: Some(stage.account()),
        book: Some(stage.book()),
        demo: true,
        wire: Some(wire),
        wake: Box::new(move || wake.try_send(()).unwrap_or(())),
    })
    .unwrap();
    // As the program does it, so that the engine outlives a window.
    let engine = Rc::new(RefCell::new(engine));
    let mut window = Harness::builder()
        .with_size(LARGE)
        .with_max_steps(24)
        .build_eframe(move |creation| App::new(&creation.egui_ctx, Box::new(engine), Options::default()));
    wait_for(&mut window, &woken, Role::Label, |name| name.ends_with(": Connected"));
    window.get_by_role_and_label(Role::Tab, "Contacts").click();
    window.run();
    for name in ["Always Ann", "Slow Cy", "Wrong-Address Dana"] {
        window.get_by_role_and_label(Role::CheckBox, name).click();
        window.run();
    }
    window.get_by_label("Write to 3").click();
    window.run();
    type_into(&mut window, "Message", "Who can come?");
    window.get_by_label("Send to 3").click();
    window.run();

    wait_for(&mut window, &woken, Role::Image, |name| name.starts_with("Always Ann: delivered"));
    wait_for(&mut window, &woken, Role::Image, |name| name.starts_with("Slow Cy: delivered"));
    wait_for(&mut window, &woken, Role::Image, |name| {
        name == "Wrong-Address Dana: not delivered, no such address"
    });
    wait_for(&mut window, &woken, Role::Button, |name| name == "1 of 3 not delivered");
    window.get_by_label("404 Not Found");
    window.get_by_role_and_label(Role::Tab, "Wire").click();
    window.run();
    for passed in [
        "MESSAGE, from james@demo.example to proxy",
        "202 Accepted, from proxy to james@demo.example",
        "404 Not Found, from dana@demo.example to proxy",
        "MESSAGE ×4, from proxy to cy@demo.example",
        "NOTIFY, from proxy to james@demo.example",
    ] {
        wait_for(&mut window, &woken, Role::ListItem, |name| name.ends_with(passed));
    }
    window.get_by_role_and_label(Role::Tab, "Delivery").click();
    window.run();
    window.get_by_label("Resend to 1").click();
    window.run();
    wait_for(&mut window, &woken, Role::Label, |name| name.ends_with("attempt 2"));
    wait_for(&mut window, &woken, Role::Button, |name| name == "1 of 3 not delivered");

    // Her copy goes to the corrected address, where somebody else answers.
    window.get_by_label("Edit address").click();
    window.run();
    window.get_by_role_and_label(Role::TextInput, "SIP address").focus();
    press(&mut window, Modifiers::COMMAND, Key::A);
    type_into(&mut window, "SIP address", "eli@demo.example");
    window.get_by_label("Send to this address").click();
    window.run();
    wait_for(&mut window, &woken, Role::Image, |name| name == "Busy Eli: not delivered, busy");
    window.get_by_label("486 Busy Here");
}

/// Draws until it is so.
fn until(window: &mut Harness<'static, App>, is_so: impl Fn(&Harness<'static, App>) -> bool) {
    let pause = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    while !is_so(window) {
        assert!(waited < PATIENCE);
        std::thread::sleep(pause);
        waited += pause;
        window.run();
    }
}

/// Draws whenever the engine wakes the window, until a widget of that role has such a name.
fn wait_for(
    window: &mut Harness<'static, App>,
    woken: &Receiver<()>,
    role: Role,
    named: impl Fn(&str) -> bool,
) {
    loop {
        window.run();
        let found = window.root().children_recursive().any(|node| {
            let node = node.accesskit_node();
            node.role() == role && node.label().or_else(|| node.value()).is_some_and(|name| named(&name))
        });
        if found {
            return;
        }
        woken.recv_timeout(PATIENCE).expect("the engine woke the window");
    }
}

#[test]
fn the_demo_is_tried_from_the_first_screen_in_the_same_window_and_left_again() {
    let (wake, woken) = sync_channel(64);
    let engine = Engine::start(EngineOptions {
        settings: None,
        keyring: Keyring::Unused,
        data: None,
        account: None,
        book: None,
        demo: false,
        wire: None,
        wake: Box::new(|| {}),
    })
    .unwrap();
    let engine = Rc::new(RefCell::new(engine));
    let options = Options { demo: Some(env!("CARGO_BIN_EXE_fanfare").into()), ..Options::default() };
    let mut window = Harness::builder().with_size(LARGE).with_max_steps(24).build_eframe(move |creation| {
        creation.egui_ctx.set_request_repaint_callback(move |_| wake.try_send(()).unwrap_or(()));
        App::new(&creation.egui_ctx, Box::new(engine), options)
    });
    window.run();
    type_into(&mut window, "SIP address", "james@exam");
    window.get_by_label("Try the demo").click();
    wait_for(&mut window, &woken, Role::Button, |name| name == "Leave the demo");
    wait_for(&mut window, &woken, Role::Label, |name| name.ends_with(": Connected"));
    window.get_by_role_and_label(Role::MultilineTextInput, "Message").focus();
    press(&mut window, Modifiers::NONE, Key::Enter);
    wait_for(&mut window, &woken, Role::Image, |name| name.starts_with("Always Ann: delivered"));
    wait_for(&mut window, &woken, Role::Image, |name| {
        name == "Wrong-Address Dana: not delivered, no such address"
    });

    press(&mut window, Modifiers::COMMAND, Key::Comma);
    window.get_by_label("Dark").click();
    let is_dark = |window: &Harness<'static, App>| window.ctx.global_style().visuals.dark_mode;
    until(&mut window, is_dark);
    press(&mut window, Modifiers::NONE, Key::Escape);
    window.get_by_label("Leave the demo").click();
    window.run();
    let field = window.get_by_role_and_label(Role::TextInput, "SIP address");
    assert!(field.accesskit_node().is_focused(), "typing goes on where it was");
    until(&mut window, is_dark);
    let typed = window.get_by_role_and_label(Role::TextInput, "SIP address").value();
    assert_eq!(typed.as_deref(), Some("james@exam"), "the form is as it was left");
    assert!(window.query_by_label("Leave the demo").is_none());
}
