//! The account's password in a real keyring: GNOME's, on a bus of its own.

use std::net::UdpSocket;
use std::process::Command;
use std::time::{Duration, Instant};

use fanfare::config::client::ClientFiles;
use fanfare::config::passwords::{Keyring, Passwords};
use fanfare::model::account::{Account, Password, RegistrationState};
use fanfare::model::snapshot::{PasswordPlace, Settings, Snapshot};
use fanfare::runtime::engine::{Engine, EngineOptions};

use super::fake::account;

/// Set in the process that runs beside a keyring.
const INSIDE: &str = "FANFARE_TEST_BESIDE_A_KEYRING";
/// Starts an unlocked keyring, and the test beside it.
const BESIDE: &str = "printf unlocked | gnome-keyring-daemon --unlock --components=secrets >/dev/null && \
     exec \"$0\" --exact keyring::a_password_is_in_the_keyring_where_there_is_one --nocapture";

fn with_password(password: &str) -> Account {
    let mut account = account();
    account.sign_in.password = Password::new(password.to_owned());
    account
}

/// Runs again on a private bus, where it is done.
#[test]
fn a_password_is_in_the_keyring_where_there_is_one() {
    if std::env::var_os(INSIDE).is_some() {
        return beside_a_keyring();
    }
    let home = tempfile::tempdir().unwrap();
    let output = Command::new("dbus-run-session")
        .args(["--", "sh", "-c", BESIDE])
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, "1")
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env_remove("XDG_DATA_HOME")
        .output()
        .expect("dbus-run-session; script/test installs it and gnome-keyring");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("1 passed"), "{output:?}");
    let kept = home.path().join(".local/share/keyrings");
    assert!(kept.read_dir().is_ok_and(|mut files| files.next().is_some()), "the keyring has it: {output:?}");
}

fn beside_a_keyring() {
    let folder = tempfile::tempdir().unwrap();
    let passwords = Passwords::new(Some(folder.path().to_owned()), Keyring::System);
    let none = (Password::default(), PasswordPlace::None);
    assert_eq!(passwords.load(&account()).unwrap(), none);
    // What was in a file moves into the keyring.
    Passwords::new(Some(folder.path().to_owned()), Keyring::Unused).keep(&with_password("old")).unwrap();
    assert_eq!(passwords.keep(&with_password("sesame")).unwrap(), PasswordPlace::Keyring);
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    let (password, place) = passwords.load(&account()).unwrap();
    assert_eq!((password.as_str(), place), ("sesame", PasswordPlace::Keyring));
    assert_eq!(passwords.keep(&with_password("changed")).unwrap(), PasswordPlace::Keyring);
    assert_eq!(passwords.load(&account()).unwrap().0.as_str(), "changed");
    assert_eq!(passwords.keep(&account()).unwrap(), PasswordPlace::None);
    assert_eq!(passwords.load(&account()).unwrap(), none);
}

/// The keyring of a person who went for coffee: it is there, and stopped.
const BESIDE_STOPPED: &str = "printf unlocked | gnome-keyring-daemon --unlock --foreground --components=secrets >/dev/null & \
     export FANFARE_TEST_KEYRING_PID=$!; sleep 1; \
     \"$0\" --exact keyring::a_keyring_that_does_not_answer_holds_nothing_up --nocapture; status=$?; \
     kill -KILL $FANFARE_TEST_KEYRING_PID; exit $status";

