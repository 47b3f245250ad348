//! Following, blocking, muting and noting. Each answers the relationship as
//! it is afterwards.

use std::time::Duration;

use axum::Json;
use axum::extract::State;

use crate::base::{Id, Moment, Problem};
use crate::domain::relation::{
    self, Actor, FollowOptions, Followed, Follower, MuteOptions, RelationError, Target,
};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::edge::api::people::{IdPath, person, relationship};
use crate::edge::auth::Auth;
use crate::model::Site;
use crate::store::WriteTx;
use crate::wire::mastodon::Relationship;

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

pub(super) async fn follow(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
    params: Params,
) -> Answer {
    let me = auth.me("write:follows")?.id;
    let options = FollowOptions {
        reblogs: params.flag("reblogs"),
        notify: params.flag("notify"),
        languages: params.list("languages"),
    };
    let pair = (Follower(me), Followed(other));
    let act = move |tx: &mut WriteTx<'_>, moment: &mut Moment, site: &Site| {
        relation::follow(tx, moment, site, pair, &options).map(drop)
    };
    change(&state, me, other, act).await
}

pub(super) async fn unfollow(State(state): State<AppState>, auth: Auth, IdPath(other): IdPath) -> Answer {
    let me = auth.me("write:follows")?.id;
    let pair = (Follower(me), Followed(other));
    change(&state, me, other, move |tx, moment, site| relation::unfollow(tx, moment, site, pair)).await
}

pub(super) async fn remove_from_followers(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
) -> Answer {
    let me = auth.me("write:follows")?.id;
    let pair = (Follower(other), Followed(me));
    change(&state, me, other, move |tx, moment, site| relation::remove_follower(tx, moment, site, pair)).await
}

pub(super) async fn block(State(state): State<AppState>, auth: Auth, IdPath(other): IdPath) -> Answer {
    let me = auth.me("write:blocks")?.id;
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, moment, site| relation::block(tx, moment, site, pair)).await
}

pub(super) async fn unblock(State(state): State<AppState>, auth: Auth, IdPath(other): IdPath) -> Answer {
    let me = auth.me("write:blocks")?.id;
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, moment, site| relation::unblock(tx, moment, site, pair)).await
}

pub(super) async fn mute(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
    params: Params,
) -> Answer {
    let me = auth.me("write:mutes")?.id;
    let seconds = params.number("duration")?.unwrap_or(0);
    let options = MuteOptions {
        notifications: params.flag("notifications").unwrap_or(true),
        duration: u64::try_from(seconds).ok().filter(|s| *s > 0).map(Duration::from_secs),
    };
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, moment, _| relation::mute(tx, moment, pair, options)).await
}

pub(super) async fn unmute(State(state): State<AppState>, auth: Auth, IdPath(other): IdPath) -> Answer {
    let me = auth.me("write:mutes")?.id;
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, _, _| relation::unmute(tx, pair)).await
}

pub(super) async fn note(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(other): IdPath,
    params: Params,
) -> Answer {
    let me = auth.me("write:accounts")?.id;
    person(&state, other).await?;
    let comment = params.text("comment").unwrap_or_default();
    let pair = (Actor(me), Target(other));
    change(&state, me, other, move |tx, _, _| relation::set_note(tx, pair, &comment)).await
}
