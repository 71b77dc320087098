//! `fanfare history record`: the delivery record of one message.

use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use jiff::tz::TimeZone;

use super::Opened;
use crate::cli::output::note;
use crate::cli::writer::Writer;
use crate::model::journal::MessageId;
use crate::model::record::{CaptureIdentity, DeliveryRecord, RecordContext, RecordFormat};
use crate::runtime::capture_identity::identify;
use crate::time::Clock;

pub(super) fn run(
    opened: &Opened,
    message: u64,
    format: RecordFormat,
    (out, capture): (Option<&Path>, Option<&Path>),
) -> anyhow::Result<ExitCode> {
    let record = opened.history.reader().record(MessageId(message))?;
    let Some(record) = record else {
        anyhow::bail!("there is no sent message {message}");
    };
    let capture = capture.map(|path| identity(path, &record)).transpose()?;
    let context = RecordContext {
        names: &opened.names,
        written_at: Clock::start().now().wall,
        zone: &TimeZone::system(),
        capture: capture.as_ref(),
    };
    let mut out = Writer::open(out)?;
    out.put(&record.document(format, &context))?;
    out.finish()?;
    Ok(ExitCode::SUCCESS)
}

fn identity(path: &Path, record: &DeliveryRecord) -> anyhow::Result<CaptureIdentity> {
    let unreadable = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(unreadable)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let identity = identify(&name, file, record).with_context(unreadable)?;
    if identity.messages == 0 {
        let message = record.message.outgoing.id.0;
        note(&format!("nothing in {} belongs to message {message}", path.display()));
    }
    Ok(identity)
}
