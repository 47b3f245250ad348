//! Taking uploads in and making them fit to be shown.
//!
//! The record is written before any file, so that a crash leaves nothing
//! that the sweep does not find. A picture is drawn at once, or by a job for
//! which the upload waits on disk; the job is in the same transaction as the
//! record, so a restart takes it up again. Films and sounds are not turned
//! into other formats: they are kept as they are, but for the place where
//! they were taken.

use axum::body::Bytes;
use tokio::task::spawn_blocking;

use super::names;
use super::tend::remove_files;
use crate::base::limits::{FILM_MAX_BYTES, IMAGE_MAX_BYTES};
use crate::base::{Id, Problem};
use crate::domain::media::{self, Maker, MediaError, NewMedia};
use crate::edge::AppState;
use crate::model::queue::Job;
use crate::model::tables::MEDIA;
use crate::model::{Attachment, Media, MediaState};
use crate::queue::{Attempt, Handler, Outcome, Report};
use crate::store::StoreError;
use crate::wire::media::picture::{self, PictureError, Preview};
use crate::wire::media::{Format, mp4};

/// A file as it came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Incoming {
    /// The file.
    pub(crate) file: Bytes,
    /// A picture to show in its place.
    pub(crate) thumbnail: Option<Bytes>,
    /// What it shows, in words.
    pub(crate) description: Option<String>,
    /// Focal point in thousandths, x then y.
    pub(crate) focus: Option<(i32, i32)>,
}

/// When it is made ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// Before the answer.
    Now,
    /// Pictures by a job; all else needs no work.
    Later,
}

/// Keeps an upload of `owner`.
///
/// # Errors
/// 422 when it is too large or nothing we keep; then nothing is kept.
pub(crate) async fn keep(
    state: &AppState,
    owner: Id,
    incoming: Incoming,
    when: When,
) -> Result<Media, Problem> {
    let format = checked(&incoming.file)?;
    let stem = names::stem(&*state.chance);
    let is_later = when == When::Later && format.is_drawn() && incoming.thumbnail.is_none();
    let attachment = Attachment {
        kind: format.kind(),
        media_type: Some(format.media_type().to_owned()),
        description: incoming.description.as_deref().and_then(media::description),
        focus: incoming.focus,
        ..Attachment::default()
    };
    if is_later {
        state.files.put(&names::incoming(&stem), incoming.file.clone()).await?;
    }
    let maker = if is_later { Maker::Job } else { Maker::Caller };
    let media = create(state, NewMedia { owner, stem, attachment, maker }).await?;
    if is_later {
        return Ok(media);
    }
    match make(state, &media, format, incoming).await {
        Ok(made) => note(state, media.id(), Some(made)).await?.ok_or_else(Problem::not_found),
        Err(problem) => {
            give_up(state, owner, media.id()).await;
            Err(problem)
        }
    }
}

/// The format of an upload that may be kept.
fn checked(file: &Bytes) -> Result<Format, Problem> {
    if file.is_empty() {
        return Err(Problem::invalid("Validation failed: File can't be blank"));
    }
    let format = Format::of(file).filter(|format| *format != Format::Avif).ok_or_else(unsupported)?;
    let bytes_max = if format.is_drawn() { IMAGE_MAX_BYTES } else { FILM_MAX_BYTES };
    if file.len() > bytes_max {
        let megabytes = bytes_max / 1024 / 1024;
        return Err(Problem::invalid(format!(
            "Validation failed: File file size must be less than {megabytes} MB"
        )));
    }
    Ok(format)
}

fn unsupported() -> Problem {
    Problem::invalid("Validation failed: File content type is invalid, File is invalid")
        .hint("JPEG, PNG, GIF and WebP pictures are taken; MP4, MOV, WebM and Ogg films; MP3, AAC, M4A, Ogg, FLAC and WAV sound.")
}

/// A picture that cannot be drawn, as a problem of who uploads it.
pub(super) fn unreadable(error: PictureError) -> Problem {
    let detail = match error {
        PictureError::Unreadable(_) => {
            "Validation failed: The picture cannot be read; JPEG, PNG, GIF and WebP can"
        }
        PictureError::TooManyPixels => "Validation failed: The picture has too many pixels",
    };
    Problem::invalid(detail).because(error)
}

async fn create(state: &AppState, new: NewMedia) -> Result<Media, Problem> {
    let moment = state.moment();
    let media = state.store.write(move |tx| media::create(tx, &mut moment.clone(), &new)).await;
    media.map_err(|error: StoreError| Problem::from(error))
}

async fn note(state: &AppState, id: Id, made: Option<Attachment>) -> Result<Option<Media>, Problem> {
    let noted = state.store.write(move |tx| media::made(tx, id, made.as_ref())).await;
    noted.map_err(|error: StoreError| Problem::from(error))
}

async fn give_up(state: &AppState, owner: Id, id: Id) {
    let now = state.now();
    let given_up = state.store.write(move |tx| media::delete(tx, now, owner, id)).await;
    if let Err(MediaError::Store(error)) = given_up {
        tracing::warn!(%error, "a refused upload is kept until it expires");
    }
}

/// Makes an upload ready and keeps its files; gives what is known of it.
async fn make(
    state: &AppState,
    media: &Media,
    format: Format,
    incoming: Incoming,
) -> Result<Attachment, Problem> {
    let Incoming { file, thumbnail, .. } = incoming;
    let mut made = Attachment { id: media.id(), ..media.attachment.clone() };
    if format.is_drawn() {
        let (original, preview) = drawn(state, move || picture::draw(&file, format)).await?;
        let name = names::original(&media.stem, original.format);
        made.media_type = Some(original.format.media_type().to_owned());
        (made.width, made.height) = (Some(original.width), Some(original.height));
        state.files.put(&name, original.bytes).await?;
        made.file = Some(name);
        keep_preview(state, &media.stem, preview, &mut made).await?;
    } else {
        film(state, media, format, file, &mut made).await?;
    }
    if let Some(thumbnail) = thumbnail {
        let preview = drawn(state, move || picture::preview(&thumbnail)).await?;
        keep_preview(state, &media.stem, preview, &mut made).await?;
    }
    Ok(made)
}

