//! Following, blocking, muting and noting. Each answers the relationship as
//! it is afterwards.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::base::{Id, Moment, Problem};
use crate::domain::relation::{
    self, Actor, FollowOptions, Followed, Follower, MuteOptions, RelationError, Target,
};
use crate::edge::AppState;
use crate::edge::api::params::Input;
use crate::edge::api::people::{IdPath, person, relationship};
use crate::edge::auth::Auth;
use crate::model::Site;
use crate::store::WriteTx;
use crate::wire::mastodon::Relationship;

/// How to follow.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct FollowForm {
    /// Boosts too; at first yes.
    reblogs: Option<bool>,
    /// A notification for each post; at first no.
    notify: Option<bool>,
    /// Only posts in these languages; an empty list for all.
    #[serde(default)]
    languages: Vec<String>,
}

/// How to mute.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct MuteForm {
    /// Notifications too; if nothing is said, yes.
    notifications: Option<bool>,
    /// For how many seconds; 0 for ever.
    duration: Option<i64>,
}

/// What to note.
#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct NoteForm {
    /// At most 2000 characters.
    comment: Option<String>,
}

type Answer = Result<Json<Relationship>, Problem>;

/// Runs one change of a relation in a transaction and answers what it made.
async fn change(
    state: &AppState,
    me: Id,
    other: Id,
    mut act: impl FnMut(&mut WriteTx<'_>, &mut Moment, &Site) -> Result<(), RelationError> + Send + 'static,
) -> Answer {
    let (moment, site) = (state.moment(), state.site.clone());
    state.store.write(move |tx| act(tx, &mut moment.clone(), &site)).await?;
    relationship(state, me, other).await
}

/// Follows somebody, or changes how.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/follow", tag = "Accounts", params(("id" = String, Path)),
    request_body = FollowForm, security(("oauth" = ["write:follows"])), responses((status = 200, body = Relationship)))]
pub(super) async fn follow(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
    form: Input<FollowForm>,
) -> Answer {
    let me = auth.me("write:follows")?.id;
    // A list that was sent empty means all languages; none sent changes nothing.
    let languages = form.params.list("languages").map(|_| form.languages.clone());
    let options = FollowOptions { reblogs: form.reblogs, notify: form.notify, languages };
    let pair = (Follower(me), Followed(other));
    let act = move |tx: &mut WriteTx<'_>, moment: &mut Moment, site: &Site| {
        relation::follow(tx, moment, site, pair, &options).map(drop)
    };
    change(&state, me, other, act).await
}

/// Follows somebody no longer, or no longer asks to.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/unfollow", tag = "Accounts", params(("id" = String, Path)),
    security(("oauth" = ["write:follows"])), responses((status = 200, body = Relationship)))]
pub(super) async fn unfollow(State(state): State<AppState>, auth: Auth, IdPath(other): IdPath) -> Answer {
    let me = auth.me("write:follows")?.id;
    let pair = (Follower(me), Followed(other));
    change(&state, me, other, move |tx, moment, site| relation::unfollow(tx, moment, site, pair)).await
}

/// Takes somebody off the followers.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/remove_from_followers", tag = "Accounts", params(("id" = String, Path)),
    security(("oauth" = ["write:follows"])), responses((status = 200, body = Relationship)))]
pub(super) async fn remove_from_followers(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
) -> Answer {
    let me = auth.me("write:follows")?.id;
    let pair = (Follower(other), Followed(me));
    change(&state, me, other, move |tx, moment, site| relation::remove_follower(tx, moment, site, pair)).await
}

/// Blocks somebody: neither follows or sees the other any more.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/block", tag = "Accounts", params(("id" = String, Path)),
    security(("oauth" = ["write:blocks"])), responses((status = 200, body = Relationship)))]
pub(super) async fn block(State(state): State<AppState>, auth: Auth, IdPath(other): IdPath) -> Answer {
    let me = auth.me("write:blocks")?.id;
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, moment, site| relation::block(tx, moment, site, pair)).await
}

/// Blocks somebody no longer.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/unblock", tag = "Accounts", params(("id" = String, Path)),
    security(("oauth" = ["write:blocks"])), responses((status = 200, body = Relationship)))]
pub(super) async fn unblock(State(state): State<AppState>, auth: Auth, IdPath(other): IdPath) -> Answer {
    let me = auth.me("write:blocks")?.id;
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, moment, site| relation::unblock(tx, moment, site, pair)).await
}

/// Mutes somebody, or changes how.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/mute", tag = "Accounts", params(("id" = String, Path)),
    request_body = MuteForm, security(("oauth" = ["write:mutes"])), responses((status = 200, body = Relationship)))]
pub(super) async fn mute(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
    form: Input<MuteForm>,
) -> Answer {
    let me = auth.me("write:mutes")?.id;
    let seconds = form.duration.unwrap_or(0);
    let options = MuteOptions {
        notifications: form.notifications.unwrap_or(true),
        duration: u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs),
    };
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, moment, _| relation::mute(tx, moment, pair, options)).await
}

/// Mutes somebody no longer.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/unmute", tag = "Accounts", params(("id" = String, Path)),
    security(("oauth" = ["write:mutes"])), responses((status = 200, body = Relationship)))]
pub(super) async fn unmute(State(state): State<AppState>, auth: Auth, IdPath(other): IdPath) -> Answer {
    let me = auth.me("write:mutes")?.id;
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, _, _| relation::unmute(tx, pair)).await
}

/// Keeps a private note about somebody; a blank one removes it.
#[utoipa::path(post, path = "/api/v1/accounts/{id}/note", tag = "Accounts", params(("id" = String, Path)),
    request_body = NoteForm, security(("oauth" = ["write:accounts"])), responses((status = 200, body = Relationship)))]
pub(super) async fn note(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
    form: Input<NoteForm>,
) -> Answer {
    let me = auth.me("write:accounts")?.id;
    person(&state, other).await?;
    let comment = form.comment.clone().unwrap_or_default();
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, _, _| relation::set_note(tx, pair, &comment)).await
}
