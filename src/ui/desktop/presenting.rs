//! Whether the desktop says that nobody is to be disturbed now: while something is presented, or the user wants quiet.
//!
//! There is no portal for that. Plasma says it in the property `Inhibited` of its notification service
//! (<https://phabricator.kde.org/D24486>), dunst in `paused`. GNOME says it to nobody, and holds notifications back itself.

use zbus::{Connection, OwnedVariant, Proxy};

/// Where it may be said: the interface, and its property.
const SAID: [(&str, &str); 2] =
    [("org.freedesktop.Notifications", "Inhibited"), ("org.dunstproject.cmd0", "paused")];

/// The property that says it.
pub(super) struct Presenting {
    properties: Proxy<'static>,
    said: (&'static str, &'static str),
}

impl Presenting {
    /// None if this service says nothing about it.
    pub(super) async fn of(
        connection: &Connection,
        service: &'static str,
        place: &'static str,
    ) -> Option<Self> {
        let interface = "org.freedesktop.DBus.Properties";
        let properties: Proxy<'static> = Proxy::new(connection, service, place, interface).await.ok()?;
        for said in SAID {
            if read(&properties, said).await.is_some() {
                return Some(Self { properties, said });
            }
        }
        None
    }

    /// Whether nobody is to be disturbed now; not so if the service does not answer.
    pub(super) async fn is_on(&self) -> bool {
        read(&self.properties, self.said).await.unwrap_or_default()
    }
}

async fn read(properties: &Proxy<'static>, said: (&str, &str)) -> Option<bool> {
    let value: OwnedVariant = properties.call("Get", &said).await.ok()?;
    bool::try_from(value).ok()
}
