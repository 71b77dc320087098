//! A desktop without a screen: a display with a window manager, a private bus with dunst and a file chooser, and the
//! keys and the clipboard of whoever sits in front of it.

#![expect(clippy::disallowed_types, reason = "the macro of zbus makes hashed maps")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;
use zbus::message::Header;
use zbus::{OwnedObjectPath, OwnedVariant, Variant};

use crate::program::{Program, WAIT, fanfare_command};

/// A display, and its name.
pub(crate) fn display() -> (Program, String) {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
    let screen = Program::start("Xvfb", command, None);
    let number = screen.line_with("");
    (screen, format!(":{number}"))
}

/// Waits until something is so.
pub(crate) fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < WAIT, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A desktop. What runs on it ends with it.
pub(crate) struct Desktop {
    programs: Vec<Program>,
    display: String,
    bus: String,
    /// A list of fonts other than that of this computer.
    fonts: Option<PathBuf>,
    pub(crate) folder: TempDir,
}

impl Desktop {
    /// A display with a window manager and a bus.
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let (screen, display) = display();
        let mut command = Command::new("dbus-daemon");
        command.args(["--session", "--nofork", "--print-address"]);
        // What it starts for others has the same home.
        command.env("HOME", folder.path());
        let daemon = Program::start("dbus-daemon", command, None);
        let bus = daemon.line_with("unix:");
        let mut desktop = Self { programs: vec![daemon, screen], display, bus, fonts: None, folder };
        let manager = desktop.command("openbox", &["--sm-disable"]);
        desktop.programs.push(Program::start("openbox", manager, None));
        wait_for("the window manager", || desktop.says("xdotool", &["get_num_desktops"]).is_some());
        desktop
    }

    /// The same, with dunst; a button of a notification is pressed by [`Self::press`].
    pub(crate) fn with_dunst() -> Self {
        let mut desktop = Self::start();
        // Dunst lets a program choose in its menu. This one chooses the line that the test has named.
        let (pick, wanted) = (desktop.path("pick"), desktop.path("wanted"));
        let script = format!("#!/bin/sh\nexec grep -m 1 -F \"$(cat '{}')\"\n", wanted.display());
        fs::write(&pick, script).unwrap();
        fs::set_permissions(&pick, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        let config = desktop.path("dunstrc");
        fs::write(&config, format!("[global]\ndmenu = {}\n", pick.display())).unwrap();
        let command = desktop.command("dunst", &["-config", config.to_str().unwrap()]);
        desktop.programs.push(Program::start("dunst", command, None));
        wait_for("dunst", || desktop.says("dunstctl", &["is-paused"]).is_some());
        desktop
    }

    /// From now on no program here finds a font.
    pub(crate) fn take_the_fonts(&mut self) {
        let (list, none) = (self.path("fonts.conf"), self.path("no fonts"));
        let text = format!("<fontconfig><dir>{0}</dir><cachedir>{0}</cachedir></fontconfig>", none.display());
        fs::write(&list, text).unwrap();
        self.fonts = Some(list);
    }

    /// The same, with what a screen reader needs: the bus on which programs describe their windows.
    pub(crate) fn with_accessibility() -> Self {
        let mut desktop = Self::start();
        let launcher = desktop.command("/usr/libexec/at-spi-bus-launcher", &["--launch-immediately"]);
        desktop.programs.push(Program::start("at-spi-bus-launcher", launcher, None));
        let is_enabled = ["string:org.a11y.Status", "string:IsEnabled", "variant:boolean:true"];
        wait_for("the bus of accessibility", || {
            let method = "org.freedesktop.DBus.Properties.Set";
            desktop.call("org.a11y.Bus", "/org/a11y/bus", method, &is_enabled).is_some()
        });
        desktop
    }

    /// A file in the folder of this desktop.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args);
        self.dress(&mut command);
        command
    }

    /// Has a program run on this desktop.
    pub(crate) fn dress(&self, command: &mut Command) {
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.bus);
        command.env("LIBGL_ALWAYS_SOFTWARE", "1").env_remove("WAYLAND_DISPLAY");
        command.env("HOME", self.folder.path()).env("XDG_CONFIG_HOME", self.folder.path());
        if let Some(fonts) = &self.fonts {
            command.env("FONTCONFIG_FILE", fonts);
        }
    }

    /// What a program prints, if it succeeds.
    pub(crate) fn says(&self, program: &str, args: &[&str]) -> Option<String> {
        let output = self.command(program, args).stdin(Stdio::null()).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    }

    /// Starts fanfare.
    pub(crate) fn start_program(&self, args: &[&str]) -> Program {
        let mut command = fanfare_command(args);
        self.dress(&mut command);
        Program::start("fanfare", command, None)
    }

    /// The window of a program, if it shows one.
    pub(crate) fn window_of(&self, program: &Program) -> Option<String> {
        let pid = program.pid().to_string();
        let ids = self.says("xdotool", &["search", "--onlyvisible", "--pid", &pid])?;
        ids.lines().next().map(str::to_owned)
    }

    /// Opens the window of the account in this folder, and waits until it is there.
    pub(crate) fn window(&self, data: &Path) -> Window {
        let mut command = fanfare_command(&["--data", data.to_str().unwrap()]);
        self.dress(&mut command);
        let program = Program::start("fanfare", command, None);
        let (pid, mut id) = (program.pid().to_string(), None);
        wait_for("the window", || {
            id = self.says("xdotool", &["search", "--onlyvisible", "--pid", &pid]);
            id.is_some() && UnixStream::connect(data.join("window.socket")).is_ok()
        });
        // Its first frames take their time without a graphics card; keys before them are lost.
        std::thread::sleep(Duration::from_secs(2));
        Window { program, id: id.unwrap().lines().next().unwrap().to_owned() }
    }

    /// Brings a window to the front.
    pub(crate) fn activate(&self, window: &Window) {
        wait_for("the window in front", || {
            self.says("xdotool", &["windowactivate", &window.id]);
            self.is_active(window)
        });
    }

    /// Whether a window has the keyboard.
    pub(crate) fn is_active(&self, window: &Window) -> bool {
        self.says("xdotool", &["getactivewindow"]).as_deref() == Some(&window.id)
    }

    /// Presses keys, one after the other.
    pub(crate) fn keys(&self, keys: &[&str]) {
        for key in keys {
            self.says("xdotool", &["key", "--clearmodifiers", key]).unwrap();
            std::thread::sleep(Duration::from_millis(120));
        }
    }

    /// Types.
    pub(crate) fn types(&self, text: &str) {
        self.says("xdotool", &["type", "--delay", "15", text]).unwrap();
        std::thread::sleep(Duration::from_millis(150));
    }

    /// What another program gets when it pastes.
    pub(crate) fn clipboard(&self) -> Option<String> {
        self.says("xclip", &["-selection", "clipboard", "-o"])
    }

    /// Copies a file in another program.
    pub(crate) fn copy(&self, media_type: &str, file: &Path) {
        let args = ["-selection", "clipboard", "-t", media_type, "-i", file.to_str().unwrap()];
        let mut command = self.command("xclip", &args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().unwrap().success());
    }

    /// How many notifications are shown.
    pub(crate) fn notifications(&self) -> u32 {
        self.says("dunstctl", &["count", "displayed"]).unwrap().parse().unwrap()
    }

    /// Presses this button of a notification.
    pub(crate) fn press(&self, button: &str) {
        wait_for("a notification", || self.notifications() > 0);
        fs::write(self.path("wanted"), button).unwrap();
        self.says("dunstctl", &["context"]).unwrap();
    }

    /// From now on, whoever uses the desktop's file chooser gets this file.
    pub(crate) fn choose(&self, file: &Path) {
        let (bus, uri) = (self.bus.clone(), format!("file://{}", file.display()));
        let (ready, is_there) = sync_channel(1);
        std::thread::Builder::new()
            .name("portal".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let portal = zbus::connection::Builder::address(bus.as_str())
                        .name("org.freedesktop.portal.Desktop")
                        .serve_at(PORTAL, FileChooser { uri });
                    let _connection = portal.build().await.unwrap();
                    ready.send(()).unwrap();
                    std::future::pending::<()>().await;
                });
            })
            .unwrap();
        is_there.recv_timeout(WAIT).unwrap();
    }

    /// From now on there is a tray; the names of the items that register themselves come out of this.
    pub(crate) fn tray(&self) -> Receiver<String> {
        let bus = self.bus.clone();
        let (tell, items) = sync_channel(4);
        let (ready, is_there) = sync_channel(1);
        std::thread::Builder::new()
            .name("tray".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let tray = zbus::connection::Builder::address(bus.as_str())
                        .name("org.kde.StatusNotifierWatcher")
                        .serve_at("/StatusNotifierWatcher", Watcher { tell });
                    let _connection = tray.build().await.unwrap();
                    ready.send(()).unwrap();
                    std::future::pending::<()>().await;
                });
            })
            .unwrap();
        is_there.recv_timeout(WAIT).unwrap();
        items
    }

    /// Calls a method on the bus; what it answers, if it does.
    pub(crate) fn call(&self, to: &str, path: &str, method: &str, args: &[&str]) -> Option<String> {
        let to = format!("--dest={to}");
        self.says("dbus-send", &[&["--session", "--print-reply=literal", &to, path, method], args].concat())
    }

    /// Ends all that runs on it.
    pub(crate) fn end(self) {
        self.programs.into_iter().rev().for_each(Program::kill);
    }
}

