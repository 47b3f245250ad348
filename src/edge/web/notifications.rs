//! What the reader is told.

use axum::Router;
use axum::response::Response;
use axum::routing::get;

use super::frame::Member;
use super::pages::NotificationsPage;
use super::timelines::{eyes, older, page};
use super::{load, show};
use crate::base::limits::PAGE_ACCOUNTS;
use crate::base::{Id, Problem};
use crate::domain::marker::{self, MarkerError};
use crate::domain::notification::{self, Wanted};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::model::{FilterContext, NotificationKind};
use crate::store::StoreError;

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/notifications", get(notifications))
}

/// `GET /notifications`; `only=mentions` for those where the reader is named.
async fn notifications(member: Member, params: Params) -> Result<Response, Problem> {
    let (visit, me) = (member.visit, member.login.account.id);
    let only_mentions = params.text("only").as_deref() == Some("mentions");
    let kinds = if only_mentions { vec![NotificationKind::Mention] } else { Vec::new() };
    let wanted = Wanted { kinds, ..Wanted::default() };
    let page = page(&params, PAGE_ACCOUNTS.0);
    let read = visit.read(move |tx, viewer| {
        let seen = marker::get(tx, me, &["notifications"])?.pop().map(|(_, marker)| marker.last_read);
        let waiting = notification::summary(tx, me)?.requests;
        Ok::<_, StoreError>((notification::list(tx, viewer, &wanted, &page)?, seen, waiting))
    });
    let (facts, (found, seen, waiting)) = read.await?;
    let newest = found.items.first().map(|alert| alert.notification.id);
    if page.max_id.is_none() && !only_mentions && newest > seen {
        mark_seen(&visit.state, me, newest).await;
    }
    let path = if only_mentions { "/notifications?only=mentions" } else { "/notifications" };
    let eyes = eyes(&visit).at(FilterContext::Notifications);
    let view = NotificationsPage {
        older: older(path, &found),
        items: found.items.iter().map(|alert| load::notification(&eyes, alert, seen)).collect(),
        shell: visit.shell("Notifications", &facts),
        only_mentions,
        waiting,
    };
    show(&visit, &view)
}

/// Moves the marker that apps share. The page is shown even if that fails:
/// then things only stay marked as new.
async fn mark_seen(state: &AppState, me: Id, newest: Option<Id>) {
    let (Some(newest), now) = (newest, state.now()) else { return };
    let write = state.store.write(move |tx| marker::set(tx, now, me, &[("notifications", newest)]));
    if let Err(MarkerError::Store(error)) = write.await {
        tracing::debug!(%error, "notifications stay marked as new");
    }
}
