//! What the environment says of language, time and numbers (POSIX: `LC_ALL` before the one category before `LANG`).

use icu_calendar::types::Weekday as IcuWeekday;
use icu_calendar::week::WeekInformation;
use icu_datetime::NoCalendarFormatter;
use icu_datetime::fieldsets::T;
use icu_datetime::input::Time;
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale;
use jiff::civil::Weekday;

use super::{Customs, Numbers, Tongue};

/// The customs by these variables; what they do not say is as without a locale.
pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Customs {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let of = |category: &str| set("LC_ALL").or_else(|| set(category)).or_else(|| set("LANG"));
    let messages = of("LC_MESSAGES").filter(|name| !is_plain(name));
    // GNU's list of languages counts only where there is a locale at all.
    let languages = messages.as_ref().and_then(|_| set("LANGUAGE"));
    let wanted = languages.as_deref().into_iter().flat_map(|list| list.split(':')).chain(messages.as_deref());
    let language = wanted.filter_map(tongue).next().unwrap_or_default();
    let time = of("LC_TIME").as_deref().and_then(locale);
    let numeric = of("LC_NUMERIC").as_deref().and_then(locale);
    Customs {
        language,
        has_twelve_hours: time.as_ref().is_some_and(has_twelve_hours),
        first_day: time.as_ref().and_then(first_day).unwrap_or(Weekday::Monday),
        numbers: numeric.as_ref().and_then(numbers).unwrap_or(Numbers::PLAIN),
    }
}

/// `de_DE.UTF-8@euro` without what comes after the region.
fn name(value: &str) -> &str {
    value.split(['.', '@']).next().unwrap_or_default()
}

fn is_plain(value: &str) -> bool {
    matches!(name(value), "C" | "POSIX" | "")
}

fn tongue(value: &str) -> Option<Tongue> {
    match name(value).split(['_', '-']).next().unwrap_or_default() {
        "en" => Some(Tongue::English),
        "es" => Some(Tongue::Spanish),
        "de" => Some(Tongue::German),
        _ => None,
    }
}

fn locale(value: &str) -> Option<Locale> {
    // The digits are the usual ones everywhere in the window.
    let tag = format!("{}-u-nu-latn", name(value).replace('_', "-"));
    (!is_plain(value)).then(|| Locale::try_from_str(&tag).ok()).flatten()
}

fn has_twelve_hours(locale: &Locale) -> bool {
    let (Ok(format), Ok(one)) =
        (NoCalendarFormatter::try_new(locale.into(), T::short()), Time::try_new(13, 0, 0, 0))
    else {
        return false;
    };
    !format.format(&one).to_string().contains("13")
}

fn first_day(locale: &Locale) -> Option<Weekday> {
    let week = WeekInformation::try_new(locale.into()).ok()?;
    Some(match week.first_weekday {
        IcuWeekday::Monday => Weekday::Monday,
        IcuWeekday::Tuesday => Weekday::Tuesday,
        IcuWeekday::Wednesday => Weekday::Wednesday,
        IcuWeekday::Thursday => Weekday::Thursday,
        IcuWeekday::Friday => Weekday::Friday,
        IcuWeekday::Saturday => Weekday::Saturday,
        IcuWeekday::Sunday => Weekday::Sunday,
    })
}

fn numbers(locale: &Locale) -> Option<Numbers> {
    let format = DecimalFormatter::try_new(locale.into(), Default::default()).ok()?;
    let written = |number: Decimal| format.format(&number).to_string();
    let is_sign = |sign: &char| !sign.is_ascii_digit();
    let mut part = Decimal::from(12);
    part.multiply_pow10(-1);
    let point = written(part).chars().find(is_sign)?;
    let large = written(Decimal::from(123_456_789));
    let group = large.chars().find(is_sign).map(|sign| match sign {
        // Narrow spaces, which not every font has.
        '\u{202f}' | '\u{2009}' => '\u{a0}',
        sign => sign,
    });
    let digits: Vec<usize> = large.split(|sign: char| !sign.is_ascii_digit()).map(str::len).collect();
    let group_digits = digits.iter().rev().nth(1).copied().filter(|_| digits.len() > 2).unwrap_or(3);
    let grouped_from = if written(Decimal::from(1234)).chars().any(|sign| is_sign(&sign)) { 4 } else { 5 };
    Some(Numbers { point, group, grouped_from, group_digits })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Customs {
        read(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_language_is_that_of_the_messages() {
        let language = |variables: &[(&str, &str)]| with(variables).language;
        assert_eq!(language(&[]), Tongue::English);
        assert_eq!(language(&[("LANG", "de_AT.UTF-8")]), Tongue::German);
        assert_eq!(language(&[("LANG", "fr_FR.UTF-8")]), Tongue::English);
        assert_eq!(language(&[("LANG", "de_DE.UTF-8"), ("LC_MESSAGES", "es_MX")]), Tongue::Spanish);
        assert_eq!(language(&[("LC_ALL", "C.UTF-8"), ("LC_MESSAGES", "es_MX")]), Tongue::English);
        assert_eq!(language(&[("LANG", "de_DE"), ("LC_ALL", "")]), Tongue::German);
        assert_eq!(language(&[("LANG", "de_DE"), ("LANGUAGE", "ca:es:en")]), Tongue::Spanish);
        assert_eq!(language(&[("LANG", "C"), ("LANGUAGE", "es")]), Tongue::English);
    }

    #[test]
    fn hours_and_weeks_are_those_of_the_time() {
        let time = |variables: &[(&str, &str)]| {
            let customs = with(variables);
            (customs.has_twelve_hours, customs.first_day)
        };
        assert_eq!(time(&[]), (false, Weekday::Monday));
        assert_eq!(time(&[("LANG", "C.UTF-8")]), (false, Weekday::Monday));
        assert_eq!(time(&[("LANG", "en_US.UTF-8")]), (true, Weekday::Sunday));
        assert_eq!(time(&[("LANG", "en_GB.UTF-8")]), (false, Weekday::Monday));
        assert_eq!(time(&[("LANG", "en_US.UTF-8"), ("LC_TIME", "de_DE.UTF-8")]), (false, Weekday::Monday));
        assert_eq!(time(&[("LANG", "de_DE.UTF-8"), ("LC_TIME", "pt_BR.UTF-8")]), (false, Weekday::Sunday));
        assert_eq!(time(&[("LC_TIME", "ar_EG.UTF-8")]), (true, Weekday::Saturday));
        assert_eq!(time(&[("LANG", "nonsense of a locale")]), (false, Weekday::Monday));
    }

    #[test]
    fn numbers_are_those_of_the_region() {
        let numbers = |lang: &str| with(&[("LANG", lang)]).numbers;
        let all = |point, group, grouped_from| Numbers { point, group, grouped_from, group_digits: 3 };
        assert_eq!(with(&[]).numbers, Numbers::PLAIN);
        assert_eq!(numbers("en_US.UTF-8"), all('.', Some(','), 4));
        assert_eq!(numbers("de_DE.UTF-8"), all(',', Some('.'), 4));
        assert_eq!(numbers("es_ES.UTF-8"), all(',', Some('.'), 5));
        assert_eq!(numbers("de_CH.UTF-8"), all('.', Some('\''), 4));
        assert_eq!(numbers("fr_FR.UTF-8"), all(',', Some('\u{a0}'), 4));
        assert_eq!(numbers("hi_IN.UTF-8").group_digits, 2);
        assert_eq!(with(&[("LANG", "en_US"), ("LC_NUMERIC", "de_DE")]).numbers.point, ',');
    }
}
