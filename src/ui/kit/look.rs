//! How times are written: what the clock and the calendar of this computer say.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ZonedDateTime};

use crate::time::Timestamp;
use crate::ui::text::{TextId, customs, say};

/// The current time and time zone, for displaying times.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// The current time.
    pub(crate) now: Timestamp,
    /// The local time zone.
    pub(crate) zone: TimeZone,
}

impl Look {
    fn local(&self, at: Timestamp) -> ZonedDateTime {
        Instant::from_millisecond(at.as_millis_i64())
            .unwrap_or(Instant::UNIX_EPOCH)
            .to_zoned_datetime(self.zone.clone())
    }

    /// The local date of `at`.
    pub(crate) fn date(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// `12 May 2027`.
    pub(crate) fn full_date(&self, at: Timestamp) -> String {
        full_date(self.date(at))
    }

    /// `14:02`, `2:02 PM`.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        shown(self.local(at).time(), "%H:%M", "%-I:%M")
    }

    /// `14:02:07`, `2:02:07 PM`.
    pub(crate) fn clock_secs(&self, at: Timestamp) -> String {
        shown(self.local(at).time(), "%H:%M:%S", "%-I:%M:%S")
    }

    /// `14:02:07.123`.
    pub(crate) fn clock_millis(&self, at: Timestamp) -> String {
        self.local(at).strftime("%H:%M:%S%.3f").to_string()
    }

    /// `Today`, `Yesterday`, `Monday`, `12 May`, `12 May 2025`: a day separator.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        let (date, today) = (self.date(at), self.date(self.now));
        if date == today {
            say!("today").to_owned()
        } else if date.tomorrow().is_ok_and(|next| next == today) {
            say!("yesterday").to_owned()
        } else if date < today && date.saturating_add(jiff::Span::new().days(6)) >= today {
            weekday_and_date(date)
        } else if date.year() == today.year() {
            say!("date-long", day = date.day().to_string(), month = month_name(date))
        } else {
            full_date(date)
        }
    }

    /// `14:02`, `Yesterday`, `Mon`, `12 May`, `12 May 2025`: the time in a row of the conversation list.
    pub(crate) fn short(&self, at: Timestamp) -> String {
        let (date, today) = (self.date(at), self.date(self.now));
        if date == today {
            self.clock(at)
        } else if date.tomorrow().is_ok_and(|next| next == today) {
            say!("yesterday").to_owned()
        } else if date < today && date.saturating_add(jiff::Span::new().days(6)) >= today {
            weekday_short(date.weekday()).to_owned()
        } else if date.year() == today.year() {
            short_date(date)
        } else {
            say!(
                "date-short-year",
                day = date.day().to_string(),
                month = month_short(date),
                year = date.year().to_string()
            )
        }
    }

    /// How long it is until the local date changes.
    pub(crate) fn until_midnight(&self) -> Option<Duration> {
        let midnight = self.local(self.now).tomorrow().ok()?.start_of_day().ok()?.timestamp();
        let left = midnight.as_millisecond().saturating_sub(self.now.as_millis_i64());
        u64::try_from(left).ok().map(Duration::from_millis)
    }

    /// Tomorrow at this hour.
    pub(crate) fn tomorrow_at(&self, hour: i8) -> Timestamp {
        let tomorrow = self.date(self.now).tomorrow().unwrap_or(Date::MAX);
        self.at(tomorrow.at(hour, 0, 0, 0))
    }

    /// The instant of a local day and time.
    pub(crate) fn at(&self, local: DateTime) -> Timestamp {
        let at = local.to_zoned_datetime(self.zone.clone());
        let millis = at.map_or(0, |at| at.timestamp().as_millisecond());
        Timestamp::from_millis(u64::try_from(millis).unwrap_or_default())
    }

    /// The next Monday at this hour.
    pub(crate) fn monday_at(&self, hour: i8) -> Timestamp {
        let monday = self.date(self.now).nth_weekday(1, Weekday::Monday).unwrap_or(Date::MAX);
        self.at(monday.at(hour, 0, 0, 0))
    }

    /// `at 14:00`, `tomorrow at 09:00`, `on 24 Dec at 18:30`.
    pub(crate) fn later_short(&self, at: Timestamp) -> String {
        let (date, today) = (self.date(at), self.date(self.now));
        if date == today || today.tomorrow().is_ok_and(|next| next == date) {
            self.later(at)
        } else {
            say!("on-day-at-clock", day = short_date(date), time = self.clock(at))
        }
    }

    /// `at 14:00`, `tomorrow at 09:00`, `on 24 December at 18:30`.
    pub(crate) fn later(&self, at: Timestamp) -> String {
        let (date, today, clock) = (self.date(at), self.date(self.now), self.clock(at));
        if date == today {
            say!("at-clock", time = clock)
        } else if today.tomorrow().is_ok_and(|next| next == date) {
            say!("tomorrow-at-clock", time = clock)
        } else {
            let day = if date < today { self.day(at) } else { weekday_and_date(date) };
            say!("on-day-at-clock", day = day, time = clock)
        }
    }
}

