//! Whether somebody is typing (RFC 3994), according to his program.

use std::time::Duration;

use crate::limits::COMPOSING_BYTES_MAX;
use crate::sip::xml_texts;

/// How long it lasts if the sender names no time (RFC 3994 §3.3).
const REFRESH_DEFAULT: Duration = Duration::from_secs(120);
/// The longest time we accept, whatever the sender names.
const REFRESH_MAX: Duration = Duration::from_secs(600);

/// An `isComposing` status message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Composing {
    /// How long the sender counts as typing; none if he is not.
    pub(crate) refresh: Option<Duration>,
}

impl Composing {
    /// Reads `<isComposing><state>active</state><refresh>60</refresh></isComposing>`. A document type, and with it
    /// every entity, is refused.
    pub(crate) fn parse(body: &[u8]) -> Option<Self> {
        let body = Some(body).filter(|body| body.len() <= COMPOSING_BYTES_MAX)?;
        let [state, refresh] = xml_texts(body, "isComposing", [&["state"], &["refresh"]]).ok()?;
        let refresh = refresh.and_then(|secs| secs.trim().parse().ok()).map(Duration::from_secs);
        let refresh = refresh.unwrap_or(REFRESH_DEFAULT).min(REFRESH_MAX);
        Some(Self { refresh: (state?.trim() == "active").then_some(refresh) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3994 §6's first example.
    const ACTIVE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
        <isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">
          <state>active</state><contenttype>text/plain</contenttype><refresh>90</refresh>
        </isComposing>"#;

    #[test]
    fn it_holds_for_as_long_as_the_sender_says_within_reason() {
        let refresh = |body: &str| Composing::parse(body.as_bytes()).map(|it| it.refresh);
        assert_eq!(refresh(ACTIVE), Some(Some(Duration::from_secs(90))));
        assert_eq!(refresh(&ACTIVE.replace("90", "999999")), Some(Some(REFRESH_MAX)));
        assert_eq!(refresh("<isComposing><state>active</state></isComposing>"), Some(Some(REFRESH_DEFAULT)));
        assert_eq!(refresh(&ACTIVE.replace("active", "idle")), Some(None));
    }

    #[test]
    fn what_is_broken_or_meant_to_break_us_is_nothing() {
        let deep = "<a>".repeat(20_000);
        let bomb = "<!DOCTYPE a [<!ENTITY x \"yy\">]><isComposing><state>&x;</state></isComposing>";
        let attributes: String = (0..4000).map(|number| format!(" a{number:x}=\"\"")).collect();
        let wide = format!("<isComposing{attributes}><state>active</state></isComposing>");
        let long = ACTIVE.replace("active", &"active ".repeat(COMPOSING_BYTES_MAX / 6));
        for body in ["", "<isComposing>", "<other/>", "<isComposing/>", &deep, bomb, &wide, &long] {
            assert_eq!(Composing::parse(body.as_bytes()), None);
        }
    }
}
