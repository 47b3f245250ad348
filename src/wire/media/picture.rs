//! Pictures: decoded within bounds, turned upright, drawn anew, so that
//! nothing of the original file (place, camera, hidden content) is kept.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};

use super::shrink::shrink;
use super::{Format, gif};
use crate::base::limits::IMAGE_MAX_PIXELS;

/// Memory one decoding may take.
const DECODE_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Of 100; artefacts begin to show below.
const JPEG_QUALITY: u8 = 85;
/// Pixels of an emoji's longer side.
const EMOJI_SIDE_MAX: u32 = 128;
/// Pixels that a picture of a post keeps: 3840 by 2160, as Mastodon does.
const KEPT_MAX_PIXELS: u64 = 8_294_400;
/// Pixels of its small version: 640 by 360, as Mastodon's.
const SMALL_MAX_PIXELS: u64 = 230_400;
/// Longest side of what a blurred preview is computed from: more makes it
/// slower, not better.
const BLUR_SIDE: u32 = 32;
/// Waves of a blurred preview in each direction, as Mastodon's.
const BLUR_WAVES: u32 = 4;

/// What a picture of a profile is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Square, at most 400 pixels.
    Avatar,
    /// Three to one, at most 1500 pixels wide.
    Header,
    /// Any proportions, at most 128 pixels each way.
    Emoji,
}

impl Shape {
    /// Width and height for an original of this size; never more than it has.
    fn cut(self, width: u32, height: u32) -> (u32, u32) {
        match self {
            Shape::Avatar => {
                let side = width.min(height).clamp(1, 400);
                (side, side)
            }
            Shape::Header => {
                let width = width.min(height.saturating_mul(3)).clamp(3, 1500);
                (width, width / 3)
            }
            Shape::Emoji => {
                let longest = width.max(height).max(1);
                let side = |n: u32| (n * EMOJI_SIDE_MAX.min(longest) / longest).max(1);
                (side(width), side(height))
            }
        }
    }
}

/// Why a picture cannot be drawn.
#[derive(Debug)]
pub enum PictureError {
    /// It is none of the formats, or damaged.
    Unreadable(ImageError),
    /// It has more than [`IMAGE_MAX_PIXELS`].
    TooManyPixels,
}

impl std::fmt::Display for PictureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PictureError::Unreadable(error) => write!(f, "the picture cannot be read: {error}"),
            PictureError::TooManyPixels => write!(f, "the picture has more than {IMAGE_MAX_PIXELS} pixels"),
        }
    }
}

impl std::error::Error for PictureError {}

impl From<ImageError> for PictureError {
    fn from(error: ImageError) -> Self {
        PictureError::Unreadable(error)
    }
}

/// A picture as a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it is.
    pub format: Format,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// A small version of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The file.
    pub small: Encoded,
    /// The blurred preview in characters (blurha.sh).
    pub blurhash: Option<String>,
}

/// Draws a picture for a post anew. An animated GIF keeps its frames.
///
/// # Errors
/// When it cannot be read or is too large.
pub fn draw(upload: &[u8], format: Format) -> Result<(Encoded, Preview), PictureError> {
    let picture = open(upload)?;
    if format == Format::Gif
        && let Some(bytes) = gif::strip(upload)
    {
        let original = Encoded { bytes, format, width: picture.width(), height: picture.height() };
        return Ok((original, preview_of(picture)?));
    }
    let original = fit(picture, KEPT_MAX_PIXELS);
    let encoded = encode(&original, format == Format::Png)?;
    Ok((encoded, preview_of(original)?))
}

/// Draws the small version of a picture.
///
/// # Errors
/// When it cannot be read or is too large.
pub fn preview(upload: &[u8]) -> Result<Preview, PictureError> {
    preview_of(open(upload)?)
}

/// Draws a picture for a profile anew, cut to shape.
///
/// # Errors
/// When it cannot be read or is too large.
pub fn portrait(upload: &[u8], shape: Shape) -> Result<Encoded, PictureError> {
    let picture = open(upload)?;
    let (width, height) = shape.cut(picture.width(), picture.height());
    encode(&picture.resize_to_fill(width, height, FilterType::CatmullRom), false)
}

/// Decodes and turns upright. The declared type is not believed: the format
/// is told from the bytes.
fn open(upload: &[u8]) -> Result<DynamicImage, PictureError> {
    let mut reader = ImageReader::new(Cursor::new(upload)).with_guessed_format().map_err(ImageError::from)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > IMAGE_MAX_PIXELS {
        return Err(PictureError::TooManyPixels);
    }
    let orientation = decoder.orientation()?;
    let mut picture = DynamicImage::from_decoder(decoder)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// The same in its proportions with at most this many pixels.
fn fit(picture: DynamicImage, pixels_max: u64) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    let pixels = u64::from(width) * u64::from(height);
    if pixels <= pixels_max {
        return picture;
    }
    let scale = (pixels_max as f64 / pixels as f64).sqrt();
    let side = |side: u32| ((f64::from(side) * scale).floor() as u32).max(1);
    shrink(picture, side(width), side(height))
}

