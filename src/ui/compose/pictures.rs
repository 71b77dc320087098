//! Pictures of a message being written: what is pasted becomes a PNG file, and attached ones get a small preview. Both
//! happen on threads of their own.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use egui::{ColorImage, TextureHandle, TextureOptions};
use image::{ImageFormat, ImageReader, Limits, RgbaImage};

use crate::sip::File;

/// Side of a preview in pixels, for a screen at 200 %.
const PREVIEW_SIDE: u32 = 112;
/// Widest and highest picture that is read for its preview.
const SIDE_MAX: u32 = 10_000;
/// Most memory that reading one takes.
const DECODE_BYTES_MAX: u64 = 256 * 1024 * 1024;
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
        if file.media_type == "image/png" && self.previews.of(file).is_none() {
            let bytes = file.bytes.clone();
            self.work(move || Some(Done::Preview(key(&bytes), small(&decoded(&bytes)?))));
        }
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
        if let Err(error) = std::thread::Builder::new().name("picture".to_owned()).spawn(work) {
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
    let picture = picture.ok_or_else(|| "it has no pixels".to_owned())?;
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).map_err(|error| error.to_string())?;
    let name = Some("Pasted picture.png".to_owned());
    let file = File { name, media_type: "image/png".to_owned(), bytes: png.into_inner().into() };
    Ok((file, small(&picture)))
}

fn decoded(bytes: &[u8]) -> Option<RgbaImage> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    reader.limits(limits);
    reader.decode().ok().map(image::DynamicImage::into_rgba8)
}

/// The picture made to fit a preview.
fn small(picture: &RgbaImage) -> ColorImage {
    let longest = picture.width().max(picture.height()).max(1);
    let side = |side: u32| (side * PREVIEW_SIDE.min(longest) / longest).max(1);
    let small = image::imageops::thumbnail(picture, side(picture.width()), side(picture.height()));
    let size = [small.width(), small.height()].map(|side| usize::try_from(side).unwrap_or(0));
    ColorImage::from_rgba_unmultiplied(size, small.as_raw())
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
        let back = decoded(&file.bytes).unwrap();
        assert_eq!(
            (back.dimensions(), back.get_pixel(0, 0).0, back.get_pixel(1, 0).0[3]),
            ((300, 2), [255, 0, 0, 255], 0)
        );
        assert_eq!(preview.size, [112, 1]);
        assert!(decoded(b"no picture").is_none());
        assert!(as_file(&ColorImage::new([0, 0], Vec::new())).is_err());
    }
}
