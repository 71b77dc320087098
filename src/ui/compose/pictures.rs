//! Pictures of a message being written: what is pasted becomes a PNG file, and attached ones get a small preview. Both
//! happen on threads of their own.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use egui::{ColorImage, TextureHandle, TextureOptions};
use image::{DynamicImage, ImageFormat, RgbaImage};

use crate::limits::{OWN_PICTURE_BYTES_MAX, OWN_PICTURE_PIXELS_MAX};
use crate::sip::File;
use crate::ui::kit::picture::{decoded, fitted, is_picture, shrunk};
use crate::ui::text::{self, say};

/// Side of a preview in pixels, for a screen at 200 %.
const PREVIEW_SIDE: u32 = 112;
/// Pictures under way at a time; others have no preview.
const WAITING_MAX: usize = 8;

/// What a thread has finished.
enum Done<P> {
    /// What was pasted in this place.
    Pasted(P, Result<(File, ColorImage), String>),
    /// A preview, by the key of its file.
    Preview(usize, ColorImage),
}

/// The previews, and what is under way.
pub(crate) struct Pictures<P> {
    previews: Previews,
    ctx: egui::Context,
    tell: SyncSender<Done<P>>,
    done: Receiver<Done<P>>,
}

/// Previews by the key of their file.
#[derive(Default)]
pub(crate) struct Previews(BTreeMap<usize, TextureHandle>);

impl Previews {
    /// The preview of a file, if there is one.
    pub(crate) fn of(&self, file: &File) -> Option<&TextureHandle> {
        self.0.get(&key(&file.bytes))
    }
}

/// Where its bytes are: they are shared, not copied, while the file is attached.
fn key(bytes: &Bytes) -> usize {
    bytes.as_ptr().addr()
}

impl<P: Send + 'static> Pictures<P> {
    /// Wakes the window of `ctx` when something is finished.
    pub(crate) fn new(ctx: &egui::Context) -> Self {
        let (tell, done) = sync_channel(WAITING_MAX);
        Self { previews: Previews::default(), ctx: ctx.clone(), tell, done }
    }

    /// The previews.
    pub(crate) const fn previews(&self) -> &Previews {
        &self.previews
    }

    /// Makes a file of what was pasted in this place.
    pub(crate) fn paste(&self, place: P, picture: Arc<ColorImage>) {
        self.work(move || Some(Done::Pasted(place, as_file(&picture))));
    }

    /// Makes a preview of a file if it is a picture that we can read.
    pub(crate) fn preview(&self, file: &File) {
        if is_picture(&file.media_type) && self.previews.of(file).is_none() {
            let bytes = file.bytes.clone();
            self.work(move || {
                Some(Done::Preview(key(&bytes), small(&decoded(&bytes, OWN_PICTURE_PIXELS_MAX)?)))
            });
        }
    }

    /// Makes an attached picture small enough; if that cannot be, it stays as it is.
    pub(crate) fn shrink(&self, place: P, file: File, bytes_max: usize) {
        self.work(move || {
            let made = smaller(&file.bytes, file.called(), bytes_max).unwrap_or_else(|| {
                let none = ColorImage::filled([1, 1], egui::Color32::TRANSPARENT);
                let preview = decoded(&file.bytes, OWN_PICTURE_PIXELS_MAX).map_or(none, |it| small(&it));
                (file, preview)
            });
            Some(Done::Pasted(place, Ok(made)))
        });
    }

    /// Makes a small enough copy of the picture in a file.
    pub(crate) fn shrink_file(&self, place: P, path: PathBuf, bytes_max: usize) {
        self.work(move || {
            let mut bytes = Vec::new();
            let read = std::fs::File::open(&path)
                .and_then(|file| file.take(OWN_PICTURE_BYTES_MAX).read_to_end(&mut bytes));
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let made = match read {
                Ok(_) => {
                    smaller(&bytes, &name, bytes_max).ok_or_else(|| say!("no-picture-to-shrink").to_owned())
                }
                Err(_unreadable) => Err(say!("cannot-be-read").to_owned()),
            };
            Some(Done::Pasted(place, made))
        });
    }

    fn work(&self, work: impl FnOnce() -> Option<Done<P>> + Send + 'static) {
        let (ctx, tell) = (self.ctx.clone(), self.tell.clone());
        let work = move || {
            if let Some(done) = work()
                && tell.send(done).is_ok()
            {
                ctx.request_repaint_after(Duration::from_millis(1));
            }
        };
        if let Err(error) = text::spawn("picture", work) {
            tracing::warn!(%error, "a picture cannot be read");
        }
    }

    /// What was pasted and is a file now, and where; or why it is none.
    pub(crate) fn pasted(&mut self) -> Vec<(P, Result<File, String>)> {
        let mut pasted = Vec::new();
        while let Ok(done) = self.done.try_recv() {
            match done {
                Done::Pasted(place, Ok((file, preview))) => {
                    self.keep(key(&file.bytes), preview);
                    pasted.push((place, Ok(file)));
                }
                Done::Pasted(place, Err(why)) => pasted.push((place, Err(why))),
                Done::Preview(key, preview) => self.keep(key, preview),
            }
        }
        pasted
    }

    fn keep(&mut self, key: usize, preview: ColorImage) {
        let name = format!("preview {key}");
        self.previews.0.insert(key, self.ctx.load_texture(name, preview, TextureOptions::LINEAR));
    }

    /// Drops the previews of files that are no longer attached.
    pub(crate) fn keep_only<'f>(&mut self, files: impl Iterator<Item = &'f File>) {
        if !self.previews.0.is_empty() {
            let attached: Vec<usize> = files.map(|file| key(&file.bytes)).collect();
            self.previews.0.retain(|key, _| attached.contains(key));
        }
    }
}

