//! The texts of the window in the language of its user, and how that user writes times and numbers.
//!
//! [`say!`] is the one way to a text: `say!("quit")`, or `say!("resend-to", count = 3)` where something is filled in.
//! A text that a table holds is a [`TextId`], which says itself when it is drawn. The texts are in `assets/lang`, written in
//! Fluent; `tests/tidy/texts.rs` finds those that are missing, unused or not translated.
//!
//! Which language that is belongs to the thread: a window speaks it with [`Customs::speak`] before each frame, and a
//! thread that writes texts for a window is started by [`spawn`]. A thread that nobody told speaks English.

mod bundle;
mod system;

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use fluent_bundle::FluentValue;
use jiff::civil::Weekday;

use crate::model::locale::{FirstDay, Hours, Language};
use crate::model::snapshot::Settings;

/// A text in the language of this thread: `say!("id")`, `say!("id", count = 3, name = who)`.
macro_rules! say {
    ($id:literal) => { $crate::ui::text::TextId($id).say() };
    ($id:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::ui::text::TextId($id)
            .with(vec![$((stringify!($name), $crate::ui::text::Given::given(&$value))),+])
    };
}
pub(crate) use say;

/// The name of a text in `assets/lang`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TextId(pub(crate) &'static str);

impl TextId {
    /// The text, which has nothing to fill in.
    pub(crate) fn say(self) -> &'static str {
        bundle::plain(customs().language, self.0)
    }

    /// The text with these filled in.
    pub(crate) fn with(self, given: Vec<(&'static str, FluentValue<'_>)>) -> String {
        bundle::filled(customs().language, self.0, given)
    }
}

/// What can be filled into a text. Numbers decide about the plural, and are written as the user writes them; those of
/// 16 bits are the exception, as a port or a status is a name.
pub(crate) trait Given {
    /// As Fluent knows it.
    fn given(&self) -> FluentValue<'_>;
}

impl Given for str {
    fn given(&self) -> FluentValue<'_> {
        FluentValue::String(Cow::Borrowed(self))
    }
}

impl Given for String {
    fn given(&self) -> FluentValue<'_> {
        FluentValue::String(Cow::Borrowed(self))
    }
}

impl Given for Arc<str> {
    fn given(&self) -> FluentValue<'_> {
        FluentValue::String(Cow::Borrowed(self))
    }
}

impl Given for Cow<'_, str> {
    fn given(&self) -> FluentValue<'_> {
        FluentValue::String(Cow::Borrowed(self))
    }
}

impl<T: Given + ?Sized> Given for &T {
    fn given(&self) -> FluentValue<'_> {
        (**self).given()
    }
}

macro_rules! printed {
    ($($kind:ty),+) => {$(
        impl Given for $kind {
            fn given(&self) -> FluentValue<'_> {
                FluentValue::String(Cow::Owned(self.to_string()))
            }
        }
    )+};
}

printed!(
    u16,
    crate::injection::Injection,
    crate::injection::Mark,
    crate::sip::Transport,
    std::path::Display<'_>,
    std::io::Error,
    std::net::SocketAddr
);

macro_rules! counted {
    ($($kind:ty),+) => {$(
        impl Given for $kind {
            fn given(&self) -> FluentValue<'_> {
                FluentValue::from(*self)
            }
        }
    )+};
}

counted!(u32, u64, usize);

/// A language that there are texts in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tongue {
    /// English, which the others fall back to.
    #[default]
    English,
    /// Spanish.
    Spanish,
    /// German.
    German,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Between the whole and its parts.
    point: char,
    /// Between groups of digits, if they are grouped.
    group: Option<char>,
    /// Digits from which a number is grouped.
    grouped_from: usize,
    /// Digits of each group but the last, which has three.
    group_digits: usize,
}

impl Numbers {
    const PLAIN: Self = Self { point: '.', group: Some(','), grouped_from: 4, group_digits: 3 };
}

/// The language, and how times and numbers are written. The default is what a system without a locale has: English, 24 hours,
/// weeks from Monday, `1,234.5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Customs {
    pub(crate) language: Tongue,
    pub(crate) has_twelve_hours: bool,
    pub(crate) first_day: Weekday,
    pub(crate) numbers: Numbers,
}

impl Default for Customs {
    fn default() -> Self {
        Self::PLAIN
    }
}

impl Customs {
    const PLAIN: Self = Self {
        language: Tongue::English,
        has_twelve_hours: false,
        first_day: Weekday::Monday,
        numbers: Numbers::PLAIN,
    };

    /// What the variables of the environment say: `LANGUAGE`, `LC_ALL`, `LC_MESSAGES`, `LC_TIME`, `LC_NUMERIC`, `LANG`.
    #[must_use]
    pub fn of_system() -> Self {
        system::read(|name| std::env::var(name).ok())
    }

    /// The same in another language.
    #[must_use]
    pub fn in_language(self, language: Tongue) -> Self {
        Self { language, ..self }
    }

