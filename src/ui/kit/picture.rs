//! Reads pictures. A stranger may have made one to do harm: four formats are read, with limits, and a decoder that panics
//! ends nothing.

use std::io::Cursor;

use egui::ColorImage;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

use crate::limits::{OWN_PICTURE_PIXELS_MAX, PICTURE_READ_BYTES_MAX, PICTURE_SIDE_MAX};
use crate::runtime::engine::contained;

const FORMATS: [ImageFormat; 4] = [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Gif, ImageFormat::WebP];
/// Longest sides that are tried, from the largest, when a picture is made small enough for a message.
const SHRUNK_SIDES: [u32; 5] = [2560, 1920, 1280, 960, 640];
/// Quality of the JPEG that it becomes.
const SHRUNK_QUALITY: u8 = 85;

/// A file of this media type is shown as a picture.
pub(crate) fn is_picture(media_type: &str) -> bool {
    let types = ["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"];
    types.iter().any(|known| media_type.eq_ignore_ascii_case(known))
}

/// The picture in a file, the first one if it is animated, upright; none if it is no picture that is read, or has more
/// pixels.
pub(crate) fn decoded(bytes: &[u8], pixels_max: u64) -> Option<DynamicImage> {
    contained(|| decode(bytes, pixels_max)).flatten()
}

