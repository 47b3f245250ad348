//! Lists that are ordered by when somebody liked, boosted or bookmarked. They
//! page on the id of that, which clients see only in `Link`.

use std::sync::Arc;

use super::loaded::{Loaded, Person, load, load_people};
use crate::base::Id;
use crate::domain::page::{Page, Paged, fill};
use crate::domain::visibility::{Viewer, relations};
use crate::model::tables::{BOOKMARKS, FAVOURITES, STATUS_FAVOURITES, STATUS_REBLOGS};
use crate::store::{ReadTx, Scan, StoreError, Table};

/// A page of the posts that somebody likes.
///
/// # Errors
/// Only the store's.
pub fn favourites(tx: &ReadTx<'_>, viewer: Viewer, page: &Page) -> Result<Paged<Loaded>, StoreError> {
    statuses(tx, FAVOURITES, viewer, page)
}

/// A page of the posts that somebody bookmarked.
///
/// # Errors
/// Only the store's.
pub fn bookmarks(tx: &ReadTx<'_>, viewer: Viewer, page: &Page) -> Result<Paged<Loaded>, StoreError> {
    statuses(tx, BOOKMARKS, viewer, page)
}

/// A page of those who like a post. Check before that the viewer may see it.
///
/// # Errors
/// Only the store's.
pub fn favourited_by(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    status: Id,
    page: &Page,
) -> Result<Paged<Arc<Person>>, StoreError> {
    fill(
        page,
        |span| rows(tx, STATUS_FAVOURITES, status, span),
        |rows| {
            let ids: Vec<Id> = rows.iter().map(|(_, account)| *account).collect();
            let relations = relations(tx, viewer, &ids)?;
            let is_shown = |id: &Id| relations.get(id).is_none_or(|between| !between.is_blocked());
            let people = load_people(tx, &ids)?;
            Ok(ids.iter().zip(people).map(|(id, person)| person.filter(|_| is_shown(id))).collect())
        },
    )
}

/// A page of those who boosted a post, as far as the viewer may see their
/// boosts. Check before that the viewer may see the post.
///
/// # Errors
/// Only the store's.
pub fn reblogged_by(
    tx: &ReadTx<'_>,
    viewer: Viewer,
    status: Id,
    page: &Page,
) -> Result<Paged<Arc<Person>>, StoreError> {
    fill(
        page,
        |span| rows(tx, STATUS_REBLOGS, status, span),
        |rows| {
            let boosts: Vec<Id> = rows.iter().map(|(boost, _)| *boost).collect();
            let seen = load(tx, viewer, &boosts)?;
            let is_shown = |loaded: &Loaded| !loaded.between.is_blocked();
            Ok(seen.into_iter().map(|loaded| loaded.filter(is_shown).map(|l| l.author)).collect())
        },
    )
}

fn rows(
    tx: &ReadTx<'_>,
    table: Table<(Id, Id), Id>,
    of: Id,
    span: &crate::domain::page::Span,
) -> Result<Vec<(Id, Id)>, StoreError> {
    let rows = tx.scan(table, span.scan(Scan::prefix(&(of,)), |id| (of, id)))?;
    Ok(rows.into_iter().map(|((_, order), what)| (order, what)).collect())
}

fn statuses(
    tx: &ReadTx<'_>,
    table: Table<(Id, Id), Id>,
    viewer: Viewer,
    page: &Page,
) -> Result<Paged<Loaded>, StoreError> {
    let me = viewer.id.unwrap_or_default();
    fill(
        page,
        |span| rows(tx, table, me, span),
        |rows| load(tx, viewer, &rows.iter().map(|(_, status)| *status).collect::<Vec<_>>()),
    )
}