/// A time on a clock of twenty-four hours, or of twelve.
fn shown(time: Time, day: &str, half: &str) -> String {
    if !customs().has_twelve_hours {
        return time.strftime(day).to_string();
    }
    let clock = time.strftime(half).to_string();
    if time.hour() < 12 { say!("clock-am", time = clock) } else { say!("clock-pm", time = clock) }
}

/// `9:00`, `9:00 AM`: a full hour.
pub(crate) fn hour(hour: i8) -> String {
    Time::new(hour, 0, 0, 0).map_or_else(|_| String::new(), |time| shown(time, "%-H:%M", "%-I:%M"))
}

/// `12 May 2027`.
pub(crate) fn full_date(date: Date) -> String {
    let (day, year) = (date.day().to_string(), date.year().to_string());
    say!("date-long-year", day = day, month = month_name(date), year = year)
}

/// `May 2027`.
pub(crate) fn month(date: Date) -> String {
    say!("month-year", month = month_name(date), year = date.year().to_string())
}

/// `Monday, 12 May`.
fn weekday_and_date(date: Date) -> String {
    let weekday = of_week(&WEEKDAYS, date.weekday());
    say!("date-weekday", weekday = weekday, day = date.day().to_string(), month = month_name(date))
}

/// `12 May`.
fn short_date(date: Date) -> String {
    say!("date-short", day = date.day().to_string(), month = month_short(date))
}

/// `Mo`: above a column of days.
pub(crate) fn weekday_initials(day: Weekday) -> &'static str {
    of_week(&WEEKDAY_INITIALS, day)
}

fn weekday_short(day: Weekday) -> &'static str {
    of_week(&WEEKDAYS_SHORT, day)
}

fn of_week(names: &[TextId; 7], day: Weekday) -> &'static str {
    let place = usize::try_from(day.to_monday_zero_offset()).unwrap_or_default();
    names.get(place).map_or("", |name| name.say())
}

fn month_name(date: Date) -> &'static str {
    of_year(&MONTHS, date)
}

fn month_short(date: Date) -> &'static str {
    of_year(&MONTHS_SHORT, date)
}

fn of_year(names: &[TextId; 12], date: Date) -> &'static str {
    let place = usize::try_from(date.month() - 1).unwrap_or_default();
    names.get(place).map_or("", |name| name.say())
}

const WEEKDAYS: [TextId; 7] = [
    TextId("day-monday"),
    TextId("day-tuesday"),
    TextId("day-wednesday"),
    TextId("day-thursday"),
    TextId("day-friday"),
    TextId("day-saturday"),
    TextId("day-sunday"),
];

const WEEKDAYS_SHORT: [TextId; 7] = [
    TextId("day-short-monday"),
    TextId("day-short-tuesday"),
    TextId("day-short-wednesday"),
    TextId("day-short-thursday"),
    TextId("day-short-friday"),
    TextId("day-short-saturday"),
    TextId("day-short-sunday"),
];

const WEEKDAY_INITIALS: [TextId; 7] = [
    TextId("day-initials-monday"),
    TextId("day-initials-tuesday"),
    TextId("day-initials-wednesday"),
    TextId("day-initials-thursday"),
    TextId("day-initials-friday"),
    TextId("day-initials-saturday"),
    TextId("day-initials-sunday"),
];

const MONTHS: [TextId; 12] = [
    TextId("month-january"),
    TextId("month-february"),
    TextId("month-march"),
    TextId("month-april"),
    TextId("month-may"),
    TextId("month-june"),
    TextId("month-july"),
    TextId("month-august"),
    TextId("month-september"),
    TextId("month-october"),
    TextId("month-november"),
    TextId("month-december"),
];

const MONTHS_SHORT: [TextId; 12] = [
    TextId("month-short-january"),
    TextId("month-short-february"),
    TextId("month-short-march"),
    TextId("month-short-april"),
    TextId("month-short-may"),
    TextId("month-short-june"),
    TextId("month-short-july"),
    TextId("month-short-august"),
    TextId("month-short-september"),
    TextId("month-short-october"),
    TextId("month-short-november"),
    TextId("month-short-december"),
];
