//! The notification service of the desktop (org.freedesktop.Notifications), called over D-Bus.

use std::collections::BTreeMap;
use std::time::Duration;

use zbus::proxy::SignalStream;
use zbus::{Connection, Proxy, Variant};

use super::notes::{About, Note, cut};
use super::presenting::Presenting;
use crate::ui::text::say;

/// A service that takes longer for a call is none.
const CALL_WAIT: Duration = Duration::from_secs(5);
/// Most characters of a message that a notification shows.
const BODY_CHARS_MAX: usize = 400;
const SERVICE: &str = "org.freedesktop.Notifications";
const PLACE: &str = "/org/freedesktop/Notifications";

/// The service, on one connection of ours, with which it would remove our notifications.
pub(super) struct ServiceConnection {
    proxy: Proxy<'static>,
    pub(super) signals: SignalStream<'static>,
    /// It has a field for an answer in the notification itself.
    pub(super) takes_replies: bool,
    /// It reads the body as markup.
    reads_markup: bool,
    /// Where it says that nobody is to be disturbed; none if it does not.
    presenting: Option<Presenting>,
}

impl ServiceConnection {
    /// Connects, and listens before anything is shown, so that no click is missed.
    pub(super) async fn open() -> Option<Self> {
        let opened = async {
            let connection = Connection::session().await.ok()?;
            let proxy: Proxy<'static> = Proxy::new(&connection, SERVICE, PLACE, SERVICE).await.ok()?;
            let can: Vec<String> = proxy.call("GetCapabilities", &()).await.ok()?;
            let signals = proxy.receive_all_signals().await.ok()?;
            let has = |what: &str| can.iter().any(|it| it == what);
            Some(Self {
                presenting: Presenting::of(&connection, SERVICE, PLACE).await,
                takes_replies: has("inline-reply"),
                reads_markup: has("body-markup"),
                proxy,
                signals,
            })
        };
        tokio::time::timeout(CALL_WAIT, opened).await.ok().flatten()
    }

    /// Shows a notification, in place of the one with this number unless that is 0; returns its number.
    pub(super) async fn notify(&self, note: &Note, replaced: u32, actions: &[(&str, String)]) -> Option<u32> {
        let actions: Vec<&str> = actions.iter().flat_map(|(key, label)| [*key, label.as_str()]).collect();
        let body = if self.reads_markup { escaped(&note.body) } else { cut(&note.body, BODY_CHARS_MAX) };
        // Failures stay until they are seen; for the rest the service decides.
        let expires = if matches!(note.about, About::Received(_)) { -1_i32 } else { 0 };
        let hints = hints(note, replaced != 0);
        let asked =
            ("Fanfare", replaced, "fanfare", note.title.as_str(), body.as_str(), actions, hints, expires);
        let answered = tokio::time::timeout(CALL_WAIT, self.proxy.call("Notify", &asked)).await;
        answered.ok()?.ok()
    }

    /// Whether it says when nobody is to be disturbed.
    pub(super) const fn says_presenting(&self) -> bool {
        self.presenting.is_some()
    }

    /// Whether it says that nobody is to be disturbed now.
    pub(super) async fn is_presenting(&self) -> bool {
        let Some(presenting) = &self.presenting else { return false };
        tokio::time::timeout(CALL_WAIT, presenting.is_on()).await.unwrap_or_default()
    }

    /// Removes a notification.
    pub(super) async fn close(&self, id: u32) {
        let closed = self.proxy.call::<_, _, ()>("CloseNotification", &id);
        if !matches!(tokio::time::timeout(CALL_WAIT, closed).await, Ok(Ok(()))) {
            tracing::debug!(id, "a notification was not closed");
        }
    }
}

fn hints(note: &Note, is_replaced: bool) -> BTreeMap<&'static str, Variant<'static>> {
    let (category, sound) = match note.about {
        About::Received(_) => ("im.received", "message-new-instant"),
        About::Failure(_) | About::Storm => ("im.error", "dialog-warning"),
    };
    let mut hints = BTreeMap::from([
        ("desktop-entry", Variant::from("fanfare")),
        ("category", Variant::from(category)),
        // Normal.
        ("urgency", Variant::from(1_u8)),
        ("sound-name", Variant::from(sound)),
    ]);
    if is_replaced {
        // The first of many has been heard.
        hints.insert("suppress-sound", Variant::from(true));
    }
    if note.reply_to > 0 {
        hints.insert("x-kde-reply-placeholder-text", Variant::from(reply_label(note)));
    }
    hints
}

/// The buttons, and what a click on the notification itself does.
pub(super) fn actions(note: &Note, takes_replies: bool) -> Vec<(&'static str, String)> {
    let mut actions = vec![("default", say!("show").to_owned())];
    if note.reply_to > 0 {
        actions.push((if takes_replies { "inline-reply" } else { "reply" }, reply_label(note)));
        actions.push(("read", say!("mark-read-action").to_owned()));
    }
    if note.resend > 0 {
        actions.push(("resend", say!("resend-to", count = note.resend)));
        actions.push(("show", say!("show").to_owned()));
    }
    actions
}

/// An answer goes to everybody in the conversation.
fn reply_label(note: &Note) -> String {
    if note.reply_to > 1 { say!("reply-to", count = note.reply_to) } else { say!("reply").to_owned() }
}

/// Escapes the body: the service reads it as markup, and what people wrote must not be.
fn escaped(text: &str) -> String {
    cut(text, BODY_CHARS_MAX).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_is_no_markup() {
        assert_eq!(escaped("<i>a</i> & b"), "&lt;i&gt;a&lt;/i&gt; &amp; b");
        assert_eq!(escaped(&"x".repeat(500)).chars().count(), BODY_CHARS_MAX + 1);
    }
}
