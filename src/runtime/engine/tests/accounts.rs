//! The account, its password, and files that cannot be read.

use super::*;

#[test]
fn an_account_is_kept_and_changed_without_losing_what_was_written() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let desktop = started(folder.path(), None);
    assert_eq!(*desktop.engine.snapshot(), Snapshot::default());
    desktop.send(&["sip:bob@domain.com"], "too early");
    let draft = desktop.until_notice("given back", |notice| {
        let Notice::NotSent { draft, .. } = notice else { panic!("{notice:?}") };
        Some(draft)
    });
    assert_eq!(draft.text, "too early");
    let wrong = Account { proxy: "no server".to_owned(), ..account("james", &server) };
    desktop.engine.send(Command::PutAccount(wrong)).unwrap();
    let problem = desktop.until_notice("refused", |notice| {
        let Notice::Problem(sentence) = notice else { panic!("{notice:?}") };
        Some(sentence)
    });
    assert!(problem.starts_with("proxy: \"no server\""), "{problem}");

    desktop.engine.send(Command::PutAccount(account("james", &server))).unwrap();
    desktop.until_connected();
    desktop.send(&["sip:nobody@domain.com"], "Hello?");
    desktop.until_thread("failed", |thread| states(thread) == [vec![DeliveryState::Failed]]);
    desktop.engine.send(Command::PutAccount(account("jim", &server))).unwrap();
    let is_jim = |snapshot: &Snapshot| {
        snapshot.account.as_ref().is_some_and(|now| now.address == "sip:jim@domain.com")
    };
    desktop.until("jim", |engine| {
        let snapshot = engine.snapshot();
        let connected = snapshot.registration == RegistrationState::Connected;
        (connected && is_jim(&snapshot) && snapshot.thread.as_ref()?.messages.len() == 1).then_some(())
    });
    drop(desktop);
    let again = started(folder.path(), None);
    again.until_connected();
    assert!(is_jim(&again.engine.snapshot()));
    assert_eq!(again.engine.snapshot().conversations.len(), 1);
}

#[test]
fn a_password_is_in_a_file_of_its_own_and_there_at_the_next_start() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let desktop = started(folder.path(), None);
    let mut account = account("james", &server);
    account.sign_in.password = Password::new("sesame".to_owned());
    desktop.engine.send(Command::PutAccount(account.clone())).unwrap();
    desktop.until_connected();
    let file = folder.path().join("settings/password.ron");
    let kept = PasswordPlace::File(file.clone());
    desktop.until("kept", |engine| (engine.snapshot().password == kept).then_some(()));
    assert!(std::fs::read_to_string(&file).unwrap().contains("sesame"));
    let kept = std::fs::read_to_string(folder.path().join("settings/account.ron")).unwrap();
    assert!(!kept.contains("sesame"), "{kept}");
    drop(desktop);
    let again = started(folder.path(), None);
    again.until_connected();
    let snapshot = again.engine.snapshot();
    assert_eq!(
        (snapshot.account.as_deref(), &snapshot.password),
        (Some(&account), &PasswordPlace::File(file))
    );
    assert!(!format!("{snapshot:?}").contains("sesame"), "no log shows it");
}

#[test]
fn a_password_that_no_server_has_accepted_is_not_kept() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let with_password = |account: Account, password: &str| {
        let sign_in = SignIn { password: Password::new(password.to_owned()), ..SignIn::default() };
        Account { sign_in, ..account }
    };
    let stranger = Account { address: "sip:james@elsewhere.example".to_owned(), ..account("james", &server) };
    let file = folder.path().join("settings/password.ron");
    let kept = || std::fs::read_to_string(&file).unwrap_or_default();
    let until_refused = |desktop: &Desktop| {
        desktop.until("refused", |engine| {
            matches!(engine.snapshot().registration, RegistrationState::Refused { .. }).then_some(())
        });
    };
    // Shutting down the engine waits for saves in progress.
    let desktop = started(folder.path(), None);
    desktop.engine.send(Command::PutAccount(with_password(stranger.clone(), "wrong"))).unwrap();
    until_refused(&desktop);
    drop(desktop);
    assert_eq!(kept(), "");
    let desktop = started(folder.path(), None);
    desktop.engine.send(Command::PutAccount(with_password(account("james", &server), "sesame"))).unwrap();
    desktop.until_connected();
    drop(desktop);
    assert!(kept().contains("sesame"), "{}", kept());
    let desktop = started(folder.path(), None);
    desktop.until_connected();
    desktop.engine.send(Command::PutAccount(with_password(stranger, "wrong again"))).unwrap();
    until_refused(&desktop);
    drop(desktop);
    assert!(kept().contains("sesame") && !kept().contains("wrong"), "{}", kept());
}

#[test]
fn an_account_is_known_to_have_worked_once_the_server_let_it_in() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let desktop = started(folder.path(), None);
    let worked = |desktop: &Desktop| desktop.engine.snapshot().account.as_ref().map(|account| account.worked);
    // Nobody serves that domain here: the account is saved, and the next start asks for it again.
    let stranger = Account { address: "sip:james@elsewhere.example".to_owned(), ..account("james", &server) };
    desktop.engine.send(Command::PutAccount(Account { worked: false, ..stranger })).unwrap();
    desktop.until("refused", |engine| {
        matches!(engine.snapshot().registration, RegistrationState::Refused { .. }).then_some(())
    });
    assert_eq!(worked(&desktop), Some(false));
    drop(desktop);
    let desktop = started(folder.path(), None);
    assert_eq!(worked(&desktop), Some(false), "after a start too");
    desktop.engine.send(Command::PutAccount(Account { worked: false, ..account("james", &server) })).unwrap();
    desktop.until_connected();
    assert_eq!(worked(&desktop), Some(true));
    drop(desktop);
    let again = started(folder.path(), None);
    assert_eq!(worked(&again), Some(true));
}

