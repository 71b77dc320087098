//! `fanfare` and `fanfare demo`: the window with its engine.

mod asked;
mod failing;

use std::cell::RefCell;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;

pub(super) use self::asked::StartedFor;
use self::asked::{HIDDEN, QUIT, hear_later_starts};
use self::failing::{announce, decide, decide_on_damage, sentence};
use super::{Arguments, runtime, stopped};
use crate::config::client::{Folders, autostart_folder};
use crate::config::passwords::Keyring;
use crate::demo::{DemoRun, FIRST_MESSAGE};
use crate::hosting::{self, Host};
use crate::runtime::agent::AgentError;
use crate::runtime::engine::{Engine, EngineError, EngineOptions, Quitter, Wake, WireTap};
use crate::runtime::handover::hand_over;
use crate::runtime::logs;
use crate::store::OpenErrorKind;
use crate::ui::background::{WokenFor, without_window};
use crate::ui::desktop::browser::Opener;
use crate::ui::desktop::calls::Calls;
use crate::ui::desktop::chooser::Chooser;
use crate::ui::desktop::exporter::Exporter;
use crate::ui::desktop::login::Login;
use crate::ui::desktop::tray::{Click, Tray};
use crate::ui::{self, Customs, Options, Waker};

/// File with the window's size and position, in the folder of the messages.
const WINDOW_STATE: &str = "window.ron";
/// Folder of a server that the window hosts, in the folder of the messages.
const HOSTED: &str = "hosted";
/// What can be done where no window can be opened.
const WITHOUT_A_DISPLAY: &str = "in a terminal, use fanfare demo --headless, fanfare send and fanfare listen";
/// Makes Mesa draw without the graphics card.
const SOFTWARE_GL: &str = "LIBGL_ALWAYS_SOFTWARE";

/// How long a window that is just being opened has to take over.
const HANDOVER_TRIES: u32 = 10;
/// How often it is tried whether a window that was told to end has ended.
const QUIT_TRIES: u32 = 75;
/// The time between two tries.
const HANDOVER_PAUSE: Duration = Duration::from_millis(200);

fn folders(data: Option<&Path>) -> anyhow::Result<Folders> {
    match data {
        Some(folder) => Ok(Folders::under(folder)),
        None => {
            Folders::of_this_person().context("this user has no home folder; give a folder with --data DIR")
        }
    }
}

/// Ends the fanfare that runs with this data, and waits until it has.
pub(super) fn quit(data: Option<&Path>) -> anyhow::Result<ExitCode> {
    let folders = folders(data)?;
    anyhow::ensure!(hand_over(&folders.data, QUIT), "no fanfare runs here that could be ended");
    for _ in 0..QUIT_TRIES {
        // As long as it answers, it has not ended.
        if !hand_over(&folders.data, HIDDEN) {
            return Ok(ExitCode::SUCCESS);
        }
        std::thread::sleep(HANDOVER_PAUSE);
    }
    anyhow::bail!("fanfare was told to end, and has not ended yet")
}

/// Opens the window with the user's data, or with the data in `data`; if it is open already, that one shows itself. A hidden
/// one opens when it is called.
pub(super) fn run(data: Option<&Path>, asked: StartedFor) -> anyhow::Result<ExitCode> {
    let folders = folders(data)?;
    let (line, is_hidden) = (asked.line(), matches!(asked, StartedFor::Hidden));
    let line = line.as_str();
    let cannot_use = || format!("cannot use the folder {}", folders.data.display());
    if hand_over(&folders.data, line) || !decide_on_damage(&folders).with_context(cannot_use)? {
        return Ok(ExitCode::SUCCESS);
    }
    let waker = Waker::default();
    let engine = loop {
        let started = Engine::start(EngineOptions {
            settings: Some(folders.settings.clone()),
            // With --data, everything is in that folder.
            keyring: if data.is_some() { Keyring::Unused } else { Keyring::System },
            data: Some(folders.data.clone()),
            account: None,
            book: None,
            demo: false,
            wire: None,
            wake: wake(&waker),
        });
        match started {
            Ok(engine) => break engine,
            Err(error) if is_in_use(&error) && hand_over_soon(&folders.data, line) => {
                return Ok(ExitCode::SUCCESS);
            }
            Err(error) => decide(error, &folders)?,
        }
    };
    quit_when_stopped(engine.quitter())?;
    let calls = Calls::default();
    asked.tell(&calls);
    let _doorbell = hear_later_starts(&folders.data, &calls, &waker);
    let program = std::env::current_exe()?;
    let host =
        Host::start(program.clone(), folders.data.join(HOSTED), engine.wire().tap, wake(&waker).into())?;
    let options = Options {
        can_stay: true,
        tray: tray(&calls, &waker),
        calls,
        login: login(data),
        host: Some(host.board()),
        faults: Some(host.faults()),
        nearby: Some(hosting::search(wake(&waker).into())),
        notifications: true,
        state: Some(folders.data.join(WINDOW_STATE)),
        opener: Some(Opener::system()),
        chooser: Some(Chooser::system()),
        customs: Customs::of_system(),
        exporter: Some(exporter(&folders)),
        demo: Some(program),
        ..Options::default()
    };
    show(&Rc::new(RefCell::new(engine)), &waker, options, is_hidden)?;
    Ok(ExitCode::SUCCESS)
}

/// Shows the window, and goes on without it whenever it is closed to that end.
fn show(
    engine: &Rc<RefCell<Engine>>,
    waker: &Waker,
    mut options: Options,
    mut is_hidden: bool,
) -> anyhow::Result<()> {
    loop {
        if is_hidden {
            match without_window(Rc::clone(engine), waker, options.clone()) {
                WokenFor::Window(conversation) => options.last_open = conversation,
                WokenFor::Quit => return Ok(()),
            }
        }
        open_window(engine, waker, options.clone())?;
        if !options.calls.take_stay() {
            return Ok(());
        }
        is_hidden = true;
    }
}