/// Runs again on a private bus, where it is done.
#[test]
fn a_keyring_that_does_not_answer_holds_nothing_up() {
    if let Some(pid) = std::env::var_os("FANFARE_TEST_KEYRING_PID") {
        return beside_a_stopped_keyring(&pid.into_string().unwrap());
    }
    let home = tempfile::tempdir().unwrap();
    let output = Command::new("dbus-run-session")
        .args(["--", "sh", "-c", BESIDE_STOPPED])
        .arg(std::env::current_exe().unwrap())
        .env("HOME", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .env_remove("XDG_DATA_HOME")
        .output()
        .expect("dbus-run-session; script/test installs it and gnome-keyring");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{output:?}");
}

fn signal(pid: &str, name: &str) {
    assert!(Command::new("kill").args(["-s", name, pid]).status().unwrap().success());
}

fn until<T>(engine: &Engine, what: &str, is_so: impl Fn(&Snapshot) -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(found) = is_so(&engine.snapshot()) {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never {what}: {:?}", engine.snapshot());
}

/// A REGISTER that came to a server of ours.
fn register(server: &UdpSocket) -> String {
    let mut bytes = [0; 4096];
    let length = server.recv(&mut bytes).expect("a REGISTER");
    String::from_utf8_lossy(bytes.get(..length).unwrap_or_default()).into_owned()
}

/// Each step has a bound far above what it takes, and below the half minute for which the keyring was awaited.
#[expect(clippy::disallowed_methods, reason = "the bounds are those of a person who waits")]
fn beside_a_stopped_keyring(pid: &str) {
    let folder = tempfile::tempdir().unwrap();
    let server = UdpSocket::bind("127.0.0.1:0").unwrap();
    server.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let james = Account { proxy: format!("udp:{}", server.local_addr().unwrap()), ..account() };
    let mut kept = james.clone();
    kept.sign_in.password = Password::new("sesame".to_owned());
    let passwords = Passwords::new(Some(folder.path().to_owned()), Keyring::System);
    assert_eq!(passwords.keep(&kept).unwrap(), PasswordPlace::Keyring);
    ClientFiles::new(Some(folder.path().to_owned())).keep_account(&james).unwrap();
    signal(pid, "STOP");

    let start = Instant::now();
    let options = EngineOptions {
        settings: Some(folder.path().to_owned()),
        keyring: Keyring::System,
        data: Some(folder.path().to_owned()),
        account: None,
        book: None,
        demo: false,
        wire: None,
        wake: Box::new(|| ()),
    };
    let engine = Engine::start(options).unwrap();
    assert!(start.elapsed() < Duration::from_secs(10), "the window waits for {:?}", start.elapsed());
    assert_eq!(engine.snapshot().password, PasswordPlace::Coming);
    let settings = Settings { scale: 1.5, ..Settings::default() };
    engine.send(fanfare::model::command::Command::PutSettings(settings)).unwrap();
    until(&engine, "the loop goes on", |snapshot| (snapshot.settings.scale == 1.5).then_some(()));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!(
        engine.snapshot().registration,
        RegistrationState::Idle,
        "without its password it asks nobody"
    );

    signal(pid, "CONT");
    until(&engine, "the password came", |snapshot| {
        let account = snapshot.account.as_ref()?;
        (account.sign_in.password.as_str() == "sesame" && snapshot.password == PasswordPlace::Keyring)
            .then_some(())
    });
    assert!(register(&server).starts_with("REGISTER sip:example.com "));

    // A new password, and the end of the program, do not wait for it either.
    signal(pid, "STOP");
    let start = Instant::now();
    let mut changed = Account { name: "Jim".to_owned(), ..james };
    changed.sign_in.password = Password::new("changed".to_owned());
    engine.send(fanfare::model::command::Command::PutAccount(changed)).unwrap();
    until(&engine, "changed", |snapshot| (snapshot.account.as_ref()?.name == "Jim").then_some(()));
    while !register(&server).contains("Jim") {}
    drop(engine);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// Runs again where no bus can be found.
#[test]
fn without_a_keyring_it_is_in_a_file() {
    if std::env::var_os(INSIDE).is_some() {
        let folder = tempfile::tempdir().unwrap();
        let passwords = Passwords::new(Some(folder.path().to_owned()), Keyring::System);
        let place = passwords.keep(&with_password("sesame")).unwrap();
        assert_eq!(place, PasswordPlace::File(folder.path().join("password.ron")));
        assert_eq!(passwords.load(&account()).unwrap().0.as_str(), "sesame");
        return;
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "keyring::without_a_keyring_it_is_in_a_file"])
        .env(INSIDE, "1")
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
        .env("XDG_RUNTIME_DIR", "/nowhere")
        .status()
        .unwrap();
    assert!(status.success());
}
