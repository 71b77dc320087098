//! Characters that our fonts lack, from the fonts of this system.
//!
//! The fonts are listed on a thread from the start; the file of one is mapped into memory when a character needs it. The
//! library panics where there is no font at all; then nothing is asked of it any more, and such characters are boxes.

use std::sync::{LazyLock, Mutex, PoisonError};
use std::thread::JoinHandle;

use egui::{FallbackRequest, FontData, FontFamily, FontInsert, FontProvider};
use epaint::text::{FontPriority, InsertFontFamily};
use fontique::{
    Collection, CollectionOptions, FallbackKey, GenericFamily, Language, Query, QueryFamily, QueryFont,
    QueryStatus, Script, SourceCache, SourceCacheOptions,
};
use skrifa::MetadataProvider as _;
use skrifa::instance::Size;
use unicode_script::UnicodeScript as _;

use crate::runtime::engine::contained;

/// Han letters are drawn otherwise in each of these places, and no font has all: China, Taiwan, Japan, Korea. China is named
/// as Singapore, which writes alike: `zh-CN` is to the library what it answered last without a place.
static HAN_PLACES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    ["zh-SG", "zh-TW", "ja", "ko"].iter().filter_map(|place| Language::parse(place).ok()).collect()
});
/// Kinds of fonts that have the signs of no script, such as emoji, after the kind that is asked for.
const OF_SIGNS: [GenericFamily; 5] = [
    GenericFamily::SystemUi,
    GenericFamily::Emoji,
    GenericFamily::Math,
    GenericFamily::Serif,
    GenericFamily::Monospace,
];

/// The fonts of this system.
pub(super) struct SystemFonts {
    fonts: Mutex<Fonts>,
    locale: Option<Language>,
}

enum Fonts {
    Listing(JoinHandle<Option<Listed>>),
    Listed(Box<Listed>),
    /// There are none, or they cannot be used.
    None,
}

struct Listed {
    all: Collection,
    files: SourceCache,
}

impl SystemFonts {
    /// Begins to list them.
    pub(super) fn new() -> Self {
        Self::listed_by(|| Collection::new(CollectionOptions { shared: false, system_fonts: true }))
    }

    fn listed_by(list: impl FnOnce() -> Collection + Send + 'static) -> Self {
        let files = || SourceCache::new(SourceCacheOptions::default());
        let work = move || contained(list).map(|all| Listed { all, files: files() });
        let thread = std::thread::Builder::new().name("fonts".to_owned()).spawn(work);
        let locale = sys_locale::get_locale().and_then(|locale| Language::parse(&locale).ok());
        Self { fonts: Mutex::new(thread.map_or(Fonts::None, Fonts::Listing)), locale }
    }
}

impl Fonts {
    /// Waits until they are listed.
    fn ready(&mut self) -> Option<&mut Listed> {
        match std::mem::replace(self, Self::None) {
            Self::Listing(thread) => {
                let listed = thread.join().ok().flatten();
                *self = listed.map_or_else(Self::unusable, |listed| Self::Listed(Box::new(listed)));
            }
            listed @ (Self::Listed(_) | Self::None) => *self = listed,
        }
        if let Self::Listed(listed) = self { Some(listed) } else { None }
    }

    fn unusable() -> Self {
        tracing::warn!("the fonts of this system cannot be used: some characters are shown as boxes");
        Self::None
    }
}

impl FontProvider for SystemFonts {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let mut fonts = self.fonts.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = fonts.ready()?;
        contained(|| listed.font_for(request, self.locale)).unwrap_or_else(|| {
            *fonts = Fonts::unusable();
            None
        })
    }
}

impl Listed {
    fn font_for(&mut self, request: &FallbackRequest<'_>, locale: Option<Language>) -> Option<FontInsert> {
        let letter = request.cluster.chars().next()?;
        let kind = match request.family {
            FontFamily::Monospace => GenericFamily::Monospace,
            FontFamily::Proportional | FontFamily::Name(_) => GenericFamily::SansSerif,
        };
        let script = letter.script();
        let font = if matches!(
            script,
            unicode_script::Script::Common
                | unicode_script::Script::Inherited
                | unicode_script::Script::Unknown
        ) {
            self.of_signs(letter, kind)
        } else {
            self.of_script(letter, kind, script, locale)
        }?;
        let family = self.all.family_name(font.family.0).unwrap_or_default();
        let name = format!("system:{family}:{}:{}", font.family.1, font.index);
        tracing::debug!("{letter:?} is shown in {name}");
        let families =
            vec![InsertFontFamily { family: request.family.clone(), priority: FontPriority::Lowest }];
        let (blob, _) = font.blob.into_raw_parts();
        Some(FontInsert { name, data: FontData::from_blob(blob, font.index), families })
    }

    fn of_signs(&mut self, letter: char, kind: GenericFamily) -> Option<QueryFont> {
        let mut query = self.all.query(&mut self.files);
        query.set_families(std::iter::once(kind).chain(OF_SIGNS).map(QueryFamily::Generic));
        first(&mut query, letter)
    }

