//! Instant Message Disposition Notifications (RFC 5438 §11): a message's fate, as told by the program that got it.

use super::cpim::is_message_id;
use super::xml::{ANY, xml_texts};
use crate::limits::IMDN_BYTES_MAX;

/// The outcome that a notification states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disposition {
    /// It was delivered to the recipient's program.
    Delivered,
    /// It was shown to the recipient.
    Displayed,
    /// It could not be delivered.
    Failed,
}

/// A notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imdn {
    /// The message's ID, set by its sender.
    pub message_id: String,
    /// The outcome.
    pub disposition: Disposition,
}

impl Imdn {
    /// Reads a `message/imdn+xml` body. None if it is malformed or says nothing that we show: `forbidden` and `error`
    /// are about the notification itself, and what stores on the way say (`processed`, `stored`) the report tells
    /// better. A document type, and with it every entity, is refused.
    #[must_use]
    pub fn parse(body: &[u8]) -> Option<Self> {
        let body = Some(body).filter(|body| body.len() <= IMDN_BYTES_MAX)?;
        let wanted: [&[&str]; 3] = [
            &["message-id"],
            &["display-notification", "status", ANY],
            &["delivery-notification", "status", ANY],
        ];
        let [message_id, display, delivery] = xml_texts(body, "imdn", wanted).ok()?;
        let message_id = message_id?.trim().to_owned();
        let disposition = match (display.as_deref(), delivery.as_deref()) {
            (Some("displayed"), _) => Disposition::Displayed,
            (_, Some("delivered")) => Disposition::Delivered,
            (_, Some("failed")) => Disposition::Failed,
            (_, _) => return None,
        };
        is_message_id(&message_id).then_some(Self { message_id, disposition })
    }

    /// The body of a notification; `date_time` is the message's own date, or when it arrived.
    #[must_use]
    pub fn print(&self, date_time: &str) -> String {
        let (notification, status) = match self.disposition {
            Disposition::Delivered => ("delivery-notification", "delivered"),
            Disposition::Displayed => ("display-notification", "displayed"),
            Disposition::Failed => ("delivery-notification", "failed"),
        };
        let id = self.message_id.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\">\r\n\
             <message-id>{id}</message-id>\r\n<datetime>{date_time}</datetime>\r\n\
             <{notification}><status><{status}/></status></{notification}>\r\n</imdn>\r\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 5438 §9's example of a delivery notification.
    const DELIVERED: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
   <imdn xmlns="urn:ietf:params:xml:ns:imdn">
     <message-id>34jk324j</message-id>
     <datetime>2008-04-04T12:16:49-05:00</datetime>
     <recipient-uri>im:bob@example.com</recipient-uri>
     <original-recipient-uri>im:bob@example.com</original-recipient-uri>
     <delivery-notification>
       <status>
         <delivered/>
       </status>
     </delivery-notification>
   </imdn>"#;

    #[test]
    fn w28_a_notification_says_what_became_of_which_message() {
        let said = |text: &str| Imdn::parse(text.as_bytes()).map(|it| it.disposition);
        assert_eq!(Imdn::parse(DELIVERED.as_bytes()).unwrap().message_id, "34jk324j");
        assert_eq!(said(DELIVERED), Some(Disposition::Delivered));
        assert_eq!(said(&DELIVERED.replace("<delivered/>", "<failed/>")), Some(Disposition::Failed));
        for about_itself in ["<forbidden/>", "<error/>", "", "<stored/>"] {
            assert_eq!(said(&DELIVERED.replace("<delivered/>", about_itself)), None, "{about_itself}");
        }
        let display = DELIVERED
            .replace("delivery-notification", "display-notification")
            .replace("delivered", "displayed");
        assert_eq!(said(&display), Some(Disposition::Displayed));
        // Linphone puts a prefix before every name.
        let prefixed = "<i:imdn xmlns:i=\"urn:ietf:params:xml:ns:imdn\"><i:message-id>a</i:message-id>\
            <i:display-notification><i:status><i:displayed/></i:status></i:display-notification></i:imdn>";
        assert_eq!(said(prefixed), Some(Disposition::Displayed));
    }

    #[test]
    fn w28_what_is_printed_is_read_again_whatever_the_name_is() {
        for disposition in [Disposition::Delivered, Disposition::Displayed, Disposition::Failed] {
            let imdn = Imdn { message_id: "<&]]>\"'".to_owned(), disposition };
            assert_eq!(Imdn::parse(imdn.print("2010-11-13T23:29:00Z").as_bytes()), Some(imdn));
        }
    }

    #[test]
    fn what_is_broken_or_meant_to_break_us_is_nothing() {
        let deep = "<a>".repeat(IMDN_BYTES_MAX / 3);
        let long = DELIVERED.replace("34jk324j", &"a".repeat(IMDN_BYTES_MAX));
        let bomb =
            DELIVERED.replace("<imdn", "<!DOCTYPE a [<!ENTITY x \"yy\">]><imdn").replace("34jk324j", "&x;");
        for body in ["", "<imdn>", "<other/>", "<imdn/>", &deep, &long, &bomb] {
            assert_eq!(Imdn::parse(body.as_bytes()), None);
        }
    }

    proptest! {
        #[test]
        fn no_markup_is_a_panic(body in "(<(/?)(imdn|message-id|status|delivery-notification|delivered)(/?)>|[a-z&; ]){0,20}") {
            drop(Imdn::parse(body.as_bytes()));
        }
    }
}