    /// These, and what the user has chosen instead.
    pub(crate) fn chosen(self, settings: &Settings) -> Self {
        Self {
            language: match settings.language {
                Language::System => self.language,
                Language::English => Tongue::English,
                Language::Spanish => Tongue::Spanish,
                Language::German => Tongue::German,
            },
            has_twelve_hours: match settings.hours {
                Hours::System => self.has_twelve_hours,
                Hours::TwentyFour => false,
                Hours::Twelve => true,
            },
            first_day: match settings.first_day {
                FirstDay::System => self.first_day,
                FirstDay::Monday => Weekday::Monday,
                FirstDay::Saturday => Weekday::Saturday,
                FirstDay::Sunday => Weekday::Sunday,
            },
            ..self
        }
    }

    /// From now on this thread, and those that took its voice over, follow these.
    pub(crate) fn speak(self) {
        VOICE.with_borrow(|voice| voice.set(self));
    }
}

/// What the threads of one window speak.
#[derive(Clone, Debug)]
pub(crate) struct Voice(Arc<Mutex<Customs>>);

impl Voice {
    /// That of this thread.
    pub(crate) fn of_this_thread() -> Self {
        VOICE.with_borrow(Self::clone)
    }

    /// Becomes that of this thread.
    pub(crate) fn take_over(self) {
        VOICE.set(self);
    }

    fn set(&self, customs: Customs) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = customs;
    }

    fn get(&self) -> Customs {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts a thread that speaks as this one does, now and later.
///
/// # Errors
/// The thread cannot be started.
pub(crate) fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    let voice = Voice::of_this_thread();
    std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        voice.take_over();
        work()
    })
}

thread_local! {
    static VOICE: RefCell<Voice> = RefCell::new(Voice(Arc::new(Mutex::new(Customs::PLAIN))));
}

/// What this thread follows.
pub(crate) fn customs() -> Customs {
    VOICE.with_borrow(Voice::get)
}

/// A whole number, as the user writes it: `12,345`, `12.345`.
pub(crate) fn number(number: u64) -> String {
    grouped(&number.to_string(), customs().numbers)
}

/// A number with a point in it, as the user writes it: `0,4` for `0.4`.
pub(crate) fn decimal(number: &str) -> String {
    number.replace('.', customs().numbers.point.encode_utf8(&mut [0; 4]))
}

fn grouped(digits: &str, numbers: Numbers) -> String {
    let Some(sign) = numbers.group.filter(|_| digits.len() >= numbers.grouped_from) else {
        return digits.to_owned();
    };
    let mut written = String::new();
    for (place, digit) in digits.chars().enumerate() {
        let left = digits.len() - place;
        let is_start = left == 3 || (left > 3 && (left - 3).is_multiple_of(numbers.group_digits.max(1)));
        if place > 0 && is_start {
            written.push(sign);
        }
        written.push(digit);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spanish() -> Customs {
        Customs { language: Tongue::Spanish, ..Customs::default() }
    }

    #[test]
    fn a_text_is_said_in_the_language_of_its_thread() {
        assert_eq!(say!("quit"), "Quit");
        spanish().speak();
        assert_eq!(say!("quit"), "Salir");
        assert_eq!(spawn("same", || say!("quit")).unwrap().join().unwrap(), "Salir");
        let other = std::thread::Builder::new().name("other".to_owned()).spawn(|| say!("quit"));
        assert_eq!(other.unwrap().join().unwrap(), "Quit");
        assert_eq!(TextId("there-is-no-such-text").say(), "there-is-no-such-text");
        assert_eq!(say!("there-is-no-such-text", count = 3_usize), "there-is-no-such-text");
    }

    #[test]
    fn a_count_decides_about_the_plural_and_is_written_as_the_user_writes_it() {
        assert_eq!(say!("messages-count", count = 1_usize), "1 message");
        assert_eq!(say!("messages-count", count = 12_345_usize), "12,345 messages");
        let numbers = Numbers { group: Some('.'), grouped_from: 5, ..Numbers::PLAIN };
        Customs { numbers, ..spanish() }.speak();
        assert_eq!(say!("messages-count", count = 1_usize), "1 mensaje");
        assert_eq!(say!("messages-count", count = 0_usize), "0 mensajes");
        assert_eq!(say!("messages-count", count = 1_234_usize), "1234 mensajes");
        assert_eq!(say!("messages-count", count = 1_234_567_usize), "1.234.567 mensajes");
        assert_eq!(number(1_048_576), "1.048.576");
        assert_eq!(decimal("0.4 s"), "0.4 s");
        assert_eq!(5060_u16.given(), FluentValue::from("5060"), "a port has no groups");
    }

    #[test]
    fn numbers_are_grouped_as_the_region_does_it() {
        let indian = Numbers { group: Some(','), group_digits: 2, ..Numbers::PLAIN };
        assert_eq!(grouped("123", indian), "123");
        assert_eq!(grouped("1234", indian), "1,234");
        assert_eq!(grouped("1234567", indian), "12,34,567");
        assert_eq!(grouped("1234567", Numbers { group: None, ..Numbers::PLAIN }), "1234567");
    }

    #[test]
    fn what_the_user_chose_comes_before_the_system() {
        let settings =
            |language, hours, first_day| Settings { language, hours, first_day, ..Settings::default() };
        assert_eq!(spanish().chosen(&Settings::default()), spanish());
        let chosen = spanish().chosen(&settings(Language::German, Hours::Twelve, FirstDay::Sunday));
        assert_eq!(
            (chosen.language, chosen.has_twelve_hours, chosen.first_day),
            (Tongue::German, true, Weekday::Sunday)
        );
    }
}
