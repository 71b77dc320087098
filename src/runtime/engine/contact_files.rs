//! Files of contacts, read and written on threads of their own, as a disk may be slow or remote.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::limits::IMPORT_BYTES_MAX;
use crate::model::command::Notice;
use crate::model::contacts::AddressBook;
use crate::model::export;
use crate::sip::File;

use super::out::Out;
use super::saving::downloads;
use crate::runtime::saved_file::save_into;

/// Reads a file to import from; what came of it is a notice.
pub(super) fn read(path: PathBuf, out: &Arc<Out>) {
    let out = Arc::clone(out);
    tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        // One more than is taken, so that a larger file is noticed.
        let most = u64::try_from(IMPORT_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
        let read = std::fs::File::open(&path).and_then(|file| file.take(most).read_to_end(&mut bytes));
        let file = match read {
            Ok(_) => Ok(Bytes::from(bytes)),
            Err(error) => Err(format!("{} cannot be read: {error}.", path.display())),
        };
        out.tell(Notice::ContactsRead { file });
    });
}

/// Writes all contacts into the downloads folder; nothing is overwritten.
pub(super) fn export(book: AddressBook, out: &Arc<Out>) {
    let out = Arc::clone(out);
    tokio::task::spawn_blocking(move || {
        let name = Some("contacts.vcf".to_owned());
        let file = File { name, media_type: "text/vcard".to_owned(), bytes: export::cards(&book).into() };
        out.tell(match downloads().and_then(|folder| save_into(&folder, &file)) {
            Ok(path) => Notice::Saved(path),
            Err(error) => Notice::Problem(format!("The contacts could not be saved: {error}.")),
        });
    });
}
