//! Says which capture belongs to a delivery record: its name, the hash of its bytes, and how much in it is about that
//! message.

use std::collections::BTreeSet;
use std::io::{self, Read};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::inspect::{CaptureFileError, read_capture, submissions};
use crate::model::journal::AttemptRow;
use crate::model::record::{CaptureIdentity, DeliveryRecord};

/// Reads a capture to its end.
///
/// # Errors
/// It is no capture, or cannot be read.
pub fn identify(
    file: &str,
    content: impl Read,
    record: &DeliveryRecord,
) -> Result<CaptureIdentity, CaptureFileError> {
    let mut hashed = Hashed { content, hash: Sha256::new() };
    let capture = read_capture(&mut hashed)?;
    // A capture that is too long, or damaged, is not read to its end.
    io::copy(&mut hashed, &mut io::sink())?;
    let own: BTreeSet<_> = record.message.attempts.iter().flat_map(AttemptRow::call_ids).collect();
    let all = submissions(&capture.messages);
    let messages =
        all.iter().filter(|one| own.contains(&one.call_id)).map(|one| one.messages.len()).sum::<usize>();
    Ok(CaptureIdentity {
        file: file.to_owned(),
        sha256: HEXLOWER.encode(hashed.hash.finalize().as_slice()),
        messages,
    })
}

/// Hashes what is read through it.
struct Hashed<R> {
    content: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}
