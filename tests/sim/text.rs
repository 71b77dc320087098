//! Reads messages by searching their text, without our parser.

/// The value of the first header field with that name, if any.
pub(crate) fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    fields(message, name).next()
}

/// The values of all header fields with that name.
pub(crate) fn fields<'a>(message: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    head.split("\r\n").filter_map(move |line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The body.
pub(crate) fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// `ann` of `"Ann" <im:ann@domain.com>;tag=1`.
pub(crate) fn user(address: &str) -> &str {
    let before = address.split('@').next().unwrap_or_default();
    before.rsplit(':').next().unwrap_or_default()
}

/// Whether a message, or the answer to one, is a notification about another message (RFC 5438).
pub(crate) fn is_notification(message: &str) -> bool {
    message.contains("\r\nContent-Type: message/imdn+xml\r\n")
}

/// Whether a body is this text, plain or wrapped in CPIM (RFC 3862).
pub(crate) fn holds(body: &[u8], text: &str) -> bool {
    body == text.as_bytes() || body.ends_with(format!("\r\n\r\n{text}").as_bytes())
}

/// The branch of the top Via.
pub(crate) fn branch(message: &str) -> Option<&str> {
    let (_, branch) = field(message, "Via")?.split_once("branch=")?;
    branch.split([';', ',']).next()
}

/// Adds `+sip.instance` (RFC 5626 4.1), which none of our machines writes, to a REGISTER's Contact; leaves everything
/// else unchanged.
pub(crate) fn with_instance(message: &str, instance: &str) -> String {
    match field(message, "Contact").filter(|_| message.starts_with("REGISTER ")) {
        Some(contact) => message.replacen(contact, &format!("{contact};+sip.instance=\"{instance}\""), 1),
        None => message.to_owned(),
    }
}

/// A number in the header field with that name.
pub(crate) fn number(message: &str, name: &str) -> Option<u64> {
    field(message, name)?.split(' ').next()?.parse().ok()
}

#[test]
fn parts_are_found_in_the_bytes() {
    let message = "MESSAGE sip:a SIP/2.0\r\nVia: x;branch=z9hG4bK1;rport\r\nTo: <im:ann@b.c>\r\n\r\nTo: me";
    assert_eq!(branch(message), Some("z9hG4bK1"));
    assert_eq!(field(message, "To").map(user), Some("ann"));
    assert_eq!((fields(message, "To").count(), body(message)), (1, "To: me"));
    let register = "REGISTER sip:b SIP/2.0\r\nContact: <sip:a@c>;expires=9\r\nCSeq: 4 REGISTER\r\n\r\n";
    let contact = "<sip:a@c>;expires=9;+sip.instance=\"<urn:x>\"";
    assert_eq!(field(&with_instance(register, "<urn:x>"), "Contact"), Some(contact));
    assert_eq!((number(register, "CSeq"), number(register, "Expires")), (Some(4), None));
    assert_eq!(with_instance(message, "<urn:x>"), message);
}