/// A picture as a PNG file, and its preview.
fn as_file(picture: &ColorImage) -> Result<(File, ColorImage), String> {
    let pixels: Vec<u8> = picture.pixels.iter().flat_map(egui::Color32::to_srgba_unmultiplied).collect();
    let size = |side: usize| u32::try_from(side).unwrap_or(0);
    let picture = RgbaImage::from_raw(size(picture.width()), size(picture.height()), pixels);
    let picture = picture.ok_or_else(|| say!("no-pixels").to_owned())?;
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| error.to_string())?;
    let name = Some(say!("pasted-picture").to_owned());
    let file = File { name, media_type: "image/png".to_owned(), bytes: png.into_inner().into() };
    Ok((file, small(&picture.into())))
}

/// A copy of a picture as a JPEG that is small enough, and its preview.
fn smaller(bytes: &[u8], name: &str, bytes_max: usize) -> Option<(File, ColorImage)> {
    let bytes = Bytes::from(shrunk(bytes, bytes_max)?);
    let preview = small(&decoded(&bytes, OWN_PICTURE_PIXELS_MAX)?);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let file = File { name: Some(format!("{stem}.jpg")), media_type: "image/jpeg".to_owned(), bytes };
    Some((file, preview))
}

/// The picture made to fit a preview.
fn small(picture: &DynamicImage) -> ColorImage {
    fitted(picture, PREVIEW_SIDE, PREVIEW_SIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_becomes_a_picture_of_the_same_pixels() {
        let (red, clear) = (egui::Color32::RED, egui::Color32::TRANSPARENT);
        let picture = ColorImage::new([300, 2], [red, clear].repeat(300));
        let (file, preview) = as_file(&picture).unwrap();
        assert!(file.bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "{:?}", &file.bytes[..8]);
        assert_eq!((file.called(), file.media_type.as_str()), ("Pasted picture.png", "image/png"));
        let back = decoded(&file.bytes, OWN_PICTURE_PIXELS_MAX).unwrap().into_rgba8();
        assert_eq!(
            (back.dimensions(), back.get_pixel(0, 0).0, back.get_pixel(1, 0).0[3]),
            ((300, 2), [255, 0, 0, 255], 0)
        );
        assert_eq!(preview.size, [112, 1]);
        assert!(as_file(&ColorImage::new([0, 0], Vec::new())).is_err());
    }
}