/// What a tray looks for, without a picture of it.
struct Watcher {
    tell: SyncSender<String>,
}

#[zbus::interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: String) {
        self.tell.send(service).unwrap();
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }
}

const PORTAL: &str = "/org/freedesktop/portal/desktop";

/// The file chooser of a desktop's portal, whose user always chooses the same file.
struct FileChooser {
    uri: String,
}

#[zbus::interface(name = "org.freedesktop.portal.FileChooser")]
impl FileChooser {
    fn open_file(
        &self,
        #[zbus(header)] header: Header<'_>,
        #[zbus(connection)] connection: &zbus::Connection,
        _parent: String,
        _title: String,
        options: BTreeMap<String, OwnedVariant>,
    ) -> OwnedObjectPath {
        let sender = header.sender().unwrap().trim_start_matches(':').replace('.', "_");
        let token: String = options.get("handle_token").unwrap().try_clone().unwrap().try_into().unwrap();
        let request = OwnedObjectPath::try_from(format!("{PORTAL}/request/{sender}/{token}")).unwrap();
        let (connection, path, uri) = (connection.clone(), request.clone(), self.uri.clone());
        tokio::spawn(async move {
            // Nobody chooses within no time.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let results = BTreeMap::from([("uris", Variant::from(vec![uri]))]);
            let interface = "org.freedesktop.portal.Request";
            let none: Option<&str> = None;
            connection.emit_signal(none, &path, interface, "Response", &(0_u32, results)).await.unwrap();
        });
        request
    }
}

/// A window, and what runs behind it.
pub(crate) struct Window {
    pub(crate) program: Program,
    id: String,
}

/// Makes a folder with an account of this proxy, without a password.
pub(crate) fn account(folder: &Path, name: &str, proxy: &str) {
    fs::create_dir_all(folder).unwrap();
    let text =
        format!("(address: \"sip:{name}@domain.com\", name: \"{name}\", proxy: \"{proxy}\", worked: true)");
    fs::write(folder.join("account.ron"), text).unwrap();
}

/// A number from the messages in this folder; none if there is none yet.
pub(crate) fn stored(folder: &Path, sql: &str) -> Option<i64> {
    open(folder)?.query_row(sql, [], |row| row.get(0)).ok()
}

/// A text from them.
pub(crate) fn stored_text(folder: &Path, sql: &str) -> Option<String> {
    open(folder)?.query_row(sql, [], |row| row.get(0)).ok()
}

fn open(folder: &Path) -> Option<Connection> {
    Connection::open_with_flags(folder.join("messages.sqlite3"), OpenFlags::SQLITE_OPEN_READ_ONLY).ok()
}
