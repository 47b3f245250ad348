//! A list of posts as a page: what all of them have in common.

use axum::response::Response;

use super::frame::Visit;
use super::pages::{Empty, TagButton, TimelinePage};
use super::timelines::{eyes, older, page};
use super::view::PostView;
use super::{compose, load, show};
use crate::base::Problem;
use crate::base::limits::PAGE_STATUSES;
use crate::domain::page::{Page, Paged};
use crate::domain::timeline::Loaded;
use crate::domain::visibility::Viewer;
use crate::edge::api::params::Params;
use crate::model::FilterContext;
use crate::store::{ReadTx, StoreError};

/// A list of posts with its surroundings.
pub(super) struct List {
    pub(super) title: String,
    pub(super) path: String,
    /// The stream that brings new posts to its first page; empty for none.
    pub(super) live: String,
    /// Has the form for a new post above it.
    pub(super) compose: bool,
    pub(super) tag: Option<TagButton>,
    /// A link beside the title: path and words.
    pub(super) more: Option<(String, String)>,
    pub(super) empty: Empty,
    /// Which of the reader's filters apply.
    pub(super) place: Option<FilterContext>,
}

impl List {
    /// One with nothing around it.
    pub(super) fn plain(title: impl Into<String>, path: impl Into<String>, empty: Empty) -> List {
        List {
            title: title.into(),
            path: path.into(),
            live: String::new(),
            compose: false,
            tag: None,
            more: None,
            empty,
            place: None,
        }
    }

    /// Reads a page of it and prints it.
    pub(super) async fn show<E>(
        self,
        visit: Visit,
        params: &Params,
        read: impl FnOnce(&ReadTx<'_>, Viewer, &Page) -> Result<Paged<Loaded>, E> + Send + 'static,
    ) -> Result<Response, Problem>
    where
        E: From<StoreError> + Send + 'static,
        Problem: From<E>,
    {
        let page = page(params, PAGE_STATUSES.0);
        let (facts, found) = visit.read(move |tx, viewer| read(tx, viewer, &page)).await?;
        let is_first = page.max_id.is_none();
        let posts: Vec<PostView> =
            load::posts(&load::Eyes { place: self.place, ..eyes(&visit) }, &found.items);
        let login = visit.login().filter(|_| self.compose && is_first);
        let view = TimelinePage {
            shell: visit.shell(self.title, &facts),
            newer: (!is_first).then(|| self.path.clone()),
            older: older(&self.path, &found),
            posts,
            compose: login.map(|login| compose::blank(&visit.state, login)),
            tag: self.tag,
            more: self.more,
            live: if is_first { self.live } else { String::new() },
            empty: self.empty,
        };
        show(&visit, &view)
    }
}
