//! Where an export goes.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::tz::TimeZone;
use tempfile::NamedTempFile;

use crate::runtime::console;
use crate::time::Timestamp;

/// Bytes that are collected before they are printed.
const WAITING_BYTES: usize = 64 * 1024;

/// Standard output, or a file that is complete or absent afterwards.
pub(crate) enum Writer {
    Standard(String),
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Writer {
    /// Opens it. The file is readable by its owner only, as the store is.
    ///
    /// # Errors
    /// The file exists already, or cannot be created.
    pub(crate) fn open(out: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = out else {
            return Ok(Self::Standard(String::new()));
        };
        let taken = format!("{} already exists; nothing was written", path.display());
        anyhow::ensure!(std::fs::symlink_metadata(path).is_err(), taken);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let aside = tempfile::Builder::new()
            .prefix(".fanfare-export-")
            .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self::File(BufWriter::new(aside), path.to_owned()))
    }

    /// Writes this text as it is; false once nobody reads any more.
    ///
    /// # Errors
    /// The disk is full, for example.
    pub(crate) fn put(&mut self, text: &str) -> anyhow::Result<bool> {
        match self {
            Self::Standard(waiting) => {
                waiting.push_str(text);
                if waiting.len() < WAITING_BYTES { Ok(true) } else { print(&std::mem::take(waiting)) }
            }
            Self::File(out, path) => {
                out.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
                Ok(true)
            }
        }
    }

    /// Completes the output.
    ///
    /// # Errors
    /// The same; no file is left behind.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Standard(waiting) => print(&waiting).map(drop),
            Self::File(out, path) => {
                let unwritten = || format!("cannot write {}", path.display());
                let aside =
                    out.into_inner().map_err(io::IntoInnerError::into_error).with_context(unwritten)?;
                aside.as_file().sync_all().with_context(unwritten)?;
                aside.persist_noclobber(&path).map_err(|refused| refused.error).with_context(unwritten)?;
                Ok(())
            }
        }
    }
}

fn print(text: &str) -> anyhow::Result<bool> {
    match console::write(text) {
        // A reader such as `head` may have enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        other => other.map(|()| true).context("cannot write to standard output"),
    }
}

/// `2026-11-30 14:05:00` here, for people.
pub(crate) fn local(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis_i64()).unwrap_or_default();
    at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}
