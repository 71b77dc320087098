//! The icon in the desktop's tray (StatusNotifierItem), with or without a window: it says whether something is unread or has
//! failed, shows the window, and ends the program.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ui::text::{Voice, say};
use ksni::blocking::TrayMethods as _;
use ksni::menu::StandardItem;
use ksni::{Category, Icon, MenuItem, OfflineReason, Status, ToolTip};

/// Side of the icon.
const SIDE: u32 = 64;
/// Radius of the mark on it.
const MARK: i32 = 17;
/// The mark if something is unread, and if something has failed: red, green, blue.
const UNREAD: [u8; 3] = [0x2b, 0x55, 0xd4];
const FAILED: [u8; 3] = [0xc6, 0x28, 0x28];

/// What the icon says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Waiting {
    /// Messages that were not read.
    pub unread: u32,
    /// Conversations with messages that have failed, which the user has not seen.
    pub failed: u32,
}

impl Waiting {
    fn words(self) -> String {
        let unread = (self.unread > 0).then(|| say!("tray-unread", count = self.unread));
        let failed = (self.failed > 0).then(|| say!("tray-failed").to_owned());
        let parts: Vec<String> = unread.into_iter().chain(failed).collect();
        if parts.is_empty() { say!("tray-nothing").to_owned() } else { parts.join(", ") }
    }
}

/// What the user asks of the icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Click {
    /// To see the window.
    Show,
    /// To end the program.
    Quit,
}

type Clicked = Arc<dyn Fn(Click) + Send + Sync>;

/// The icon, which goes with the last copy of this.
#[derive(Clone, Debug)]
pub struct Tray {
    waiting: Arc<Mutex<Waiting>>,
    news: SyncSender<()>,
    is_shown: Arc<AtomicBool>,
}

impl Tray {
    /// Shows the icon as soon as there is a tray; `clicked` is called on a thread of its own.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(clicked: impl Fn(Click) + Send + Sync + 'static) -> std::io::Result<Self> {
        let (news, told) = sync_channel(1);
        let tray = Self { waiting: Arc::default(), news, is_shown: Arc::default() };
        let item = Item {
            waiting: Waiting::default(),
            picture: picture(),
            is_shown: Arc::clone(&tray.is_shown),
            clicked: Arc::new(clicked),
            voice: Voice::of_this_thread(),
        };
        let waiting = Arc::clone(&tray.waiting);
        let work = move || live(item, &waiting, &told);
        std::thread::Builder::new().name("tray".to_owned()).spawn(work)?;
        Ok(tray)
    }

    /// From now on, this is waiting for the user.
    pub fn tell(&self, waiting: Waiting) {
        let before =
            std::mem::replace(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner), waiting);
        if before != waiting {
            // If one is there already, the latest is read with it.
            self.news.try_send(()).unwrap_or_default();
        }
    }

    /// Whether this desktop has a tray.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.is_shown.load(Ordering::SeqCst)
    }
}

fn live(item: Item, waiting: &Mutex<Waiting>, told: &Receiver<()>) {
    let is_shown = Arc::clone(&item.is_shown);
    is_shown.store(true, Ordering::SeqCst);
    let handle = match item.assume_sni_available(true).spawn() {
        Ok(handle) => handle,
        Err(error) => {
            is_shown.store(false, Ordering::SeqCst);
            tracing::debug!(%error, "there is no tray");
            return;
        }
    };
    for () in told {
        let now = *waiting.lock().unwrap_or_else(PoisonError::into_inner);
        handle.update(|item| item.waiting = now);
    }
    handle.shutdown().wait();
}

/// The icon as the tray sees it.
struct Item {
    waiting: Waiting,
    /// Without a mark.
    picture: Option<image::RgbaImage>,
    is_shown: Arc<AtomicBool>,
    clicked: Clicked,
    /// That of the window: the tray asks on a thread of its own.
    voice: Voice,
}

