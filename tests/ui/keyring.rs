//! The account's password in a real keyring: GNOME's, on a bus of its own.

use std::process::Command;

use fanfare::client::account::{Account, Password};
use fanfare::client::snapshot::PasswordPlace;
use fanfare::config::passwords::{Keyring, Passwords};

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
