//! Emoji where the system has no font with them: the ones that egui brings along, in one color.

use std::sync::Arc;

use egui::{FallbackRequest, FontData, FontDefinitions, FontInsert, FontProvider};

const NAMES: [&str; 2] = ["NotoEmoji-Regular", "emoji-icon-font"];

/// The fonts that are asked when no other has an emoji.
struct LastFonts(Vec<(String, Arc<FontData>)>);

impl FontProvider for LastFonts {
    fn font_for(&self, request: &FallbackRequest<'_>) -> Option<FontInsert> {
        let letter = request.cluster.chars().next()?;
        let is_emoji = |text: String| emojis::get(&text).is_some();
        if !is_emoji(letter.to_string()) && !is_emoji(format!("{letter}\u{FE0F}")) {
            return None;
        }
        let (name, data) = self.0.first()?;
        Some(FontInsert { name: name.clone(), data: FontData::clone(data), families: Vec::new() })
    }
}

/// Takes the fonts of emoji out of those that are asked first, so that the system's come before them.
pub(super) fn take_out(fonts: &mut FontDefinitions) -> Arc<dyn FontProvider> {
    for names in fonts.families.values_mut() {
        names.retain(|name| !NAMES.contains(&name.as_str()));
    }
    let taken = NAMES.iter().filter_map(|name| Some(((*name).to_owned(), fonts.font_data.remove(*name)?)));
    Arc::new(LastFonts(taken.collect()))
}
