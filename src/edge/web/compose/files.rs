//! The files of the form for posts: `file1` to `file4`, each with what it
//! shows in `alt1` to `alt4`, and those that were sent before, by id.
//!
//! What could be kept stays kept when something else is wrong, so that nobody
//! has to choose and describe it again.

use super::super::load;
use crate::base::limits::MEDIA_PER_STATUS_MAX;
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::media::{self, Described, MediaError};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::media::{Incoming, When, keep};
use crate::edge::web::view::AttachedFile;
use crate::model::{Media, Site};

/// What a post is to show.
pub(in crate::edge::web) struct Attached {
    /// Uploads in their order.
    files: Vec<Media>,
    /// Why one of the files was not kept.
    pub(in crate::edge::web) fault: Option<String>,
}

impl Attached {
    /// Their ids.
    pub(in crate::edge::web) fn ids(&self) -> Vec<Id> {
        self.files.iter().map(Media::id).collect()
    }

    /// As the form shows them when it is shown again.
    pub(super) fn views(&self, site: &Site) -> Vec<AttachedFile> {
        let view = |media: &Media| {
            let shown = load::media(site, &media.attachment)?;
            Some(AttachedFile { id: media.id().to_string(), shown })
        };
        self.files.iter().filter_map(view).collect()
    }
}

/// Keeps the files of a form.
///
/// # Errors
/// When the store or the files cannot be reached.
pub(super) async fn take(state: &AppState, me: Id, params: &Params) -> Result<Attached, Problem> {
    let before = before(state, me, params).await?;
    let sent = sent(state, me, params, before.len()).await?;
    Ok(Attached { files: [before, sent.files].concat(), fault: sent.fault })
}

/// Keeps the new files of a form for a post that has so many already.
///
/// # Errors
/// When the store or the files cannot be reached.
pub(in crate::edge::web) async fn sent(
    state: &AppState,
    me: Id,
    params: &Params,
    others: usize,
) -> Result<Attached, Problem> {
    let mut attached = Attached { files: Vec::new(), fault: None };
    for number in 1..=MEDIA_PER_STATUS_MAX {
        let Some(file) = params.file(&format!("file{number}")) else { continue };
        if others + attached.files.len() >= MEDIA_PER_STATUS_MAX {
            attached.fault = Some(format!("A post shows at most {MEDIA_PER_STATUS_MAX} files."));
            break;
        }
        let description = params.text(&format!("alt{number}"));
        let incoming = Incoming { file: file.bytes.clone(), description, ..Incoming::default() };
        match keep(state, me, incoming, When::Now).await {
            Ok(media) => attached.files.push(media),
            Err(problem) if problem.kind == ProblemKind::Invalid => {
                let why = problem.detail.trim_start_matches("Validation failed: ");
                let hint = problem.hint.as_deref().unwrap_or_default();
                attached.fault =
                    Some(format!("File {number} was not taken: {why}. {hint}").trim().to_owned());
            }
            Err(problem) => return Err(problem),
        }
    }
    Ok(attached)
}

/// Those that were sent before and not ticked to be left out, described anew.
async fn before(state: &AppState, me: Id, params: &Params) -> Result<Vec<Media>, Problem> {
    let mut files = Vec::new();
    for id in params.ids("media").into_iter().take(MEDIA_PER_STATUS_MAX) {
        if params.flag(&format!("drop{id}")).unwrap_or(false) {
            continue;
        }
        let (now, description) = (state.now(), params.text(&format!("alt{id}")));
        let change = Described { id, description, focus: None };
        match state.store.write(move |tx| media::describe(tx, now, me, &change)).await {
            Ok(media) => files.push(media),
            // The post was sent already, or its day is over.
            Err(MediaError::NotFound | MediaError::InUse) => {}
            Err(MediaError::Store(error)) => return Err(error.into()),
        }
    }
    Ok(files)
}
