//! Closing the window ends the program, or leaves it running; and how it starts.

use egui::{Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use fanfare::model::command::Command;
use fanfare::model::snapshot::{Settings, Theme};
use fanfare::ui::desktop::calls::Calls;
use fanfare::ui::desktop::login::Login;
use fanfare::ui::{App, Options};

use crate::fake::{Fake, press, says};
use crate::gallery::{LARGE, SMALL, busy, theme};

pub(crate) fn options(calls: &Calls) -> Options {
    Options {
        calls: calls.clone(),
        can_stay: true,
        zone: Some(jiff::tz::TimeZone::UTC),
        ..Options::default()
    }
}

/// What the desktop does when the user closes the window; true if the window stays.
pub(crate) fn is_closed_in_vain(window: &mut Harness<'static, App>) -> bool {
    let input = window.input_mut();
    input.viewports.entry(ViewportId::ROOT).or_default().events.push(ViewportEvent::Close);
    window.step();
    let stays = commands(window).contains(&ViewportCommand::CancelClose);
    window.input_mut().viewports.entry(ViewportId::ROOT).or_default().events.clear();
    window.run();
    stays
}

fn commands(window: &Harness<'static, App>) -> Vec<ViewportCommand> {
    let output = window.output();
    output.viewport_output.values().flat_map(|viewport| viewport.commands.clone()).collect()
}

fn settings(fake: &Fake) -> Vec<Option<bool>> {
    let asked = fake.asked();
    let put = asked.iter().filter_map(|asked| {
        if let Command::PutSettings(settings) = asked { Some(settings.background) } else { None }
    });
    put.collect()
}

#[test]
fn closing_the_window_asks_once_whether_to_keep_running() {
    let (fake, calls) = (busy(), Calls::default());
    let mut window = fake.window_with(LARGE, options(&calls));
    assert!(is_closed_in_vain(&mut window));
    assert!(says(&window, "To see the window again, start Fanfare."));
    assert!(!calls.take_stay());
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(settings(&fake).is_empty(), "nothing was decided");

    assert!(is_closed_in_vain(&mut window));
    assert!(window.get_by_label("Keep running").is_focused());
    window.get_by_label("Keep running").click();
    let closes = |window: &Harness<'static, App>| commands(window).contains(&ViewportCommand::Close);
    assert!((0..4).any(|_| {
        window.step();
        closes(&window)
    }));
    assert_eq!(settings(&fake), [Some(true)]);
    assert!(calls.take_stay());
}

#[test]
fn what_was_decided_is_done_without_a_question() {
    for (background, stays) in [(true, true), (false, false)] {
        let (fake, calls) = (busy(), Calls::default());
        fake.change(|inner| {
            inner.snapshot.settings = Settings { background: Some(background), ..Settings::default() };
        });
        let mut window = fake.window_with(LARGE, options(&calls));
        assert!(!is_closed_in_vain(&mut window));
        assert_eq!(calls.take_stay(), stays);
    }
    // A program without an account has nothing to go on with.
    let (fake, calls) = (Fake::new(), Calls::default());
    fake.change(|inner| inner.snapshot.account = None);
    let mut window = fake.window_with(LARGE, options(&calls));
    assert!(!is_closed_in_vain(&mut window));
    assert!(!calls.take_stay());
}

#[test]
fn a_later_start_can_end_it() {
    let (fake, calls) = (busy(), Calls::default());
    let mut window = fake.window_with(LARGE, options(&calls));
    calls.quit();
    window.step();
    assert!(commands(&window).contains(&ViewportCommand::Close));
    assert!(!calls.take_stay());
}

#[test]
fn the_settings_say_how_it_starts_and_what_closing_does() {
    let folder = tempfile::tempdir().unwrap();
    let login = Login::new(folder.path(), "/usr/bin/fanfare".into(), vec!["--hidden".to_owned()]);
    let (fake, calls) = (busy(), Calls::default());
    let mut window = fake.window_with(LARGE, Options { login: Some(login.clone()), ..options(&calls) });
    press(&mut window, Modifiers::COMMAND, Key::Comma);
    for (label, is_on) in
        [("Start without a window when I log in", true), ("Start without a window when I log in", false)]
    {
        window.get_by_label(label).scroll_to_me();
        window.run();
        window.get_by_label(label).click();
        window.run();
        assert_eq!(login.is_on(), is_on);
    }
    window.get_by_label("Keep running when the window is closed").click();
    window.run();
    assert_eq!(settings(&fake), [Some(true)]);
}

fn picture(name: &str, size: [f32; 2], chosen: Theme) {
    let (fake, calls) = (busy(), Calls::default());
    theme(&fake, chosen);
    let mut window = fake.window_with(size, options(&calls));
    is_closed_in_vain(&mut window);
    window.snapshot(name);
}

#[test]
fn picture_of_the_question_in_light() {
    picture("closing_light", LARGE, Theme::Light);
}

#[test]
fn picture_of_the_question_in_dark() {
    picture("closing_dark", LARGE, Theme::Dark);
}

#[test]
fn picture_of_the_question_in_a_small_window() {
    picture("closing_small", SMALL, Theme::Light);
}