/// The icon in the tray, which can do what a later start can.
fn tray(calls: &Calls, waker: &Waker) -> Option<Tray> {
    let (calls, waker) = (calls.clone(), waker.clone());
    let clicked = move |click| {
        match click {
            Click::Show => calls.show(),
            Click::Quit => calls.quit(),
        }
        waker.wake();
    };
    Tray::start(clicked).inspect_err(|error| tracing::warn!(%error, "no icon in the tray")).ok()
}

/// How this program is started when the user logs in.
fn login(data: Option<&Path>) -> Option<Login> {
    let program = std::env::current_exe().ok()?;
    let folder = data.map(std::path::absolute).transpose().ok()?;
    let folder = folder.map(|folder| ["--data".to_owned(), folder.to_string_lossy().into_owned()]);
    let arguments = std::iter::once("--hidden".to_owned()).chain(folder.into_iter().flatten());
    Some(Login::new(&autostart_folder()?, program, arguments.collect()))
}

const fn is_in_use(error: &EngineError) -> bool {
    matches!(error, EngineError::Agent(AgentError::Store(error)) if matches!(error.kind, OpenErrorKind::InUse))
}

/// Somebody has the messages: perhaps a window that is not yet open.
fn hand_over_soon(folder: &Path, line: &str) -> bool {
    (0..HANDOVER_TRIES).any(|_| {
        std::thread::sleep(HANDOVER_PAUSE);
        hand_over(folder, line)
    })
}

/// Opens a window of the engine, which goes on when that is closed. Where it cannot be drawn with the graphics card, starts this program once more, drawing without it;
/// where nothing helps, a notification says so to whoever started it from a menu.
fn open_window(engine: &Rc<RefCell<Engine>>, waker: &Waker, options: Options) -> anyhow::Result<()> {
    let Err(error) = ui::run(Rc::clone(engine), waker, options) else { return Ok(()) };
    if matches!(error, ui::Error::Graphics(_)) && std::env::var_os(SOFTWARE_GL).is_none() {
        tracing::warn!(%error, "drawing without the graphics card");
        let arguments = std::env::args_os().skip(1);
        let refused =
            std::process::Command::new(std::env::current_exe()?).args(arguments).env(SOFTWARE_GL, "1").exec();
        tracing::warn!(error = %refused, "this program cannot be started again");
    }
    announce(&sentence(&error.to_string()));
    if matches!(error, ui::Error::Window(_)) {
        anyhow::bail!("{error}; {WITHOUT_A_DISPLAY}");
    }
    Err(error.into())
}

/// SIGINT and SIGTERM quit like the window does: the account signs off, and everything known is stored.
fn quit_when_stopped(quitter: Quitter) -> anyhow::Result<()> {
    let runtime = runtime()?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        match runtime.block_on(stopped()) {
            Ok(()) => {
                let has_ended = quitter.quit();
                logs::flush();
                std::process::exit(i32::from(!has_ended));
            }
            Err(error) => tracing::warn!(%error, "signals cannot be waited for"),
        }
    })?;
    Ok(())
}

/// Opens the window with the demo and its first message ready to send. For a screenshot the message is sent
/// automatically, and the window closes once the screenshot is saved.
pub(super) fn run_demo(screenshot: Option<PathBuf>, faults: &[String]) -> anyhow::Result<ExitCode> {
    let waker = Waker::default();
    let wire = WireTap::waking(wake(&waker).into());
    let stage = DemoRun::set(&std::env::current_exe()?, Some(wire.clone()), faults)?;
    let engine = stage.engine(wire, wake(&waker))?;
    let options = Options {
        ready: Some((stage.everybody(), FIRST_MESSAGE.to_owned())),
        send_ready: screenshot.is_some(),
        notifications: screenshot.is_none(),
        screenshot: screenshot.clone(),
        faults: Some(stage.faults()),
        state: Some(stage.folder().join(WINDOW_STATE)),
        opener: Some(Opener::system()),
        chooser: Some(Chooser::system()),
        customs: Customs::of_system(),
        ..Options::default()
    };
    open_window(&Rc::new(RefCell::new(engine)), &waker, options)?;
    match screenshot {
        Some(file) if !file.exists() => anyhow::bail!("the picture could not be saved as {}", file.display()),
        Some(_) | None => Ok(ExitCode::SUCCESS),
    }
}

/// Reads the messages anew, beside the engine.
fn exporter(folders: &Folders) -> Exporter {
    let folders = folders.clone();
    Exporter(Arc::new(move |conversation, path| {
        super::history::export_conversation(&folders, conversation, path)
            .map_err(|error| format!("{error:#}"))
    }))
}

fn wake(waker: &Waker) -> Wake {
    let waker = waker.clone();
    Box::new(move || waker.wake())
}

/// `--data` before a subcommand applies to the window: a proxy given its folder there would store nothing.
pub(super) fn not_before_a_command(arguments: &Arguments) -> anyhow::Result<()> {
    anyhow::ensure!(
        arguments.data.is_none(),
        "--data before the command is for the window only; put it at the end: fanfare COMMAND ... --data DIR"
    );
    anyhow::ensure!(
        arguments.provision.is_none(),
        "an account file is opened by the window: fanfare --provision FILE, without a command"
    );
    anyhow::ensure!(
        arguments.link.is_none(),
        "a link is opened by the window: fanfare LINK, without a command"
    );
    Ok(())
}
