//! What is read of a message by searching its bytes as text, without our reader.

/// The value of the first header field of that name; none in what has none.
pub(crate) fn field<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    fields(message, name).next()
}

/// The values of all header fields of that name.
pub(crate) fn fields<'a>(message: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    head.split("\r\n").filter_map(move |line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// What follows the head.
pub(crate) fn body(message: &str) -> &str {
    message.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// `ann` of `"Ann" <im:ann@domain.com>;tag=1`.
pub(crate) fn user(address: &str) -> &str {
    let before = address.split('@').next().unwrap_or_default();
    before.rsplit(':').next().unwrap_or_default()
}

/// The branch of the top Via.
pub(crate) fn branch(message: &str) -> Option<&str> {
    let (_, branch) = field(message, "Via")?.split_once("branch=")?;
    branch.split([';', ',']).next()
}

#[test]
fn parts_are_found_in_the_bytes() {
    let message = "MESSAGE sip:a SIP/2.0\r\nVia: x;branch=z9hG4bK1;rport\r\nTo: <im:ann@b.c>\r\n\r\nTo: me";
    assert_eq!(branch(message), Some("z9hG4bK1"));
    assert_eq!(field(message, "To").map(user), Some("ann"));
    assert_eq!((fields(message, "To").count(), body(message)), (1, "To: me"));
}
