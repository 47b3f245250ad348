//! Avatars and headers: uploaded pictures are decoded within bounds, turned
//! upright, cut to shape and encoded anew, so that nothing of the original
//! file (place, camera, hidden content) is kept or served.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as UrlPath, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use tokio::task::spawn_blocking;

use super::AppState;
use crate::base::limits::{IMAGE_MAX_BYTES, IMAGE_MAX_PIXELS};
use crate::base::{Problem, ProblemKind};
use crate::model::Picture;

/// Memory one decoding may take.
const DECODE_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Of 100; artefacts begin to show below.
const JPEG_QUALITY: u8 = 85;
/// Random bytes in a name: nobody can guess another picture's.
const NAME_BYTES: usize = 16;

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Square, at most 400 pixels.
    Avatar,
    /// Three to one, at most 1500 pixels wide.
    Header,
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
        }
    }
}

/// Serves the pictures.
pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/media/{name}", get(serve))
}

/// Keeps an uploaded picture in the media folder under a random name.
///
/// # Errors
/// 413 when it is too large, 422 when it is no picture we can read.
pub(crate) async fn keep(state: &AppState, upload: Bytes, shape: Shape) -> Result<Picture, Problem> {
    if upload.len() > IMAGE_MAX_BYTES {
        return Err(Problem::new(ProblemKind::TooLarge, "The picture is too large"));
    }
    let permit = state.gates().pictures.clone().acquire_owned().await.map_err(Problem::internal)?;
    let work = spawn_blocking(move || {
        let _permit = permit;
        redraw(&upload, shape)
    });
    let (bytes, extension) = work.await.map_err(Problem::internal)??;
    let mut random = [0; NAME_BYTES];
    state.chance.fill(&mut random);
    let stem: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let name = format!("{stem}.{extension}");
    let folder = folder(state);
    tokio::fs::create_dir_all(&folder).await.map_err(Problem::internal)?;
    // Under another name until it is whole, so that nobody is served half.
    let part = folder.join(format!("{stem}.part"));
    tokio::fs::write(&part, bytes).await.map_err(Problem::internal)?;
    tokio::fs::rename(&part, folder.join(&name)).await.map_err(Problem::internal)?;
    Ok(Picture::Local(name))
}

/// Removes a picture that no profile shows any more.
pub(crate) async fn forget(state: &AppState, picture: Option<&Picture>) {
    if let Some(Picture::Local(name)) = picture
        && let Err(error) = tokio::fs::remove_file(folder(state).join(name)).await
    {
        tracing::warn!(%error, "an old picture could not be removed; it only takes room");
    }
}

fn folder(state: &AppState) -> PathBuf {
    state.config.data.join("media")
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> Problem {
    Problem::invalid("Validation failed: The picture cannot be read; JPEG, PNG, GIF and WebP can")
        .because(error)
}

/// Decodes, turns upright, cuts and encodes. The declared type is not
/// believed: the format is told from the bytes.
fn redraw(upload: &[u8], shape: Shape) -> Result<(Vec<u8>, &'static str), Problem> {
    let mut reader = ImageReader::new(Cursor::new(upload)).with_guessed_format().map_err(unreadable)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(DECODE_MAX_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > IMAGE_MAX_PIXELS {
        return Err(Problem::invalid("Validation failed: The picture has too many pixels"));
    }
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    picture.apply_orientation(orientation);
    let (width, height) = shape.cut(picture.width(), picture.height());
    encode(&picture.resize_to_fill(width, height, FilterType::CatmullRom))
}

fn encode(picture: &DynamicImage) -> Result<(Vec<u8>, &'static str), Problem> {
    let mut out = Cursor::new(Vec::new());
    if picture.color().has_alpha() {
        let plain = DynamicImage::from(picture.to_rgba8());
        plain.write_to(&mut out, ImageFormat::Png).map_err(Problem::internal)?;
        return Ok((out.into_inner(), "png"));
    }
    let plain = DynamicImage::from(picture.to_rgb8());
    plain
        .write_with_encoder(JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY))
        .map_err(Problem::internal)?;
    Ok((out.into_inner(), "jpg"))
}

/// The media type of one of our names; `None` for any other text.
fn media_type(name: &str) -> Option<&'static str> {
    let (stem, extension) = name.split_once('.')?;
    let is_ours = stem.len() == 2 * NAME_BYTES && stem.bytes().all(|b| b.is_ascii_hexdigit());
    match extension {
        "png" if is_ours => Some("image/png"),
        "jpg" if is_ours => Some("image/jpeg"),
        _ => None,
    }
}

async fn serve(State(state): State<AppState>, UrlPath(name): UrlPath<String>) -> Result<Response, Problem> {
    let media_type = media_type(&name).ok_or_else(Problem::not_found)?;
    let bytes = read(&folder(&state).join(&name)).await?;
    let headers = [
        (CONTENT_TYPE, media_type),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    Ok((headers, bytes).into_response())
}

async fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    tokio::fs::read(path).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Problem::not_found(),
        _ => Problem::internal(error),
    })
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
    fn pictures_are_cut_to_shape_and_never_blown_up() {
        let cases = [
            (Shape::Avatar, 1000, 500, (400, 400)),
            (Shape::Avatar, 30, 50, (30, 30)),
            (Shape::Avatar, 1, 1, (1, 1)),
            (Shape::Header, 3000, 3000, (1500, 500)),
            (Shape::Header, 300, 50, (150, 50)),
            (Shape::Header, 1, 1, (3, 1)),
        ];
        for (shape, width, height, expected) in cases {
            let (bytes, extension) = redraw(&png(width, height, false), shape).unwrap();
            let drawn = image::load_from_memory(&bytes).unwrap();
            assert_eq!((drawn.width(), drawn.height()), expected, "{shape:?} {width}x{height}");
            assert_eq!(extension, "jpg");
        }
        assert_eq!(redraw(&png(10, 10, true), Shape::Avatar).unwrap().1, "png");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".as_slice();
        let mut cut = png(50, 50, false);
        cut.truncate(60);
        for bad in [svg, b"", b"GIF89a", b"<html>", &cut] {
            assert_eq!(redraw(bad, Shape::Avatar).unwrap_err().kind, ProblemKind::Invalid);
        }
    }

    #[test]
    fn a_header_that_claims_too_many_pixels_is_refused_before_decoding() {
        let mut bomb = png(1, 1, false);
        // Width and height of IHDR, and its checksum.
        bomb[16..20].copy_from_slice(&60_000u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&60_000u32.to_be_bytes());
        assert_eq!(redraw(&bomb, Shape::Avatar).unwrap_err().kind, ProblemKind::Invalid);
    }

    #[test]
    fn only_our_own_names_are_looked_up() {
        let ours = format!("{}.png", "0a".repeat(16));
        assert_eq!(media_type(&ours), Some("image/png"));
        for bad in ["", "a.png", "../config.png", &format!("{}.svg", "0a".repeat(16)), &format!("{ours}/x")] {
            assert_eq!(media_type(bad), None, "{bad}");
        }
    }
}
