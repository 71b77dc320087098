//! Characters that our fonts lack, from the fonts of this system.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use egui::{FallbackRequest, FontInsert, FontProvider};
use egui_system_font_provider::SystemFontProvider;

/// The system's fonts. They are listed on a thread from the start; a font is mapped into memory when a character needs it.
pub(super) struct SystemFonts<P = SystemFontProvider> {
    fonts: P,
    /// The library panics where a system has no font at all, on its thread and then on ours. Nothing is asked after that.
    is_broken: AtomicBool,
}

impl SystemFonts {
    pub(super) fn new() -> Self {
        Self::of(SystemFontProvider::new())
    }
}

impl<P: FontProvider> SystemFonts<P> {
    fn of(fonts: P) -> Self {
        Self { fonts, is_broken: AtomicBool::new(false) }
    }
}

impl<P: FontProvider> FontProvider for SystemFonts<P> {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        if self.is_broken.load(Ordering::Relaxed) {
            return None;
        }
        let asked = catch_unwind(AssertUnwindSafe(|| self.fonts.font_for(request)));
        asked.unwrap_or_else(|_panicked| {
            self.is_broken.store(true, Ordering::Relaxed);
            tracing::warn!("the fonts of this system cannot be used: some characters are shown as boxes");
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[test]
    fn fonts_that_cannot_be_listed_are_asked_once_and_end_nothing() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let broken = move |_: &FallbackRequest<'_>| -> Option<FontInsert> {
            count.fetch_add(1, Ordering::Relaxed);
            panic!("no fonts")
        };
        let fonts = SystemFonts::of(broken);
        for cluster in ["漢", "ש"] {
            let request = FallbackRequest { cluster, family: &egui::FontFamily::Proportional };
            assert!(fonts.font_for(&request).is_none());
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