fn preview_of(picture: DynamicImage) -> Result<Preview, PictureError> {
    let small = fit(picture, SMALL_MAX_PIXELS);
    let tiny = small.thumbnail(BLUR_SIDE, BLUR_SIDE).to_rgba8();
    let blurhash = blurhash::encode(BLUR_WAVES, BLUR_WAVES, tiny.width(), tiny.height(), tiny.as_raw()).ok();
    Ok(Preview { small: encode(&small, false)?, blurhash })
}

/// As JPEG; as PNG what is clear in places, or is to stay exact.
fn encode(picture: &DynamicImage, is_exact: bool) -> Result<Encoded, PictureError> {
    let (width, height) = (picture.width(), picture.height());
    let mut out = Cursor::new(Vec::new());
    let has_alpha = picture.color().has_alpha();
    let format = if has_alpha || is_exact { Format::Png } else { Format::Jpeg };
    match (has_alpha, is_exact) {
        (true, _) => DynamicImage::from(picture.to_rgba8()).write_to(&mut out, ImageFormat::Png)?,
        (false, true) => DynamicImage::from(picture.to_rgb8()).write_to(&mut out, ImageFormat::Png)?,
        (false, false) => DynamicImage::from(picture.to_rgb8())
            .write_with_encoder(JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY))?,
    }
    Ok(Encoded { bytes: out.into_inner(), format, width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, alpha: bool) -> Vec<u8> {
        let picture = if alpha {
            DynamicImage::new_rgba8(width, height)
        } else {
            DynamicImage::new_rgb8(width, height)
        };
        let mut out = Cursor::new(Vec::new());
        picture.write_to(&mut out, ImageFormat::Png).unwrap();
        out.into_inner()
    }

    #[test]
    fn portraits_are_cut_to_shape_and_never_blown_up() {
        let cases = [
            (Shape::Avatar, 1000, 500, (400, 400)),
            (Shape::Avatar, 30, 50, (30, 30)),
            (Shape::Avatar, 1, 1, (1, 1)),
            (Shape::Header, 3000, 3000, (1500, 500)),
            (Shape::Header, 300, 50, (150, 50)),
            (Shape::Header, 1, 1, (3, 1)),
        ];
        for (shape, width, height, expected) in cases {
            let encoded = portrait(&png(width, height, false), shape).unwrap();
            let drawn = image::load_from_memory(&encoded.bytes).unwrap();
            assert_eq!((drawn.width(), drawn.height()), expected, "{shape:?} {width}x{height}");
            assert_eq!(encoded.format, Format::Jpeg);
        }
        assert_eq!(portrait(&png(10, 10, true), Shape::Avatar).unwrap().format, Format::Png);
    }

    #[test]
    fn pictures_of_posts_keep_their_proportions_within_limits() {
        for (width, height) in [(4000, 3000), (640, 480), (1, 1), (5000, 3)] {
            let (original, preview) = draw(&png(width, height, false), Format::Png).unwrap();
            let small = &preview.small;
            assert!(u64::from(original.width) * u64::from(original.height) <= KEPT_MAX_PIXELS);
            assert!(u64::from(small.width) * u64::from(small.height) <= SMALL_MAX_PIXELS);
            let drawn = image::load_from_memory(&original.bytes).unwrap();
            assert_eq!((drawn.width(), drawn.height()), (original.width, original.height));
            assert_eq!((original.format, small.format), (Format::Png, Format::Jpeg));
            assert!(preview.blurhash.is_some(), "{width}x{height}");
        }
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".as_slice();
        let mut cut = png(50, 50, false);
        cut.truncate(60);
        for bad in [svg, b"", b"GIF89a", b"<html>", &cut] {
            assert!(matches!(portrait(bad, Shape::Avatar), Err(PictureError::Unreadable(_))));
        }
    }

    #[test]
    fn a_header_that_claims_too_many_pixels_is_refused_before_decoding() {
        let mut bomb = png(1, 1, false);
        // Width and height of IHDR; the sum of the block no longer fits, too.
        bomb[16..20].copy_from_slice(&60_000u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000u32.to_be_bytes());
        assert!(draw(&bomb, Format::Png).is_err());
    }
}
