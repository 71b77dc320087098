//! The pictures in messages: each is read from the history and decoded on a thread of its own once it comes into view, and
//! kept while it was drawn lately.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use egui::{ColorImage, Context, TextureHandle, TextureOptions, Vec2, vec2};

use crate::limits::{PICTURE_LARGE_SIDE_MAX, PICTURE_PIXELS_MAX, PICTURES_KEPT_MAX, PICTURES_READ_MAX};
use crate::model::journal::MessageId;
use crate::sip::File;
use crate::ui::kit::picture::{decoded, fitted};

/// A picture: its message, and its index among the files there.
pub(crate) type PictureId = (MessageId, usize);

/// Widest and highest picture in a message, in points; its pixels are for a screen at 200 %.
pub(super) const INLINE: Vec2 = vec2(320.0, 240.0);
const INLINE_PIXELS: (u32, u32) = (640, 480);

/// What a picture is decoded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Inline,
    Large,
}

struct Job {
    id: PictureId,
    purpose: Purpose,
    bytes: Bytes,
}

struct Done {
    id: PictureId,
    purpose: Purpose,
    /// None if it is no picture that is read.
    picture: Option<(ColorImage, Vec2)>,
}

enum State {
    /// It was dropped, and is asked for when it comes into view.
    Dropped,
    /// The engine reads it.
    Asked,
    /// The thread decodes it.
    Decoding,
    Ready(TextureHandle),
    /// It cannot be shown.
    Failed,
}

struct AlbumEntry {
    state: State,
    /// Its own size, one point for a pixel, once that is known.
    size: Option<Vec2>,
    /// The turn in which it was drawn last.
    drawn: Cell<u64>,
}

/// What there is of a picture to draw.
pub(super) enum PictureShown<'a> {
    /// Nothing yet; its size may be known.
    Waiting(Option<Vec2>),
    Ready(&'a TextureHandle, Vec2),
    /// It is listed as a file alone.
    Failed,
}

/// The picture that is shown enlarged.
pub(crate) struct Large {
    pub(crate) id: PictureId,
    pub(super) name: String,
    pub(super) picture: Option<TextureHandle>,
    /// It was opened in this frame and takes the focus.
    pub(super) is_new: bool,
}

/// The pictures, and what is under way.
pub(crate) struct Album {
    ctx: Context,
    entries: BTreeMap<PictureId, AlbumEntry>,
    pub(crate) large: Option<Large>,
    /// The thread that decodes, once there was something to decode.
    jobs: Option<SyncSender<Job>>,
    tell: SyncSender<Done>,
    done: Receiver<Done>,
    turn: u64,
}

impl fmt::Debug for Album {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Album").field("pictures", &self.entries.len()).finish_non_exhaustive()
    }
}

impl Album {
    /// Wakes the window of `ctx` when a picture is ready.
    pub(crate) fn new(ctx: &Context) -> Self {
        let (tell, done) = sync_channel(PICTURES_READ_MAX);
        let (entries, ctx) = (BTreeMap::new(), ctx.clone());
        Self { ctx, entries, large: None, jobs: None, tell, done, turn: 0 }
    }

    /// What there is of a picture; it counts as drawn.
    pub(super) fn shown(&self, id: PictureId) -> PictureShown<'_> {
        let Some(entry) = self.entries.get(&id) else { return PictureShown::Waiting(None) };
        entry.drawn.set(self.turn);
        match (&entry.state, entry.size) {
            (State::Failed, _) => PictureShown::Failed,
            (State::Ready(texture), Some(size)) => PictureShown::Ready(texture, size),
            (State::Ready(_) | State::Dropped | State::Asked | State::Decoding, size) => {
                PictureShown::Waiting(size)
            }
        }
    }

    /// The picture in view is not there, and may be asked for now.
    pub(super) fn wants(&self, id: PictureId) -> bool {
        let is_under_way = |entry: &&AlbumEntry| matches!(entry.state, State::Asked | State::Decoding);
        self.entries.get(&id).is_none_or(|entry| matches!(entry.state, State::Dropped))
            && self.entries.values().filter(is_under_way).count() < PICTURES_READ_MAX
    }

    /// The engine was asked for this picture.
    pub(crate) fn asked(&mut self, id: PictureId) {
        let size = self.entries.get(&id).and_then(|entry| entry.size);
        self.put(id, State::Asked, size);
    }

    fn put(&mut self, id: PictureId, state: State, size: Option<Vec2>) {
        self.entries.insert(id, AlbumEntry { state, size, drawn: Cell::new(self.turn) });
    }

    /// Shows a picture enlarged; its file has to be asked for.
    pub(crate) fn enlarge(&mut self, id: PictureId, name: String) {
        self.large = Some(Large { id, name, picture: None, is_new: true });
    }

    /// A file was read; none if it is not there any more.
    pub(crate) fn take_file(&mut self, id: PictureId, file: Option<&File>) {
        if let (Some(large), Some(file)) = (&self.large, file)
            && large.id == id
            && large.picture.is_none()
        {
            self.decode(Job { id, purpose: Purpose::Large, bytes: file.bytes.clone() });
        }
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| matches!(entry.state, State::Asked))
        else {
            return;
        };
        let Some(file) = file else { return entry.state = State::Failed };
        entry.state = State::Decoding;
        if !self.decode(Job { id, purpose: Purpose::Inline, bytes: file.bytes.clone() }) {
            self.put(id, State::Dropped, None);
        }
    }

    /// Hands a picture to the thread; false if too many wait there.
    fn decode(&mut self, job: Job) -> bool {
        if self.jobs.is_none() {
            let (jobs, waiting) = sync_channel(PICTURES_READ_MAX);
            let (tell, ctx) = (self.tell.clone(), self.ctx.clone());
            let work = move || decode_all(&waiting, &tell, &ctx);
            if let Err(error) = std::thread::Builder::new().name("pictures".to_owned()).spawn(work) {
                tracing::warn!(%error, "pictures cannot be read");
                return false;
            }
            self.jobs = Some(jobs);
        }
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok())
    }

    /// Takes in what was decoded; returns the messages that look different now.
    pub(crate) fn take_decoded(&mut self) -> Vec<MessageId> {
        self.turn += 1;
        let mut changed = Vec::new();
        while let Ok(Done { id, purpose, picture }) = self.done.try_recv() {
            let ready = picture.map(|(pixels, size)| {
                let name = format!("picture {id:?} {purpose:?}");
                (self.ctx.load_texture(name, pixels, TextureOptions::LINEAR), size)
            });
            match purpose {
                Purpose::Large => {
                    if let Some(large) = self.large.as_mut().filter(|large| large.id == id) {
                        large.picture = ready.map(|(texture, _)| texture);
                    }
                }
                // Nobody waits for it if the conversation was left meanwhile.
                Purpose::Inline if !self.entries.contains_key(&id) => {}
                Purpose::Inline => {
                    let size = ready.as_ref().map(|(_, size)| *size);
                    self.put(id, ready.map_or(State::Failed, |(texture, _)| State::Ready(texture)), size);
                    changed.push(id.0);
                }
            }
        }
        self.drop_oldest();
        changed
    }

    fn drop_oldest(&mut self) {
        let kept = |(_, entry): &(&PictureId, &mut AlbumEntry)| matches!(entry.state, State::Ready(_));
        let mut kept: Vec<_> = self.entries.iter_mut().filter(kept).collect();
        let over = kept.len().saturating_sub(PICTURES_KEPT_MAX);
        kept.sort_by_key(|(_, entry)| entry.drawn.get());
        for (_, entry) in kept.into_iter().take(over) {
            entry.state = State::Dropped;
        }
    }

    /// Answers of the engine were lost: what was asked for is asked for again.
    pub(crate) fn ask_again(&mut self) {
        let asked = self.entries.values_mut().filter(|entry| matches!(entry.state, State::Asked));
        asked.for_each(|entry| entry.state = State::Dropped);
    }

    /// Another conversation is shown.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.large = None;
    }
}