#[test]
fn an_authority_that_cannot_be_read_changes_nothing() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let desktop = started(folder.path(), Some(account("james", &server)));
    desktop.until_connected();
    let tls_ca = Some(folder.path().join("nobody.pem"));
    desktop.engine.send(Command::PutAccount(Account { tls_ca, ..account("james", &server) })).unwrap();
    let problem = desktop.until_notice("told", |notice| {
        let Notice::Problem(sentence) = notice else { panic!("{notice:?}") };
        Some(sentence)
    });
    assert!(problem.ends_with("nobody.pem: No such file or directory."), "{problem}");
    let snapshot = desktop.engine.snapshot();
    assert_eq!(snapshot.account.as_ref().map(|account| account.tls_ca.clone()), Some(None));
    assert_eq!(snapshot.registration, RegistrationState::Connected);
}

#[test]
fn who_signs_out_stays_away_over_a_restart_until_he_signs_in_again() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let desktop = started(folder.path(), None);
    desktop.engine.send(Command::PutAccount(account("james", &server))).unwrap();
    desktop.until_connected();
    desktop.engine.send(Command::SignOut).unwrap();
    let is_out = |engine: &Engine| {
        let snapshot = engine.snapshot();
        let signed_out = snapshot.account.as_ref().is_some_and(|account| account.signed_out);
        (signed_out && snapshot.registration == RegistrationState::Idle).then_some(())
    };
    desktop.until("signed out", is_out);
    desktop.send(&["sip:bob@domain.com"], "later");
    desktop.until_thread("waiting", |thread| states(thread) == [vec![DeliveryState::Queued]]);
    drop(desktop);
    let again = started(folder.path(), None);
    again.until("signed out still", is_out);
    again.until_thread("waiting still", |thread| states(thread) == [vec![DeliveryState::Queued]]);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(again.engine.snapshot().registration, RegistrationState::Idle);
    again.engine.send(Command::Agent(AgentCommand::Connect)).unwrap();
    again.until_connected();
    again.until_thread("answered", |thread| states(thread) == [vec![DeliveryState::Failed]]);
    drop(again);
    started(folder.path(), None).until_connected();
}

#[test]
fn nothing_of_an_account_stays_when_it_is_removed_and_another_begins_empty() {
    let (server, folder) = (proxy(), tempfile::tempdir().unwrap());
    let desktop = started(folder.path(), None);
    let mut account = account("james", &server);
    account.sign_in.password = Password::new("sesame".to_owned());
    desktop.engine.send(Command::PutAccount(account.clone())).unwrap();
    desktop.until_connected();
    let file = folder.path().join("settings/password.ron");
    desktop.until("kept", |engine| {
        (engine.snapshot().password == PasswordPlace::File(file.clone())).then_some(())
    });
    let ann = Contact { address: "sip:ann@domain.com".to_owned(), name: "Ann".to_owned(), simulated: false };
    desktop.engine.send(Command::PutContact(ann)).unwrap();
    desktop.send(&["sip:nobody@domain.com"], "Hello?");
    desktop.until_thread("failed", |thread| states(thread) == [vec![DeliveryState::Failed]]);
    desktop.engine.send(Command::RemoveAccount).unwrap();
    let snapshot = desktop.until("removed", |engine| {
        let snapshot = engine.snapshot();
        snapshot.account.is_none().then_some(snapshot)
    });
    assert_eq!((snapshot.conversations.len(), snapshot.book.contacts.len()), (0, 0));
    assert_eq!((&snapshot.password, &snapshot.thread), (&PasswordPlace::None, &None));
    drop(desktop);
    let left = |of: &str| -> Vec<String> {
        let entries = std::fs::read_dir(folder.path().join(of)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with(".lock"));
        names
    };
    assert_eq!((left("settings"), left("data")), (vec![], vec![]));
    let again = started(folder.path(), None);
    again.engine.send(Command::PutAccount(Account { sign_in: SignIn::default(), ..account })).unwrap();
    again.until_connected();
    assert_eq!(again.engine.snapshot().conversations.len(), 0);
}

#[test]
fn a_provisioning_file_becomes_an_account_that_is_not_used_before_the_user_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let desktop = started(folder.path(), None);
    let read = |text: &str| {
        let path = folder.path().join("james.ron");
        std::fs::write(&path, text).unwrap();
        desktop.engine.send(Command::ReadProvision(path)).unwrap();
        desktop.until_notice("read", |notice| {
            let Notice::Provisioned(read) = notice else { panic!("{notice:?}") };
            Some(*read)
        })
    };
    let account = read("(address: \"sip:james@domain.com\", password: \"sesame\")").unwrap();
    assert_eq!(
        (account.address.as_str(), account.sign_in.password.as_str()),
        ("sip:james@domain.com", "sesame")
    );
    assert_eq!(desktop.engine.snapshot().account, None);
    let why = read("(adress: \"sip:james@domain.com\")").unwrap_err();
    assert!(why.contains("james.ron:1:2: there is no field \"adress\" here"), "{why}");
}
