//! The entry point of the wire room: turns bytes into messages and back, and says what is wrong with them.
//!
//! RFC 3261 requests and responses are parsed as spans over the received bytes and printed once; the grammars of
//! Secondary-To, Also-To, Delivery-Report and of the report itself are here too.
//!
//! **Invariant:** this room knows only bytes and grammar: no transactions, no served addresses, no clock. Whatever the
//! bytes are, it returns an [`Error`] and does not panic.
//!
//! ```
//! use fanfare::sip::{Edit, Message, parse};
//!
//! let bytes = "MESSAGE sip:ann@domain.com SIP/2.0\r\n\
//!     Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK776\r\n\
//!     Max-Forwards: 70\r\n\
//!     From: <sip:james@domain.com>;tag=49583\r\n\
//!     To: <sip:ann@domain.com>\r\n\
//!     Call-ID: asd88asd77a@192.0.2.1\r\n\
//!     CSeq: 1 MESSAGE\r\n\
//!     Content-Length: 10\r\n\r\n\
//!     Come here.";
//! let Ok(Message::Request(request)) = parse(bytes.into()) else { panic!("a request") };
//! assert_eq!(request.fields().from().uri.as_str(), "sip:james@domain.com");
//! assert_eq!(request.body(), "Come here.");
//!
//! // What is not edited is passed on with its bytes.
//! let passed_on = Edit::request(&request).set("Max-Forwards", 69).print();
//! assert_eq!(passed_on, bytes.replace("Max-Forwards: 70", "Max-Forwards: 69"));
//!
//! // What is wrong is an error with the status to answer with.
//! let error = parse(bytes.replace("CSeq: 1", "CSeq: one").into()).unwrap_err();
//! assert_eq!(error.status(), 400);
//! ```
//!
//! Its parts; each uses only those listed after it:

pub mod second_reader;

mod framing;

mod list_body;

mod uri_list;

mod mime_builder;

mod content;

mod imdn;

mod xml;

mod cpim;

mod mime;

mod delivery_report;

pub mod digest;

mod leg;

mod edit;

mod compose;

mod secondary_to;

mod message;

mod fields;

mod via;

mod header;

mod uri;

mod aor;

mod uri_grammar;

mod scan;

mod cursor;

mod charset;

mod names;

pub mod date;

mod error;

pub use aor::Aor;
pub use charset::HeaderCharset;
pub use compose::{Compose, refusal};
pub use content::{Content, File, content, inner_media_type};
pub use cpim::{Cpim, Enclosed, Envelope};
pub use delivery_report::{ReportLine, ReportState, read_report, write_report};
pub use edit::{Edit, without_body};
pub use error::Error;
pub use fields::{CREDENTIALS_FIELDS, Contacts, Fields};
pub use framing::{Framed, Framer};
pub use header::{NameAddr, Params};
pub use imdn::{Disposition, Imdn};
pub use leg::{Dialog, Leg, LegTemplate, Member, Sees};
pub use list_body::{Copy, with_list};
pub use message::{Message, Request, Response, kept_reason, parse};
pub use mime::{file_name, media_type, parameter, transfer_decoded};
pub use mime_builder::enclose;
pub use names::{Method, Transport, long_name, reason_phrase};
pub use secondary_to::{Addressed, ReportMode, ReportOptions, SECONDARY_TO, also_to, recipients};
pub use uri::Uri;
pub use uri_grammar::Scheme;
pub use uri_list::{RECIPIENT_LIST, with_secondary_to};
pub use via::Via;
pub use xml::xml_texts;