/// The thread: one picture after the other, so that only one takes its memory at a time.
fn decode_all(jobs: &Receiver<Job>, tell: &SyncSender<Done>, ctx: &Context) {
    for Job { id, purpose, bytes } in jobs {
        let (width, height) = match purpose {
            Purpose::Inline => INLINE_PIXELS,
            Purpose::Large => (PICTURE_LARGE_SIDE_MAX, PICTURE_LARGE_SIDE_MAX),
        };
        let picture = decoded(&bytes, PICTURE_PIXELS_MAX).map(|picture| {
            let size = vec2(picture.width() as f32, picture.height() as f32);
            (fitted(&picture, width, height), size)
        });
        if tell.send(Done { id, purpose, picture }).is_err() {
            return;
        }
        ctx.request_repaint_after(Duration::from_millis(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(number: u64) -> PictureId {
        (MessageId(number), 0)
    }

    fn png() -> File {
        let pixels = image::RgbaImage::from_pixel(4, 2, image::Rgba([9, 9, 9, 255]));
        let mut bytes = std::io::Cursor::new(Vec::new());
        pixels.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        File { name: None, media_type: "image/png".to_owned(), bytes: bytes.into_inner().into() }
    }

    /// Takes in what is decoded until this many messages have changed.
    fn decode(album: &mut Album, count: usize) {
        let mut changed = 0;
        while changed < count {
            changed += album.take_decoded().len();
            std::thread::yield_now();
        }
    }

    #[test]
    fn so_many_are_read_at_a_time_and_so_many_kept() {
        let mut album = Album::new(&Context::default());
        let most = u64::try_from(PICTURES_READ_MAX).unwrap();
        for number in 0..most {
            assert!(album.wants(picture(number)));
            album.asked(picture(number));
        }
        assert!(!album.wants(picture(0)), "it is asked for");
        assert!(!album.wants(picture(most)), "the others wait");
        album.take_file(picture(0), None);
        assert!(album.wants(picture(most)) && matches!(album.shown(picture(0)), PictureShown::Failed));
        album.ask_again();
        assert!(album.wants(picture(1)), "its answer was lost");
        let file = png();
        let all = u64::try_from(PICTURES_KEPT_MAX).unwrap() + 3;
        for number in 0..all {
            album.asked(picture(number));
            album.take_file(picture(number), Some(&file));
            decode(&mut album, 1);
        }
        let is_ready =
            |album: &Album, number| matches!(album.shown(picture(number)), PictureShown::Ready(_, _));
        assert!(is_ready(&album, all - 1) && !is_ready(&album, 0));
        // Its room stays, so that nothing moves when it comes again.
        assert!(
            matches!(album.shown(picture(0)), PictureShown::Waiting(Some(size)) if size == vec2(4.0, 2.0))
        );
        assert!(album.wants(picture(0)));
    }

    #[test]
    fn what_is_no_picture_is_a_file_and_what_nobody_waits_for_is_let_go() {
        let mut album = Album::new(&Context::default());
        let broken = File { bytes: Bytes::from_static(b"\x89PNG\r\n\x1a\nbroken"), ..png() };
        album.asked(picture(1));
        album.take_file(picture(1), Some(&broken));
        decode(&mut album, 1);
        assert!(matches!(album.shown(picture(1)), PictureShown::Failed) && !album.wants(picture(1)));
        album.asked(picture(2));
        album.clear();
        album.take_file(picture(2), Some(&png()));
        assert!(album.entries.is_empty());
    }
}