impl Item {
    fn icon(&self) -> Vec<Icon> {
        let mark = match self.waiting {
            Waiting { failed: 1.., .. } => Some(FAILED),
            Waiting { unread: 1.., .. } => Some(UNREAD),
            Waiting { .. } => None,
        };
        self.picture.iter().map(|picture| marked(picture, mark)).collect()
    }

    fn entry(&self, label: &str, click: Click) -> MenuItem<Self> {
        let clicked = Arc::clone(&self.clicked);
        let activate = Box::new(move |_: &mut Self| clicked(click));
        StandardItem { label: label.to_owned(), activate, ..StandardItem::default() }.into()
    }
}

impl ksni::Tray for Item {
    fn id(&self) -> String {
        "fanfare".to_owned()
    }

    fn title(&self) -> String {
        "Fanfare".to_owned()
    }

    fn category(&self) -> Category {
        Category::Communications
    }

    fn status(&self) -> Status {
        if self.waiting == Waiting::default() { Status::Active } else { Status::NeedsAttention }
    }

    fn icon_pixmap(&self) -> Vec<Icon> {
        self.icon()
    }

    fn attention_icon_pixmap(&self) -> Vec<Icon> {
        self.icon()
    }

    fn tool_tip(&self) -> ToolTip {
        self.voice.clone().take_over();
        ToolTip { title: "Fanfare".to_owned(), description: self.waiting.words(), ..ToolTip::default() }
    }

    fn activate(&mut self, _x: i32, _y: i32) {
        (self.clicked)(Click::Show);
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        self.voice.clone().take_over();
        vec![self.entry(say!("show-fanfare"), Click::Show), self.entry(say!("quit"), Click::Quit)]
    }

    fn watcher_online(&self) {
        self.is_shown.store(true, Ordering::SeqCst);
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        tracing::debug!(?reason, "there is no tray now");
        self.is_shown.store(false, Ordering::SeqCst);
        // One may come.
        true
    }
}

fn picture() -> Option<image::RgbaImage> {
    let bytes = include_bytes!("../../../assets/icon.png");
    let picture = image::load_from_memory_with_format(bytes, image::ImageFormat::Png).ok()?;
    Some(picture.resize_exact(SIDE, SIDE, image::imageops::FilterType::Triangle).into_rgba8())
}

/// The picture with a disc in its lower right corner, in the order of bytes that a tray wants.
fn marked(picture: &image::RgbaImage, mark: Option<[u8; 3]>) -> Icon {
    let side = i32::try_from(SIDE).unwrap_or(i32::MAX);
    let middle = side - MARK;
    let mut data = Vec::new();
    for (x, y, pixel) in picture.enumerate_pixels() {
        let away = |place: u32| i32::try_from(place).unwrap_or(i32::MAX).saturating_sub(middle);
        let distance = away(x).saturating_pow(2).saturating_add(away(y).saturating_pow(2));
        let [mut red, mut green, mut blue, mut alpha] = pixel.0;
        if let Some(mark) = mark.filter(|_| distance < MARK * MARK) {
            ([red, green, blue], alpha) = (mark, u8::MAX);
        }
        data.extend([alpha, red, green, blue]);
    }
    Icon { width: side, height: side, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_icon_says_what_waits() {
        let words = |unread, failed| Waiting { unread, failed }.words();
        assert_eq!(words(0, 0), "Nothing new");
        assert_eq!(words(1, 0), "1 unread message");
        assert_eq!(words(3, 2), "3 unread messages, not everybody got a message of yours");
        let picture = picture().unwrap();
        let corner = |mark| {
            let icon = marked(&picture, mark);
            assert_eq!((icon.width, icon.data.len()), (64, 64 * 64 * 4));
            let at = (47 * 64 + 47) * 4;
            [0, 1, 2, 3].map(|byte| icon.data[at + byte])
        };
        assert_eq!(corner(Some(FAILED)), [0xff, 0xc6, 0x28, 0x28]);
        assert_eq!(corner(Some(UNREAD)), [0xff, 0x2b, 0x55, 0xd4]);
        assert_ne!(corner(None), corner(Some(UNREAD)));
    }
}
