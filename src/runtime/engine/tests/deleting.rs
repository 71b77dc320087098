//! Messages deleted by the engine, and what is left of them.

use super::*;
use crate::model::deletion::Doomed;
use crate::store::own_backup;

#[test]
fn what_is_deleted_is_gone_at_once_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let proxy = proxy();
    let account = account("james", &proxy);
    let window = started(folder.path(), Some(account.clone()));
    window.until_connected();
    for text in ["First", "Second", "Third"] {
        window.send(&["sip:nobody@domain.com"], text);
    }
    let thread = window.until_thread("three", |thread| thread.outline.len() == 3);
    let (conversation, second) = (thread.conversation, thread.outline[1].id);
    let doomed = Doomed::Messages { conversation, messages: vec![second, thread.outline[2].id] };
    window.engine.send(Command::Delete(doomed)).unwrap();
    let left = window.until_thread("one", |thread| thread.outline.len() == 1);
    assert_eq!(left.messages[0].text, "First");
    window.until("the list", |engine| {
        let head = engine.snapshot().conversations.first().cloned()?;
        (*head.preview == *"First" && head.newest == left.outline[0].id).then_some(())
    });
    window.engine.send(Command::MeasureStorage).unwrap();
    let measured =
        window.until_notice(
            "measured",
            |notice| {
                if let Notice::Storage(found) = notice { Some(found) } else { None }
            },
        );
    assert_eq!((measured.messages, measured.with_files), (1, 0));
    assert!(measured.bytes > 0);
    // The window closes: what it asked for last is done all the same.
    let doomed = Doomed::Conversation { conversation, up_to: left.outline[0].id };
    window.engine.send(Command::Delete(doomed)).unwrap();
    drop(window);
    let again = started(folder.path(), Some(account));
    again.until_connected();
    assert!(again.engine.snapshot().conversations.is_empty());
    again.send(&["sip:nobody@domain.com"], "Anew");
    again.until_thread("anew", |thread| thread.outline.len() == 1 && thread.messages[0].text == "Anew");
    let before = Doomed::OlderThan(again.engine.now().plus(Duration::from_secs(60)));
    again.engine.send(Command::Delete(before)).unwrap();
    again.until("nothing", |engine| engine.snapshot().conversations.is_empty().then_some(()));
}

#[test]
fn what_is_deleted_is_in_no_backup() {
    let (folder, proxy) = (tempfile::tempdir().unwrap(), proxy());
    let window = started(folder.path(), Some(account("james", &proxy)));
    window.until_connected();
    window.send(&["sip:nobody@domain.com"], "First");
    let conversation = window.until_thread("one", |thread| thread.outline.len() == 1).conversation;
    let store = folder.path().join("data").join(crate::runtime::agent::STORE_FILE);
    window.until("a backup", |_| own_backup::made_at(&store).map(drop));
    let up_to = window.engine.snapshot().conversations[0].newest;
    window.engine.send(Command::Delete(Doomed::Conversation { conversation, up_to })).unwrap();
    window.until("deleted", |engine| engine.snapshot().conversations.is_empty().then_some(()));
    assert_eq!(own_backup::made_at(&store), None);
}