/// Runs what draws on a thread of its own, one at a time.
async fn drawn<T: Send + 'static>(
    state: &AppState,
    draw: impl FnOnce() -> Result<T, PictureError> + Send + 'static,
) -> Result<T, Problem> {
    let permit = state.gates().pictures.clone().acquire_owned().await.map_err(Problem::internal)?;
    let work = spawn_blocking(move || {
        let _permit = permit;
        draw()
    });
    // A decoder that panics has met a file that cannot be read.
    let done = work
        .await
        .map_err(|panic| Problem::invalid("Validation failed: The picture cannot be read").because(panic))?;
    done.map_err(unreadable)
}

async fn keep_preview(
    state: &AppState,
    stem: &str,
    preview: Preview,
    made: &mut Attachment,
) -> Result<(), Problem> {
    let name = names::small(stem, preview.small.format);
    made.preview_size = Some((preview.small.width, preview.small.height));
    made.blurhash = preview.blurhash;
    state.files.put(&name, preview.small.bytes).await?;
    made.preview = Some(name);
    Ok(())
}

/// Keeps a film or sound as it is, but for where it was taken.
async fn film(
    state: &AppState,
    media: &Media,
    format: Format,
    file: Bytes,
    made: &mut Attachment,
) -> Result<(), Problem> {
    let (mut format, mut bytes) = (format, file);
    if matches!(format, Format::Mp4 | Format::Mov | Format::M4a) {
        let mut scrubbed = Vec::from(bytes);
        let film = mp4::scrub(&mut scrubbed);
        bytes = scrubbed.into();
        if !film.has_picture && format == Format::Mp4 {
            format = Format::M4a;
        }
        made.duration_ms = film.duration_ms;
        if let Some((width, height)) = film.size.filter(|_| film.has_picture) {
            (made.width, made.height) = (Some(width), Some(height));
        }
    }
    let name = names::original(&media.stem, format);
    made.kind = format.kind();
    made.media_type = Some(format.media_type().to_owned());
    state.files.put(&name, bytes).await?;
    made.file = Some(name);
    Ok(())
}

/// Draws another preview for an upload that no post shows yet.
///
/// # Errors
/// 404 when it is not theirs, 422 when it is no picture.
pub(crate) async fn new_preview(
    state: &AppState,
    owner: Id,
    media: &Media,
    thumbnail: Bytes,
) -> Result<Media, Problem> {
    if thumbnail.len() > IMAGE_MAX_BYTES {
        return Err(Problem::invalid("Validation failed: Thumbnail is too large"));
    }
    let preview = drawn(state, move || picture::preview(&thumbnail)).await?;
    let mut made = media.attachment.clone();
    // A new name: the old one may be remembered for ever.
    let stem = names::stem(&*state.chance);
    keep_preview(state, &stem, preview, &mut made).await?;
    let old = media.attachment.preview.clone();
    let now = state.now();
    let kept = state.store.write(move |tx| media::set_preview(tx, now, owner, &made)).await?;
    if let Some(old) = old {
        state.files.delete(&old).await?;
    }
    Ok(kept)
}

impl From<MediaError> for Problem {
    fn from(error: MediaError) -> Problem {
        match error {
            MediaError::NotFound => Problem::not_found(),
            MediaError::InUse => Problem::invalid("Media attachment is currently used by a status"),
            MediaError::Store(error) => error.into(),
        }
    }
}

/// The handler of [`Job::ProcessMedia`].
pub(super) fn handler(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move {
            let Job::ProcessMedia { media } = attempt.act.job else { return Report::from(Outcome::Done) };
            Report::from(match process(&state, media).await {
                Ok(()) => Outcome::Done,
                Err(problem) => Outcome::TryLater { detail: problem.to_string() },
            })
        }
    }
}

/// Makes an upload ready that waits for it. It can be done again: what was
/// done before is found, or done anew under the same names.
///
/// # Errors
/// When the store or the files cannot be reached; a file that cannot be read
/// is noted on its record.
pub async fn process(state: &AppState, id: Id) -> Result<(), Problem> {
    let media = state.store.read(move |tx| tx.get(MEDIA, &id)).await?;
    let Some(media) = media.filter(|media| media.state == MediaState::Processing) else { return Ok(()) };
    let waiting = names::incoming(&media.stem);
    let made = match state.files.read(&waiting, IMAGE_MAX_BYTES as u64).await? {
        None => None,
        Some(file) => match Format::of(&file) {
            Some(format) => made_or_refused(make(state, &media, format, just(file)).await)?,
            None => None,
        },
    };
    match note(state, id, made).await? {
        Some(_) => state.files.delete(&waiting).await,
        // It was given up in the meantime.
        None => remove_files(state, &media).await,
    }
}

fn just(file: Bytes) -> Incoming {
    Incoming { file, ..Incoming::default() }
}

/// `None` for a file that cannot be read; other failures may pass.
fn made_or_refused(made: Result<Attachment, Problem>) -> Result<Option<Attachment>, Problem> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(problem) if problem.kind == crate::base::ProblemKind::Invalid => {
            tracing::debug!(%problem, "an upload cannot be read");
            Ok(None)
        }
        Err(problem) => Err(problem),
    }
}
