//! The header fields of a message: by name, in any form and case, and as typed values (RFC 3261 §20).

use std::sync::Arc;

use super::charset::HeaderCharset;
use super::cursor::{elements, number};
use super::error::Error;
use super::header::NameAddr;
use super::names::Method;
use super::scan::{Head, Span};
use super::via::Via;
use crate::limits::{CONTACTS_READ_MAX, CREDENTIALS_BYTES_MAX, CREDENTIALS_MAX, ROUTES_READ_MAX};

/// The fields of credentials: those for a registrar or a recipient, and those for a proxy (RFC 3261 §22.2, §22.3).
pub const CREDENTIALS_FIELDS: [&str; 2] = ["Authorization", "Proxy-Authorization"];

/// The header fields. Ask by the long name; compact forms and any case match.
#[derive(Clone, Debug)]
pub struct Fields(Arc<Checked>);

/// A head whose mandatory fields were checked.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) head: Head,
    pub(super) cseq: u32,
    pub(super) method: Method,
}

/// The content of Contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contacts {
    /// `Contact: *`
    All,
    /// The addresses; empty if there is no Contact.
    List(Vec<NameAddr>),
}

impl Fields {
    pub(super) fn new(checked: Checked) -> Self {
        Self(Arc::new(checked))
    }

    pub(super) fn head(&self) -> &Head {
        &self.0.head
    }

    pub(super) fn spans(&self) -> &[Span] {
        self.0.head.spans()
    }

    /// (name as written, value unfolded and trimmed) in order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spans().iter().map(|span| (self.head().name(span), self.head().value(span)))
    }

    /// The value of the first field of that name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&str> {
        let head = self.head();
        head.spans()
            .iter()
            .find(|span| super::names::is_name(head.name(span), name))
            .map(|span| head.value(span))
    }

    /// The values of all fields of that name, in order.
    pub fn every<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.head().every(name)
    }

    /// The same with the charset in which each was read.
    pub(super) fn every_with_charset<'a>(
        &'a self,
        name: &'a str,
    ) -> impl Iterator<Item = (&'a str, HeaderCharset)> + 'a {
        let head = self.head();
        let spans = head.spans().iter().filter(move |span| super::names::is_name(head.name(span), name));
        spans.map(move |span| (head.value(span), head.charset(span)))
    }

    /// Checks that the credentials are few and short: they are read before it is known who sent them.
    ///
    /// # Errors
    /// There are more fields of one name than [`CREDENTIALS_MAX`], or they are longer than [`CREDENTIALS_BYTES_MAX`].
    pub(super) fn check_credentials(&self) -> Result<(), Error> {
        for name in CREDENTIALS_FIELDS {
            let (mut count, mut bytes) = (0, 0);
            for value in self.every(name) {
                (count, bytes) = (count + 1, bytes + value.len());
            }
            if count > CREDENTIALS_MAX {
                return Err(Error::whole(name, "too many"));
            }
            if bytes > CREDENTIALS_BYTES_MAX {
                return Err(Error::whole(name, "over the size limit"));
            }
        }
        Ok(())
    }

    /// True if a comma-separated header (Supported, Require, Allow, Accept, ...) has that element, in any case.
    #[must_use]
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.tokens(name).any(|this| this.eq_ignore_ascii_case(token))
    }

    /// Elements of a comma-separated header over all its fields, trimmed.
    pub fn tokens<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.every(name).flat_map(elements).filter(|token| !token.is_empty())
    }

    /// The topmost Via. A request's was checked as a whole; a response's is as far as it can be read, with its branch.
    #[must_use]
    pub fn top_via(&self) -> Via {
        Via::read_leniently(self.mandatory("Via"))
    }

    /// From. A request's was checked; in a response an address that cannot be read is `sip:unreadable.invalid`.
    #[must_use]
    pub fn from(&self) -> NameAddr {
        NameAddr::read_leniently(self.mandatory("From"))
    }

    /// To. A request's was checked; in a response an address that cannot be read is `sip:unreadable.invalid`.
    #[must_use]
    pub fn to(&self) -> NameAddr {
        NameAddr::read_leniently(self.mandatory("To"))
    }

    /// Call-ID.
    #[must_use]
    pub fn call_id(&self) -> &str {
        self.mandatory("Call-ID")
    }

    /// The number in CSeq.
    #[must_use]
    pub fn cseq(&self) -> u32 {
        self.0.cseq
    }

    /// The method in CSeq, which is a request's own.
    #[must_use]
    pub fn cseq_method(&self) -> &Method {
        &self.0.method
    }

    fn mandatory(&self, name: &str) -> &str {
        self.first(name).unwrap_or_default()
    }

    /// Max-Forwards, if present.
    ///
    /// # Errors
    /// It is not a number up to 255 (§20.22).
    pub fn max_forwards(&self) -> Result<Option<u8>, Error> {
        self.number("Max-Forwards")
    }

    /// Max-Breadth, if present (RFC 5393 §5.3). One that is not a number below 2^32 counts as none: it is not worth the
    /// message.
    #[must_use]
    pub fn max_breadth(&self) -> Option<u32> {
        self.number("Max-Breadth").ok().flatten()
    }

    /// Expires in seconds, if present, whatever parameters or comment follow the number.
    ///
    /// # Errors
    /// It is not a number below 2^32 (§20.19).
    pub fn expires(&self) -> Result<Option<u32>, Error> {
        let Some(value) = self.first("Expires") else {
            return Ok(None);
        };
        let digits = value.split([' ', '\t', ';', '(']).next().unwrap_or_default();
        number(digits).map(Some).ok_or_else(|| Error::whole("Expires", "no number in range"))
    }

    fn number<N: TryFrom<u64>>(&self, name: &'static str) -> Result<Option<N>, Error> {
        let Some(value) = self.first(name) else {
            return Ok(None);
        };
        number(value).map(Some).ok_or_else(|| Error::whole(name, "no number in range"))
    }

    /// Contact over all its fields.
    ///
    /// # Errors
    /// One is not an address, `*` stands beside others, or there are more than `CONTACTS_READ_MAX`.
    pub fn contacts(&self) -> Result<Contacts, Error> {
        let mut values = self.every("Contact");
        match (values.next(), values.next()) {
            (Some("*"), None) => Ok(Contacts::All),
            _ => self.addresses("Contact", "Contact", CONTACTS_READ_MAX).map(Contacts::List),
        }
    }

    /// The first Contact, if it is an address; what follows it is not read. A session has no other (§8.1.1.8).
    #[must_use]
    pub fn first_contact(&self) -> Option<NameAddr> {
        self.every("Contact")
            .find(|value| !value.is_empty())
            .and_then(|value| NameAddr::read_first(value).ok())
    }

    /// The addresses of Route, Record-Route, Path, ... over all fields of that name.
    ///
    /// # Errors
    /// One is not an address, or there are too many.
    pub fn routes(&self, name: &str) -> Result<Vec<NameAddr>, Error> {
        self.addresses(name, "route header", ROUTES_READ_MAX)
    }

    fn addresses(&self, name: &str, subject: &'static str, max: usize) -> Result<Vec<NameAddr>, Error> {
        let mut list = Vec::new();
        for (field, value) in self.every(name).enumerate() {
            NameAddr::read_list(value, &mut list, max)
                .map_err(|error| error.within(subject, 0).in_field(field))?;
        }
        Ok(list)
    }
}
