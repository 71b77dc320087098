//! Limits of the pictures that the window reads: those of others may have been made to do harm.

/// Widest and highest picture that is read, in pixels.
pub const PICTURE_SIDE_MAX: u32 = 16_384;
/// Pixels of a picture in a message that is read; a larger one is listed as a file.
pub const PICTURE_PIXELS_MAX: u64 = 25_000_000;
/// Pixels of one of the user's own pictures that can be made small enough for a message.
pub const OWN_PICTURE_PIXELS_MAX: u64 = 64_000_000;
/// Bytes of such a picture's file.
pub const OWN_PICTURE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Bytes that the pixels of one picture take while it is read.
pub const PICTURE_READ_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Pictures of messages that are read at a time, one after the other; others wait until they are in view and these are done.
pub const PICTURES_READ_MAX: usize = 8;
/// Pictures of messages that are kept ready to be drawn, each of at most 640 by 480 pixels; over it, the one that was not
/// drawn for longest is dropped, and read again when it comes into view.
pub const PICTURES_KEPT_MAX: usize = 48;
/// Widest and highest picture that is shown enlarged; a larger one is made to fit.
pub const PICTURE_LARGE_SIDE_MAX: u32 = 3840;
