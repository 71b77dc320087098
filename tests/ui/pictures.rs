//! Pictures in messages: shown, enlarged, saved, forwarded, made small enough to be sent.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::model::command::{AgentCommand, Command};
use fanfare::model::journal::DeliveryState::Delivered;
use fanfare::model::journal::{ConversationId, MessageId};
use fanfare::model::snapshot::{MessageView, Theme};
use fanfare::model::text::FileShown;
use fanfare::sip::File;
use fanfare::ui::desktop::chooser::{Chooser, FileRequest};
use fanfare::ui::desktop::exporter::Exporter;
use fanfare::ui::{App, Options};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use jiff::tz::TimeZone;

use crate::fake::{Fake, ago, from, own, people, press, says};
use crate::gallery::{LARGE, SMALL};

/// A sky over water.
fn landscape(width: u32, height: u32) -> DynamicImage {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let part = u8::try_from(255 * y / height).unwrap();
        let shade = u8::try_from(40 * x / width).unwrap();
        if y < height / 2 {
            Rgb([120 + shade, 170, 255 - part / 4])
        } else {
            Rgb([20, 80 + shade, 200 - part / 2])
        }
    });
    picture.into()
}

fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn file(name: &str, media_type: &str, bytes: Vec<u8>) -> File {
    File { name: Some(name.into()), media_type: media_type.into(), bytes: bytes.into() }
}

/// Puts files into a message.
fn with_files(fake: &Fake, message: MessageView, files: Vec<File>) -> MessageView {
    let shown = |file: &File| FileShown {
        name: file.called().to_owned(),
        media_type: file.media_type.clone(),
        bytes: file.bytes.len(),
    };
    let view = MessageView { files: files.iter().map(shown).collect(), ..message };
    fake.change(|inner| {
        for (index, file) in files.into_iter().enumerate() {
            inner.files.insert((view.id, index), file);
        }
    });
    view
}

/// Ann has sent a picture, a broken one and a text file; we have sent a small picture.
fn pictures() -> Fake {
    let fake = Fake::new();
    let ann = people(&["Ann Lee"]);
    let lake = written(&landscape(1200, 800), ImageFormat::Jpeg);
    let theirs = with_files(
        &fake,
        from(1, ago(9), &ann[0], "At the lake."),
        vec![
            file("lake.jpg", "image/jpeg", lake),
            file("broken.png", "image/png", b"\x89PNG\r\n\x1a\nno more".to_vec()),
            file("notes.txt", "text/plain", b"notes".to_vec()),
        ],
    );
    let icon = written(&landscape(48, 32), ImageFormat::Gif);
    let ours = own(2, ago(3), "", &[(&ann[0], Delivered)]);
    let ours = with_files(&fake, ours, vec![file("small.gif", "image/gif", icon)]);
    fake.converse(1, &ann, vec![theirs, ours], 0);
    fake
}

fn wait_until(window: &mut Harness<'static, App>, done: impl Fn(&Harness<'static, App>) -> bool) {
    for _ in 0..2000 {
        window.run();
        if done(window) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it never came");
}

fn open(fake: &Fake, size: [f32; 2], options: Options) -> Harness<'static, App> {
    let mut window = fake.window_with(size, Options { zone: Some(TimeZone::UTC), ..options });
    window.get_by(|node| node.label().is_some_and(|name| name.starts_with("Ann Lee,"))).click();
    wait_until(&mut window, |window| window.query_by_label("Enlarge small.gif").is_some());
    window
}

/// The same with all pictures there.
fn opened(fake: &Fake, size: [f32; 2]) -> Harness<'static, App> {
    let mut window = open(fake, size, Options::default());
    wait_until(&mut window, |window| window.query_by_label("Enlarge lake.jpg").is_some());
    window.run();
    window
}