    /// The font that this system shows such text in, if it has the letter; else the plain one of the script: of fonts that
    /// nobody has put in an order, one that is made for footnotes may come first, such as Noto Rashi Hebrew.
    fn of_script(
        &mut self,
        letter: char,
        kind: GenericFamily,
        script: unicode_script::Script,
        locale: Option<Language>,
    ) -> Option<QueryFont> {
        let plain = format!("Noto Sans {}", script.full_name().replace('_', " "));
        let usual = self.all.generic_families(kind).next().map(QueryFamily::Id);
        let places: &[Language] = if script == unicode_script::Script::Han { &HAN_PLACES } else { &[] };
        let tag = Script::parse(script.short_name()).ok()?;
        std::iter::once(locale).chain(places.iter().copied().map(Some)).find_map(|place| {
            let mut query = self.all.query(&mut self.files);
            let families = [QueryFamily::Named(&plain), QueryFamily::Generic(kind)];
            query.set_families(usual.into_iter().chain(families));
            query.set_fallbacks(FallbackKey::new(tag, place.map(told_apart).as_ref()));
            first(&mut query, letter)
        })
    }
}

/// The name by which the library knows a place; see [`HAN_PLACES`].
fn told_apart(place: Language) -> Language {
    let is_china = place.language() == "zh"
        && place.script() != Some("Hant")
        && !matches!(place.region(), Some("HK" | "TW" | "MO"));
    HAN_PLACES.first().copied().filter(|_| is_china).unwrap_or(place)
}

/// The first font that can show the letter.
fn first(query: &mut Query<'_>, letter: char) -> Option<QueryFont> {
    let mut found = None;
    query.matches_with(|font| {
        if !shows(font, letter).unwrap_or_default() {
            return QueryStatus::Continue;
        }
        found = Some(font.clone());
        QueryStatus::Stop
    });
    found
}

fn shows(font: &QueryFont, letter: char) -> Option<bool> {
    let glyph = skrifa::GlyphId::new(font.charmap()?.map(letter)?);
    let font = skrifa::FontRef::from_index(font.blob.as_ref(), font.index).ok()?;
    let is_there = font.outline_glyphs().get(glyph).is_some()
        || font.color_glyphs().get(glyph).is_some()
        || font.bitmap_strikes().glyph_for_size(Size::unscaled(), glyph).is_some();
    Some(is_there && glyph != skrifa::GlyphId::NOTDEF)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use fontique::{Blob, FontInfoOverride};

    use super::*;

    fn asked(fonts: &SystemFonts, cluster: &str) -> Option<String> {
        let request = FallbackRequest { cluster, family: &FontFamily::Proportional };
        fonts.font_for(&request).map(|font| font.name)
    }

    #[test]
    fn fonts_that_cannot_be_listed_are_listed_once_and_end_nothing() {
        let tried = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&tried);
        let fonts = SystemFonts::listed_by(move || {
            count.fetch_add(1, Ordering::Relaxed);
            panic!("no fonts")
        });
        for cluster in ["漢", "ש", "🫨", ""] {
            assert_eq!(asked(&fonts, cluster), None);
        }
        assert_eq!(tried.load(Ordering::Relaxed), 1);
    }

    /// A system with these fonts under these names, in this order.
    fn system(named: &[(&'static str, &[u8])]) -> SystemFonts {
        let named: Vec<_> = named.iter().map(|(name, font)| (*name, font.to_vec())).collect();
        SystemFonts::listed_by(move || {
            let mut all = Collection::new(CollectionOptions { shared: false, system_fonts: false });
            let ids = named.into_iter().map(|(name, font)| {
                let named = FontInfoOverride { family_name: Some(name), ..FontInfoOverride::default() };
                all.register_fonts(Blob::new(Arc::new(font)), Some(named))[0].0
            });
            let ids: Vec<_> = ids.collect();
            all.set_generic_families(GenericFamily::SansSerif, ids.into_iter());
            all
        })
    }

    #[test]
    fn each_letter_is_looked_for_in_the_usual_font_then_in_the_plain_one_of_its_script() {
        let letters: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.otf");
        let egui = egui::FontDefinitions::default();
        let signs = egui.font_data["NotoEmoji-Regular"].bytes();
        let first = |usual: &[u8]| {
            let named = [("Usual", usual), ("Noto Rashi Latin", letters), ("Noto Sans Latin", letters)];
            let fonts = system(&named);
            // Whatever was asked before.
            let asked = ["漢", "a", "a"].map(|letter| asked(&fonts, letter));
            assert_eq!((&asked[0], &asked[1]), (&None, &asked[2]));
            asked[1].as_ref().unwrap().split(':').nth(1).unwrap().to_owned()
        };
        assert_eq!(first(letters), "Usual");
        assert_eq!(first(signs), "Noto Sans Latin");
    }
}
