//! Whether somebody is writing (RFC 3994), as his program says.

use std::time::Duration;

use roxmltree::{Document, ParsingOptions};

use crate::limits::XML_NODES_MAX;

/// What holds when the sender names no time (RFC 3994 §3.3).
const REFRESH_DEFAULT: Duration = Duration::from_secs(120);
/// Whatever the sender names, it holds no longer.
const REFRESH_MAX: Duration = Duration::from_secs(600);

/// A status message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Composing {
    /// For how long somebody is taken to write; none when he does not.
    pub(super) refresh: Option<Duration>,
}

impl Composing {
    /// Reads `<isComposing><state>active</state><refresh>60</refresh></isComposing>`. A document type, and so every
    /// entity, is refused.
    pub(super) fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let options = ParsingOptions { nodes_limit: XML_NODES_MAX, ..ParsingOptions::default() };
        let document = Document::parse_with_options(text, options).ok()?;
        let root = document.root_element();
        if root.tag_name().name() != "isComposing" {
            return None;
        }
        let value = |name: &str| {
            let element = root.children().find(|child| child.tag_name().name() == name);
            element.and_then(|element| element.text()).map(str::trim)
        };
        let refresh = value("refresh").and_then(|secs| secs.parse().ok()).map(Duration::from_secs);
        let refresh = refresh.unwrap_or(REFRESH_DEFAULT).min(REFRESH_MAX);
        Some(Self { refresh: (value("state")? == "active").then_some(refresh) })
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
        for body in ["", "<isComposing>", "<other/>", "<isComposing/>", &deep, bomb] {
            assert_eq!(Composing::parse(body.as_bytes()), None);
        }
    }
}