#[test]
fn pictures_are_shown_in_their_messages_and_what_is_broken_is_a_file() {
    let fake = pictures();
    let mut window = opened(&fake, LARGE);
    assert!(window.query_by_label("Enlarge broken.png").is_none());
    assert!(window.query_by_label("Enlarge notes.txt").is_none());
    assert_eq!(window.get_all_by_label("Save").count(), 4, "each can be saved");
    let asked = fake.asked();
    let read = |message, index| {
        let is = |command: &&Command| matches!(command, Command::ReadFile { message: MessageId(id), file } if (*id, *file) == (message, index));
        asked.iter().filter(is).count()
    };
    assert_eq!([read(1, 0), read(1, 1), read(1, 2), read(2, 0)], [1, 1, 0, 1], "each picture is read once");
    let place = window.get_by_label("Enlarge lake.jpg").rect();
    assert_eq!((place.width(), place.height()), (320.0, 213.0));
    let place = window.get_by_label("Enlarge small.gif").rect();
    assert_eq!((place.width(), place.height()), (48.0, 32.0), "it is made no larger");
    window.snapshot("pictures_light");
}

#[test]
fn pictures_in_a_small_dark_window() {
    let fake = pictures();
    fake.change(|inner| inner.snapshot.settings.theme = Theme::Dark);
    let mut window = opened(&fake, SMALL);
    press(&mut window, Modifiers::NONE, Key::PageUp);
    window.snapshot("pictures_small_dark");
}

#[test]
fn pictures_on_a_screen_at_200_percent() {
    let fake = pictures();
    fake.change(|inner| inner.snapshot.settings.scale = 2.0);
    let mut window = opened(&fake, [2200.0, 1440.0]);
    window.snapshot("pictures_scaled");
}

#[test]
fn a_click_enlarges_a_picture_the_arrows_go_on_and_esc_closes_it() {
    let fake = pictures();
    let mut window = opened(&fake, LARGE);
    window.get_by_label("Enlarge lake.jpg").click();
    window.run();
    window.get_by_label("Close");
    wait_until(&mut window, |window| !says(window, "Opening"));
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    assert!(says(&window, "small.gif"));
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    assert!(says(&window, "small.gif"), "there is no other");
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label("Close").is_none());
    window.get_by_label("Send to 1");
}

#[test]
fn an_enlarged_picture_in_a_dark_window() {
    let fake = pictures();
    fake.change(|inner| inner.snapshot.settings.theme = Theme::Dark);
    let mut window = opened(&fake, LARGE);
    window.get_by_label("Enlarge lake.jpg").click();
    // Until the large one is there, the small one is in its place.
    (0..100).for_each(|_| {
        window.run();
        std::thread::sleep(Duration::from_millis(5));
    });
    window.snapshot("picture_enlarged_dark");
}

#[test]
fn a_file_is_saved_where_the_user_chooses_and_forwarded_with_its_message() {
    let fake = pictures();
    let names = Arc::new(Mutex::new(Vec::new()));
    let (asked, answer) = (Arc::clone(&names), vec![PathBuf::from("/home/james/lake 1.jpg")]);
    let chooser = Chooser(Arc::new(move |what: &FileRequest| {
        asked.lock().unwrap().push(what.clone());
        Some(answer.clone())
    }));
    let mut window = open(&fake, LARGE, Options { chooser: Some(chooser), ..Options::default() });
    wait_until(&mut window, |window| window.query_by_label("Enlarge lake.jpg").is_some());
    window.get_by_label("Enlarge lake.jpg").click();
    window.run();
    window.get_by_label("Save as…").click();
    let to = |fake: &Fake| {
        fake.asked().into_iter().find_map(|command| {
            if let Command::SaveFile { message: MessageId(1), file: 0, to } = command {
                Some(to)
            } else {
                None
            }
        })
    };
    let saved = Mutex::new(None);
    wait_until(&mut window, |_| {
        let found = to(&fake);
        let is_found = found.is_some();
        *saved.lock().unwrap() = found;
        is_found
    });
    assert_eq!(saved.into_inner().unwrap(), Some(Some("/home/james/lake 1.jpg".into())));
    assert_eq!(*names.lock().unwrap(), [FileRequest::SaveAs("lake.jpg".into())]);
    press(&mut window, Modifiers::NONE, Key::Escape);

    // The menu opens on a picture as it does beside it.
    window.get_by_label("Enlarge lake.jpg").click_secondary();
    window.run();
    window.get_by_label("Forward").click();
    window.run();
    window.get_by_label("Remove lake.jpg");
    window.get_by_label("Remove notes.txt");
    fake.asked();
}

