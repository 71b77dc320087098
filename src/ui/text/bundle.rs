//! The texts of each language, read once; those with nothing to fill in are ready to be shown.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::types::FluentNumber;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use fluent_syntax::ast::Entry;
use unic_langid::LanguageIdentifier;

use super::{Tongue, customs, grouped};

static ENGLISH: LazyLock<Texts> =
    LazyLock::new(|| Texts::of("en", include_str!("../../../assets/lang/en.ftl")));
static SPANISH: LazyLock<Texts> =
    LazyLock::new(|| Texts::of("es", include_str!("../../../assets/lang/es.ftl")));
static GERMAN: LazyLock<Texts> =
    LazyLock::new(|| Texts::of("de", include_str!("../../../assets/lang/de.ftl")));

struct Texts {
    bundle: FluentBundle<FluentResource>,
    plain: BTreeMap<String, String>,
}

impl Texts {
    /// What is wrong in a file is left out; `tests/tidy/texts.rs` finds it.
    fn of(language: &str, source: &str) -> Self {
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(rest, _)| rest);
        let ids: Vec<String> = resource
            .entries()
            .filter_map(
                |entry| if let Entry::Message(it) = entry { Some(it.id.name.to_owned()) } else { None },
            )
            .collect();
        let language: Option<LanguageIdentifier> = language.parse().ok();
        let mut bundle = FluentBundle::new_concurrent(language.into_iter().collect());
        // Names from right to left are put in order where a text is laid out; the marks would be shown.
        bundle.set_use_isolating(false);
        bundle.set_formatter(Some(|value, _| written(value)));
        let _twice = bundle.add_resource(resource).is_err();
        let mut texts = Self { bundle, plain: BTreeMap::new() };
        let plain = ids.into_iter().filter_map(|id| texts.format(&id, None).map(|text| (id, text)));
        texts.plain = plain.collect();
        texts
    }

    /// None if there is no such text, or if something is missing in it.
    fn format(&self, id: &str, given: Option<&FluentArgs<'_>>) -> Option<String> {
        let pattern = self.bundle.get_message(id)?.value()?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, given, &mut errors);
        errors.is_empty().then(|| text.into_owned())
    }
}

fn written(value: &FluentValue<'_>) -> Option<String> {
    let FluentValue::Number(FluentNumber { value, .. }) = value else { return None };
    (value.fract() == 0.0 && *value >= 0.0).then(|| grouped(&value.to_string(), customs().numbers))
}

fn texts(language: Tongue) -> &'static Texts {
    match language {
        Tongue::English => &ENGLISH,
        Tongue::Spanish => &SPANISH,
        Tongue::German => &GERMAN,
    }
}

/// A text with nothing to fill in; in English if it is not translated, and its name if there is none at all.
pub(super) fn plain(language: Tongue, id: &'static str) -> &'static str {
    let of = |language| texts(language).plain.get(id).map(String::as_str);
    of(language).or_else(|| of(Tongue::English)).unwrap_or(id)
}

/// A text with these filled in.
pub(super) fn filled(
    language: Tongue,
    id: &'static str,
    given: Vec<(&'static str, FluentValue<'_>)>,
) -> String {
    let given: FluentArgs<'_> = given.into_iter().collect();
    let of = |language| texts(language).format(id, Some(&given));
    of(language).or_else(|| of(Tongue::English)).unwrap_or_else(|| id.to_owned())
}