fn decode(bytes: &[u8], pixels_max: u64) -> Option<DynamicImage> {
    // What it is, not what it says to be.
    let format = image::guess_format(bytes).ok().filter(|format| FORMATS.contains(format))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(PICTURE_SIDE_MAX);
    limits.max_image_height = Some(PICTURE_SIDE_MAX);
    limits.max_alloc = Some(PICTURE_READ_BYTES_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().ok()?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > pixels_max || decoder.total_bytes() > PICTURE_READ_BYTES_MAX {
        return None;
    }
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Some(picture)
}

/// The picture, made to fit if it is larger.
pub(crate) fn fitted(picture: &DynamicImage, width: u32, height: u32) -> ColorImage {
    let small = within(picture, width, height).into_rgba8();
    let size = [small.width(), small.height()].map(|side| usize::try_from(side).unwrap_or(0));
    ColorImage::from_rgba_unmultiplied(size, small.as_raw())
}

fn within(picture: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    if picture.width() > width || picture.height() > height {
        picture.thumbnail(width, height)
    } else {
        picture.clone()
    }
}

/// One of the user's own pictures as a JPEG of at most so many bytes, and without what its file says about the camera and
/// the place; none if that cannot be.
pub(crate) fn shrunk(bytes: &[u8], bytes_max: usize) -> Option<Vec<u8>> {
    let picture = decoded(bytes, OWN_PICTURE_PIXELS_MAX)?;
    contained(|| {
        SHRUNK_SIDES.into_iter().find_map(|side| {
            let small = on_white(&within(&picture, side, side));
            let mut jpeg = Vec::new();
            small.write_with_encoder(JpegEncoder::new_with_quality(&mut jpeg, SHRUNK_QUALITY)).ok()?;
            Some(jpeg).filter(|jpeg| jpeg.len() <= bytes_max)
        })
    })
    .flatten()
}

/// A JPEG has no transparency.
fn on_white(picture: &DynamicImage) -> RgbImage {
    let picture = picture.to_rgba8();
    let mut white = RgbImage::new(picture.width(), picture.height());
    for (pixel, from) in white.pixels_mut().zip(picture.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        let over = |color: u32| u8::try_from((color * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
        *pixel = Rgb([over(red), over(green), over(blue)]);
    }
    white
}

#[cfg(test)]
mod tests {
    use image::codecs::gif::GifEncoder;
    use image::{Delay, Frame, Rgba, RgbaImage};

    use super::*;
    use crate::limits::PICTURE_PIXELS_MAX;

    fn plain(width: u32, height: u32, color: [u8; 4]) -> RgbaImage {
        RgbaImage::from_pixel(width, height, Rgba(color))
    }

    fn written(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn four_formats_are_read_by_what_they_are_and_no_other() {
        let picture = DynamicImage::from(plain(3, 2, [200, 10, 10, 255])).to_rgb8().into();
        for format in FORMATS {
            let read = decoded(&written(&picture, format), 100).unwrap();
            assert_eq!((read.width(), read.height()), (3, 2), "{format:?}");
            let [red, green, _] = read.to_rgb8().get_pixel(1, 1).0;
            assert!(red > 180 && green < 40, "{format:?}: {red} {green}");
        }
        for other in [
            &b"BM\x3a\0\0\0\0\0\0\0"[..],
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            b"",
            b"P6 1 1 255 abc",
        ] {
            assert!(decoded(other, 100).is_none());
        }
        assert!(is_picture("image/PNG") && !is_picture("image/svg+xml"));
    }

    #[test]
    fn of_an_animation_the_first_picture_is_shown() {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        let frame = |color| Frame::from_parts(plain(4, 4, color), 0, 0, Delay::from_numer_denom_ms(100, 1));
        encoder.encode_frames([frame([250, 0, 0, 255]), frame([0, 0, 250, 255])]).unwrap();
        drop(encoder);
        let first = decoded(&bytes, 100).unwrap().to_rgba8();
        assert!(first.get_pixel(2, 2).0[0] > 200 && first.get_pixel(2, 2).0[2] < 50);
    }

    #[test]
    fn a_small_file_that_unpacks_to_a_giant_is_no_picture() {
        // A PNG, a GIF and a JPEG whose heads say 60,000 by 60,000, and a VP8 WebP of 16,383 by 16,383.
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xea\x60\0\0\xea\x60\x08\x06\0\0\0\x2e\x1a\x6a\x4f";
        let gif =
            b"GIF89a\x60\xea\x60\xea\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x60\xea\x60\xea\0\x02\x02\x44\x01\0;";
        let jpeg = b"\xff\xd8\xff\xc0\0\x0b\x08\xea\x60\xea\x60\x01\x01\x11\0\xff\xd9";
        let webp =
            b"RIFF\x22\0\0\0WEBPVP8 \x16\0\0\0\x10\0\0\x9d\x01\x2a\xff\x3f\xff\x3f\0\0\0\0\0\0\0\0\0\0\0\0";
        for bytes in [&png[..], gif, jpeg, webp] {
            assert!(decoded(bytes, PICTURE_PIXELS_MAX).is_none());
        }
        // One pixel more than is read.
        let wide = written(&plain(101, 100, [1, 2, 3, 255]).into(), ImageFormat::Png);
        assert!(decoded(&wide, 10_100).is_some() && decoded(&wide, 10_099).is_none());
    }

    #[test]
    fn what_is_cut_off_or_flipped_ends_nothing() {
        let picture = plain(64, 48, [90, 120, 200, 255]).into();
        for format in FORMATS {
            let picture = DynamicImage::from(DynamicImage::to_rgb8(&picture));
            let whole = written(&picture, format);
            for place in (0..whole.len()).step_by(7) {
                let _read = decoded(&whole[..place], PICTURE_PIXELS_MAX);
                let mut flipped = whole.clone();
                flipped[place] ^= 0xff;
                let _read = decoded(&flipped, PICTURE_PIXELS_MAX);
            }
        }
    }

    #[test]
    fn a_picture_is_made_to_fit_and_never_larger() {
        let picture = DynamicImage::from(plain(300, 2, [255, 0, 0, 255]));
        assert_eq!(fitted(&picture, 112, 112).size, [112, 1]);
        assert_eq!(fitted(&picture, 640, 480).size, [300, 2]);
    }

    #[test]
    fn a_picture_is_shrunk_until_it_fits_a_message() {
        // Noise hardly compresses.
        let mut seed = 7_u32;
        let noise = RgbaImage::from_fn(1400, 1000, |_, _| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [red, green, blue, _] = seed.to_be_bytes();
            Rgba([red, green, blue, 255])
        });
        let png = written(&noise.into(), ImageFormat::Png);
        assert!(png.len() > 4_000_000);
        let small = shrunk(&png, 600_000).unwrap();
        assert!(small.starts_with(b"\xff\xd8\xff") && small.len() <= 600_000, "{}", small.len());
        let back = decoded(&small, PICTURE_PIXELS_MAX).unwrap();
        assert_eq!((back.width(), back.height()), (640, 457));
        assert!(shrunk(&png, 100).is_none() && shrunk(b"no picture", 600_000).is_none());
        let clear = written(&plain(8, 8, [0, 0, 0, 0]).into(), ImageFormat::Png);
        let on_white = decoded(&shrunk(&clear, 10_000).unwrap(), 100).unwrap().to_rgb8();
        assert_eq!(on_white.get_pixel(4, 4).0, [255, 255, 255]);
    }
}
