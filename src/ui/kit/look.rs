//! How times are written: what the clock and the calendar of this computer say.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ZonedDateTime};

use crate::time::Timestamp;

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
        self.date(at).strftime("%-d %B %Y").to_string()
    }

    /// `14:02`.
    pub(crate) fn clock(&self, at: Timestamp) -> String {
        self.local(at).strftime("%H:%M").to_string()
    }

    /// `14:02:07`.
    pub(crate) fn clock_secs(&self, at: Timestamp) -> String {
        self.local(at).strftime("%H:%M:%S").to_string()
    }

    /// `14:02:07.123`.
    pub(crate) fn clock_millis(&self, at: Timestamp) -> String {
        self.local(at).strftime("%H:%M:%S%.3f").to_string()
    }

    /// `Today`, `Yesterday`, `Monday`, `12 May`, `12 May 2025`: a day separator.
    pub(crate) fn day(&self, at: Timestamp) -> String {
        let (date, today) = (self.date(at), self.date(self.now));
        if date == today {
            "Today".to_owned()
        } else if date.tomorrow().is_ok_and(|next| next == today) {
            "Yesterday".to_owned()
        } else if date < today && date.saturating_add(jiff::Span::new().days(6)) >= today {
            date.strftime("%A, %-d %B").to_string()
        } else if date.year() == today.year() {
            date.strftime("%-d %B").to_string()
        } else {
            date.strftime("%-d %B %Y").to_string()
        }
    }

    /// `14:02`, `Yesterday`, `Mon`, `12 May`, `12 May 2025`: the time in a row of the conversation list.
    pub(crate) fn short(&self, at: Timestamp) -> String {
        let (date, today) = (self.date(at), self.date(self.now));
        if date == today {
            self.clock(at)
        } else if date.tomorrow().is_ok_and(|next| next == today) {
            "Yesterday".to_owned()
        } else if date < today && date.saturating_add(jiff::Span::new().days(6)) >= today {
            date.strftime("%a").to_string()
        } else if date.year() == today.year() {
            date.strftime("%-d %b").to_string()
        } else {
            date.strftime("%-d %b %Y").to_string()
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
            format!("on {} at {}", date.strftime("%-d %b"), self.clock(at))
        }
    }

    /// `at 14:00`, `tomorrow at 09:00`, `on 24 December at 18:30`.
    pub(crate) fn later(&self, at: Timestamp) -> String {
        let (date, today, clock) = (self.date(at), self.date(self.now), self.clock(at));
        if date == today {
            format!("at {clock}")
        } else if today.tomorrow().is_ok_and(|next| next == date) {
            format!("tomorrow at {clock}")
        } else {
            format!(
                "on {} at {clock}",
                if date < today { self.day(at) } else { date.strftime("%A, %-d %B").to_string() }
            )
        }
    }
}
