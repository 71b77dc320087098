//! What the stand-in for the engine does with a command.

use super::*;

/// What an engine would do at once.
pub(super) fn obey(inner: &mut Inner, command: Command) {
    match command {
        Command::Open(id) => inner.snapshot.thread = inner.threads.get(&id).cloned().map(Arc::new),
        Command::Close => inner.snapshot.thread = None,
        Command::PutSettings(settings) => inner.snapshot.settings = settings,
        Command::PutAccount(account) => inner.snapshot.account = Some(Arc::new(account)),
        Command::SignOut => {
            change_account(inner, |account| account.signed_out = true);
            inner.snapshot.registration = RegistrationState::Idle;
        }
        Command::RemoveAccount => {
            let settings = inner.snapshot.settings.clone();
            inner.snapshot = Snapshot { settings, ..Snapshot::default() };
            inner.threads.clear();
        }
        Command::PutContact(contact) => change_book(inner, |book| book.put(contact)),
        Command::RemoveContact { address } => change_book(inner, |book| book.remove(&address)),
        Command::AddContacts { contacts, lists } => change_book(inner, |book| {
            book.add(contacts, lists);
        }),
        Command::Block { address, is_blocked } => {
            change_book(inner, |book| book.block(&address, is_blocked));
        }
        Command::PutList(list) => change_book(inner, |book| book.put_list(list)),
        Command::RemoveList { name } => change_book(inner, |book| book.remove_list(&name)),
        Command::Agent(command) => obey_agent(inner, command),
        other @ (Command::ReadContacts(_)
        | Command::ReadProvision(_)
        | Command::ExportContacts
        | Command::Attach(_)
        | Command::ReadFile { .. }
        | Command::SaveRecord(_)
        | Command::Save(_)
        | Command::CountOutcomes(_)
        | Command::MeasureStorage) => {
            if let Some(notice) = notice_of(inner, other) {
                inner.notices.push(notice);
            }
        }
        Command::ShowAround { .. }
        | Command::SaveFile { .. }
        | Command::Search(_)
        | Command::Delete(_)
        | Command::Quit => {}
    }
}

fn obey_agent(inner: &mut Inner, command: AgentCommand) {
    match command {
        AgentCommand::Seen { conversation } => {
            let mut heads = inner.snapshot.conversations.to_vec();
            for head in heads.iter_mut().filter(|head| head.id == conversation) {
                (head.unread, head.failed_unseen) = (0, 0);
            }
            inner.snapshot.conversations = heads.into();
        }
        AgentCommand::SeenUpTo { conversation, unread, .. } => {
            let mut heads = inner.snapshot.conversations.to_vec();
            heads.iter_mut().filter(|head| head.id == conversation).for_each(|head| head.unread = unread);
            inner.snapshot.conversations = heads.into();
        }
        AgentCommand::SendLater { draft, due } => change_later(inner, |later| {
            let number = later.last().map_or(1, |last| last.number + 1);
            later.push(Later { number, due, draft });
        }),
        AgentCommand::PutOff { number, due } => change_later(inner, |later| {
            later.iter_mut().filter(|later| later.number == number).for_each(|later| later.due = due);
        }),
        AgentCommand::TakeLaterBack { number } => {
            change_later(inner, |later| later.retain(|later| later.number != number));
        }
        AgentCommand::Send(_)
        | AgentCommand::Resend { .. }
        | AgentCommand::ResendTo { .. }
        | AgentCommand::Withdraw { .. }
        | AgentCommand::KeepDraft(_)
        | AgentCommand::Typing { .. }
        | AgentCommand::Delete(_)
        | AgentCommand::Disconnect => {}
        AgentCommand::Connect => {
            if inner.snapshot.account.as_ref().is_some_and(|account| account.signed_out) {
                change_account(inner, |account| account.signed_out = false);
                inner.snapshot.registration = RegistrationState::Connected;
            }
        }
    }
}

/// What the engine would tell after such a command.
fn notice_of(inner: &Inner, command: Command) -> Option<Notice> {
    match command {
        Command::ReadContacts(path) => {
            let file = std::fs::read(&path).map(Into::into).map_err(|error| format!("{error}."));
            Some(Notice::ContactsRead { file })
        }
        Command::ReadProvision(path) => {
            Some(Notice::Provisioned(Box::new(fanfare::config::provisioning::read(&path, None))))
        }
        Command::ExportContacts => Some(Notice::Saved("/downloads/contacts.vcf".into())),
        Command::MeasureStorage => {
            let oldest = Some(ago(60 * 24 * 400));
            let found = StorageUse {
                bytes: 34_000_000,
                messages: 12_345,
                with_files: 120,
                file_bytes: 30_000_000,
                oldest,
            };
            Some(Notice::Storage(found))
        }
        Command::Attach(path) if path.ends_with("nothing") => {
            let why = format!("{} cannot be read: there is no such file.", path.display());
            Some(Notice::NotAttached { path, why, is_too_large: false })
        }
        Command::Attach(path) if std::fs::metadata(&path).is_ok_and(|data| data.len() > 1024 * 1024) => {
            let why = "It is too large.".to_owned();
            Some(Notice::NotAttached { path, why, is_too_large: true })
        }
        Command::ReadFile { message, file } => {
            let content = inner.files.get(&(message, file)).cloned();
            Some(Notice::FileRead { message, file, content })
        }
        Command::Attach(path) => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            let file = File { name, media_type: "image/png".into(), bytes: vec![7; 12_345].into() };
            Some(Notice::Attached { path, file })
        }
        Command::Save(file) => {
            let path = format!("/downloads/{}", file.name.unwrap_or_default());
            Some(Notice::Saved(path.into()))
        }
        Command::CountOutcomes(id) => inner.matrix.clone().map(|matrix| Notice::Matrix(id, matrix)),
        Command::SaveRecord(RecordRequest { message, format, .. }) => {
            let path = format!("/downloads/delivery-record-{}.{}", message.0, format.ending());
            Some(Notice::Saved(path.into()))
        }
        Command::Agent(_)
        | Command::Open(_)
        | Command::ShowAround { .. }
        | Command::Close
        | Command::PutContact(_)
        | Command::AddContacts { .. }
        | Command::RemoveContact { .. }
        | Command::Block { .. }
        | Command::PutList(_)
        | Command::RemoveList { .. }
        | Command::PutAccount(_)
        | Command::SignOut
        | Command::RemoveAccount
        | Command::PutSettings(_)
        | Command::SaveFile { .. }
        | Command::Search(_)
        | Command::Delete(_)
        | Command::Quit => None,
    }
}

fn change_later(inner: &mut Inner, change: impl FnOnce(&mut Vec<Later>)) {
    let mut later = inner.snapshot.later.to_vec();
    change(&mut later);
    inner.snapshot.later = later.into();
}

fn change_book(inner: &mut Inner, change: impl FnOnce(&mut AddressBook)) {
    let mut book = (*inner.snapshot.book).clone();
    change(&mut book);
    inner.snapshot.book = Arc::new(book);
}

fn change_account(inner: &mut Inner, change: impl FnOnce(&mut Account)) {
    if let Some(account) = &mut inner.snapshot.account {
        change(Arc::make_mut(account));
    }
}
