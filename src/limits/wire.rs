//! Limits on reading one message and its contents, and on what is kept to look at messages.

/// Bytes of the largest SIP message that we accept, header section and body; over it, 413 (W13).
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of the header section of one SIP message, including the start line.
pub const HEAD_BYTES_MAX: usize = 256 * 1024;
/// Header fields in one SIP message.
pub const HEADER_FIELDS_MAX: usize = 4096;
/// Parameters of one header value (of a Via, an address, credentials); over it, 400.
pub const PARAMS_MAX: usize = 128;
/// Bytes of From, of To, and of the topmost Via, which are parsed for each request; over it, 400.
pub const ADDRESS_BYTES_MAX: usize = 16 * 1024;
/// Addresses in all Route (Record-Route, Path) header fields of a message; over it, 400.
pub const ROUTES_READ_MAX: usize = 100;
/// Fields of credentials of one name in one request; over it, 400.
pub const CREDENTIALS_MAX: usize = 32;
/// Bytes of these; over it, 400. A digest has about 500, and tokens that carry a signature some thousand.
pub const CREDENTIALS_BYTES_MAX: usize = 16 * 1024;
/// Challenges, or credentials, in one field; one with more cannot be read.
pub const CHALLENGES_MAX: usize = 32;
/// Unknown option tags that a 420 names.
pub const UNSUPPORTED_TOLD_MAX: usize = 20;
/// Lines of one delivery report; over it, 400.
pub const REPORT_LINES_MAX: usize = 10_000;
/// Bytes of a detailed delivery report; over it, the reason phrases are left out, so that it fits into a datagram.
pub const REPORT_DATAGRAM_BYTES_MAX: usize = 60_000;
/// Bytes of a reason phrase that are kept and reported; those in use have 60 at most.
pub const REASON_BYTES_MAX: usize = 200;
/// Bytes of one URI.
pub const URI_BYTES_MAX: usize = 4096;
/// Files extracted from one body; over it, the whole body is one file.
pub const BODY_FILES_MAX: usize = 100;
/// Parts of one body, including nested ones; over it, the whole body is one file.
pub const BODY_PARTS_MAX: usize = 256;
/// Nesting depth of bodies; over it, the whole body is one file.
pub const BODY_DEPTH_MAX: usize = 8;
/// Bytes of the header fields of one part, or of a CPIM; over it, the body around it is one file.
pub const PART_HEAD_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a boundary between parts (RFC 2046 §5.1.1 allows 70); over it, the body is one file.
pub const BOUNDARY_BYTES_MAX: usize = 200;
/// Bytes of a file name in which encoded words (RFC 2047) are decoded.
pub const FILE_NAME_BYTES_MAX: usize = 1024;
/// Files attached to one message.
pub const FILES_PER_MESSAGE_MAX: usize = 20;
/// Bytes of an XML body; over it, the body counts as malformed.
pub const XML_BYTES_MAX: usize = 512 * 1024;
/// Elements of an XML body; over it, the body counts as malformed.
pub const XML_ELEMENTS_MAX: usize = 10_000;
/// Nesting depth of an XML body; over it, the body counts as malformed.
pub const XML_DEPTH_MAX: usize = 32;
/// Attributes of one element of an XML body; over it, the body counts as malformed.
pub const XML_ATTRIBUTES_MAX: usize = 32;
/// Bytes of a message ID in a disposition notification (RFC 5438 §6.3); a longer one gets no answer.
pub const IMDN_ID_BYTES_MAX: usize = 256;
/// Bytes of a disposition notification that are read.
pub const IMDN_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a typing notification (RFC 3994) that are read.
pub const COMPOSING_BYTES_MAX: usize = 16 * 1024;
/// Messages that are kept for whoever looks at the wire; over it, the oldest is dropped.
pub const WIRE_ENTRIES_MAX: usize = 10_000;
/// Bytes of these; over it, the oldest is dropped.
pub const WIRE_BYTES_MAX: usize = 20 * 1024 * 1024;
/// What one of them costs besides its bytes.
pub const WIRE_ENTRY_BYTES: usize = 128;
/// Bytes of one message that `--trace` prints; of a longer one the rest is counted.
pub const TRACE_SHOWN_BYTES_MAX: usize = 16 * 1024;
/// Bytes of one capture file; then it becomes the older one, in place of the one before it, and a new one is begun.
pub const CAPTURE_FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes of one message in a capture file. Readers take a longer one for a fault and give up (Wireshark's
/// `WTAP_MAX_PACKET_SIZE_STANDARD`); the file says how long the message was.
pub const CAPTURED_BYTES_MAX: usize = 262_144;
/// Packets of a capture that are read, whatever is in them.
pub const INSPECT_PACKETS_MAX: usize = 10_000_000;
/// Messages of a capture that `fanfare inspect` keeps; of a longer one the start is read.
pub const INSPECT_MESSAGES_MAX: usize = 200_000;
/// Bytes of these.
pub const INSPECT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Messages of a capture that the window keeps; of a longer one the start is read.
pub const CAPTURE_OPENED_MESSAGES_MAX: usize = 50_000;
/// Bytes of these.
pub const CAPTURE_OPENED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Messages on the wire that the window takes in with one frame, so that it stays quick; the rest come with the next ones.
pub const WIRE_TAKEN_PER_FRAME: usize = 60;
/// Messages on the wire that the window puts together anew with one frame, after it has dropped old ones.
pub const WIRE_REGROUPED_PER_FRAME: usize = 300;
/// Messages on the wire, and entries about them, that the window frees with one frame after it has dropped them.
pub const WIRE_FREED_PER_FRAME: usize = 200;
/// People on the wire who are offered as a filter.
pub const WIRE_PEOPLE_MAX: usize = 200;
/// Datagrams of a capture that may be put together from fragments at the same time, counted in fragments; there are up to
/// twice as many for a moment.
pub const INSPECT_FRAGMENTED_MAX: u64 = 1_000;
