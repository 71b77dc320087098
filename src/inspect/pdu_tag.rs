//! Tags of Wireshark's exported PDUs (its `epan/exported_pdu.h`).

/// Nothing but the message follows.
pub const END: u16 = 0;
/// Who dissects the message.
pub const DISSECTOR: u16 = 12;
/// The sender's address.
pub const IPV4_SOURCE: u16 = 20;
/// The receiver's address.
pub const IPV4_DESTINATION: u16 = 21;
/// The sender's address.
pub const IPV6_SOURCE: u16 = 22;
/// The receiver's address.
pub const IPV6_DESTINATION: u16 = 23;
/// What kind of ports they are.
pub const PORT_TYPE: u16 = 24;
/// The sender's port.
pub const SOURCE_PORT: u16 = 25;
/// The receiver's port.
pub const DESTINATION_PORT: u16 = 26;
