//! The Date header field (RFC 3261 §20.17): an RFC 1123 date, always GMT.

use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};

use crate::time::Timestamp;

/// `Sat, 13 Nov 2010 23:29:00 GMT`; `None` outside the years 0 to 9999.
#[must_use]
pub fn print(at: Timestamp) -> Option<String> {
    let at = jiff::Timestamp::from_millisecond(at.as_millis_i64()).ok()?;
    DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok()
}

/// `2010-11-13T23:29:00Z`: RFC 3339, as in the DateTime header of CPIM (RFC 3862 §4.4); 1970 for times out of range.
#[must_use]
pub fn print_iso(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis_i64() / 1000 * 1000);
    at.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

/// The time in a Date header field; `None` if it cannot be read or is before 1970.
#[must_use]
pub fn read(text: &str) -> Option<Timestamp> {
    let at = DateTimeParser::new().parse_timestamp(text).ok()?;
    u64::try_from(at.as_millisecond()).ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_printed_and_read() {
        let at = Timestamp::from_millis(1_289_690_940_000);
        assert_eq!(print(at).as_deref(), Some("Sat, 13 Nov 2010 23:29:00 GMT"));
        assert_eq!(print_iso(at), "2010-11-13T23:29:00Z");
        assert_eq!(print_iso(Timestamp::from_millis(u64::MAX)), "1970-01-01T00:00:00Z");
        assert_eq!(read("Sat, 13 Nov 2010 23:29:00 GMT"), Some(at));
        assert_eq!(read("yesterday"), None);
        assert_eq!(print(Timestamp::from_millis(u64::MAX)), None);
    }
}