#[test]
fn a_picture_that_is_too_large_is_attached_as_a_smaller_copy() {
    let fake = pictures();
    let mut seed = 7_u32;
    let noise = RgbImage::from_fn(900, 600, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [red, green, blue, _] = seed.to_be_bytes();
        Rgb([red, green, blue])
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("noise.png");
    std::fs::write(&path, written(&noise.into(), ImageFormat::Png)).unwrap();
    let chooser = Chooser(Arc::new(move |_: &FileRequest| Some(vec![path.clone()])));
    let mut window = open(&fake, LARGE, Options { chooser: Some(chooser), ..Options::default() });
    window.get_by_label("Attach a file").click();
    wait_until(&mut window, |window| window.query_by_label("Attach a smaller copy").is_some());
    assert!(says(&window, "noise.png has 1.6 MB. A message can have 1.0 MB in all."));
    window.snapshot("picture_too_large_light");
    window.get_by_label("Attach a smaller copy").click();
    wait_until(&mut window, |window| window.query_by_label("Remove noise.jpg").is_some());
    window.get_by_label("Send to 1").click();
    window.run();
    let draft = fake.asked().into_iter().find_map(|command| {
        if let Command::Agent(AgentCommand::Send(draft)) = command { Some(draft) } else { None }
    });
    let sent = &draft.unwrap().files[0];
    assert!(sent.bytes.starts_with(b"\xff\xd8\xff") && sent.bytes.len() < 1024 * 1024);
    assert_eq!(sent.media_type, "image/jpeg");
}

#[test]
fn a_conversation_is_exported_by_its_key_to_where_the_user_chooses() {
    let fake = pictures();
    let names = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&names);
    let chooser = Chooser(Arc::new(move |what: &FileRequest| {
        asked.lock().unwrap().push(what.clone());
        Some(vec![PathBuf::from("/home/james/Ann.txt")])
    }));
    let written = Arc::new(Mutex::new(Vec::new()));
    let exported = Arc::clone(&written);
    let exporter = Exporter(Arc::new(move |conversation, path: &Path| {
        exported.lock().unwrap().push((conversation, path.to_owned()));
        if exported.lock().unwrap().len() == 1 { Ok(()) } else { Err("the disk is full".to_owned()) }
    }));
    let options = Options { chooser: Some(chooser), exporter: Some(exporter), ..Options::default() };
    let mut window = open(&fake, LARGE, options);
    press(&mut window, Modifiers::COMMAND, Key::E);
    window.get_by_label("Text").click();
    window.run();
    window.get_by_label("Save as…").click();
    wait_until(&mut window, |window| says(window, "Saved as /home/james/Ann.txt"));
    assert_eq!(*names.lock().unwrap(), [FileRequest::SaveAs("Ann Lee 2025-11-14.txt".into())]);
    assert_eq!(*written.lock().unwrap(), [(ConversationId(1), "/home/james/Ann.txt".into())]);
    press(&mut window, Modifiers::COMMAND, Key::E);
    press(&mut window, Modifiers::NONE, Key::Enter);
    wait_until(&mut window, |window| says(window, "could not be exported: the disk is full."));
}

#[test]
fn a_file_of_contacts_is_chosen_in_the_same_chooser() {
    let fake = pictures();
    let chooser = Chooser(Arc::new(|what: &FileRequest| {
        assert_eq!(*what, FileRequest::Contacts);
        Some(vec![PathBuf::from("/home/james/team.vcf")])
    }));
    let mut window = open(&fake, LARGE, Options { chooser: Some(chooser), ..Options::default() });
    window.get_by_role_and_label(egui::accesskit::Role::Tab, "Contacts").click();
    window.run();
    window.get_by_label("Import…").click();
    window.run();
    fake.asked();
    window.get_by_label("Choose file…").click();
    let is_read =
        |command: &Command| matches!(command, Command::ReadContacts(path) if path.ends_with("team.vcf"));
    let read = Mutex::new(false);
    wait_until(&mut window, |_| {
        let mut read = read.lock().unwrap();
        *read |= fake.asked().iter().any(is_read);
        *read
    });
}
