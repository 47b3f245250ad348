//! Hashtags: looking at them, following them, featuring them on a profile
//! (docs: methods/tags, methods/followed_tags, methods/featured_tags).

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::page::{PageParams, page, paged};
use super::params::{Input, Params};
use super::people::{IdPath, person};
use crate::base::{Moment, Problem};
use crate::domain::tag::{self, Featured, TagError, View};
use crate::edge::AppState;
use crate::edge::auth::{Auth, Me};
use crate::model::Account;
use crate::store::{StoreError, WriteTx};
use crate::wire::mastodon::{Empty, FeaturedTag, Tag};

/// Followed hashtags on a page: default and most (Mastodon: 100 and 200).
const PAGE: (usize, usize) = (100, 200);

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(one))
        .routes(routes!(follow))
        .routes(routes!(unfollow))
        .routes(routes!(feature))
        .routes(routes!(unfeature))
        .routes(routes!(followed))
        .routes(routes!(featured, add_featured))
        .routes(routes!(suggested))
        .routes(routes!(remove_featured))
        .routes(routes!(featured_of))
}

impl From<TagError> for Problem {
    fn from(error: TagError) -> Problem {
        let detail = match error {
            TagError::NotFound => return Problem::not_found(),
            TagError::Store(error) => return error.into(),
            TagError::BadName => "Name is not a valid hashtag",
            TagError::Taken => "Name has already been taken",
            TagError::TooMany => "You have reached the maximum number of hashtags",
        };
        Problem::invalid(format!("Validation failed: {detail}"))
    }
}

/// A hashtag as clients see it.
pub(super) fn entity(state: &AppState, view: &View) -> Tag {
    Tag::new(&state.site, state.now(), &view.name, &view.days, view.mine.as_ref())
}

/// A featured hashtag as clients see it.
pub(super) fn featured_entity(state: &AppState, account: &Account, featured: &Featured) -> FeaturedTag {
    FeaturedTag::new(&state.site, account, featured.id, &featured.name, &featured.usage)
}

/// The hashtag that an address names.
fn named(name: &str) -> Result<String, Problem> {
    tag::key(name).map_err(|_| Problem::not_found())
}

/// A hashtag.
#[utoipa::path(get, path = "/api/v1/tags/{id}", tag = "Tags",
    params(("id" = String, Path, description = "Its name, without `#`.")),
    security((), ("oauth" = ["read:follows"])), responses((status = 200, body = Tag)))]
async fn one(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<Tag>, Problem> {
    let (viewer, name) = (auth.viewer("read:follows")?, named(&name)?);
    let view = state.store.read(move |tx| tag::view(tx, viewer, name)).await;
    let view = view.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(entity(&state, &view)))
}

/// Changes what the person has to do with a hashtag, and gives it as it is then.
async fn change(
    state: &AppState,
    me: &Me,
    name: &str,
    mut act: impl FnMut(&mut WriteTx<'_>, &mut Moment, &str) -> Result<(), TagError> + Send + 'static,
) -> Result<Json<Tag>, Problem> {
    let (me, name, moment) = (me.id, named(name)?, state.moment());
    let view = state
        .store
        .write(move |tx| {
            act(tx, &mut moment.clone(), &name)?;
            Ok::<_, TagError>(tag::view(tx, Some(me), name.clone())?)
        })
        .await?;
    Ok(Json(entity(state, &view)))
}

/// Follows a hashtag: public posts with it enter the home timeline.
#[utoipa::path(post, path = "/api/v1/tags/{id}/follow", tag = "Tags", params(("id" = String, Path)),
    security(("oauth" = ["write:follows"])), responses((status = 200, body = Tag)))]
async fn follow(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<Tag>, Problem> {
    let me = auth.me("write:follows")?;
    let id = me.id;
    change(&state, &me, &name, move |tx, moment, name| tag::follow(tx, moment, id, name)).await
}

/// Follows a hashtag no longer.
#[utoipa::path(post, path = "/api/v1/tags/{id}/unfollow", tag = "Tags", params(("id" = String, Path)),
    security(("oauth" = ["write:follows"])), responses((status = 200, body = Tag)))]
async fn unfollow(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<Tag>, Problem> {
    let me = auth.me("write:follows")?;
    let id = me.id;
    change(&state, &me, &name, move |tx, _, name| Ok(tag::unfollow(tx, id, name)?)).await
}

/// Features a hashtag on the profile.
#[utoipa::path(post, path = "/api/v1/tags/{id}/feature", tag = "Tags", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Tag)))]
async fn feature(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<Tag>, Problem> {
    let me = auth.me("write:accounts")?;
    let id = me.id;
    let act =
        move |tx: &mut WriteTx<'_>, moment: &mut Moment, name: &str| match tag::feature(tx, moment, id, name)
        {
            // Here it may be asked for twice.
            Ok(_) | Err(TagError::Taken) => Ok(()),
            Err(error) => Err(error),
        };
    change(&state, &me, &name, act).await
}

/// Features a hashtag no longer.
#[utoipa::path(post, path = "/api/v1/tags/{id}/unfeature", tag = "Tags", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Tag)))]
async fn unfeature(
    State(state): State<AppState>,
    Path(name): Path<String>,
    auth: Auth,
) -> Result<Json<Tag>, Problem> {
    let me = auth.me("write:accounts")?;
    let id = me.id;
    change(&state, &me, &name, move |tx, _, name| Ok(tag::unfeature(tx, id, name)?)).await
}

/// The hashtags that the person follows, latest first.
#[utoipa::path(get, path = "/api/v1/followed_tags", tag = "Tags", params(PageParams),
    security(("oauth" = ["read:follows"])), responses((status = 200, body = Vec<Tag>)))]
async fn followed(
    State(state): State<AppState>,
    uri: Uri,
    auth: Auth,
    params: Params,
) -> Result<Response, Problem> {
    let me = auth.me("read:follows")?.id;
    let page = page(&params, PAGE)?;
    let found = state.store.read(move |tx| tag::followed(tx, me, &page)).await;
    let found = found.map_err(|error: StoreError| Problem::from(error))?;
    Ok(paged(&state.site, &uri, found.map(|view| entity(&state, &view))))
}

/// The hashtags that the person features.
#[utoipa::path(get, path = "/api/v1/featured_tags", tag = "Tags",
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<FeaturedTag>)))]
async fn featured(State(state): State<AppState>, auth: Auth) -> Result<Json<Vec<FeaturedTag>>, Problem> {
    let me = auth.me("read:accounts")?;
    listed(&state, &me.account).await
}

async fn listed(state: &AppState, account: &Account) -> Result<Json<Vec<FeaturedTag>>, Problem> {
    let id = account.id;
    let all = state.store.read(move |tx| tag::featured(tx, id)).await;
    let all = all.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(all.iter().map(|featured| featured_entity(state, account, featured)).collect()))
}

#[derive(Debug, Deserialize, ToSchema)]
struct TagForm {
    /// Its name, with or without `#`.
    name: String,
}

/// Features a hashtag on the profile.
#[utoipa::path(post, path = "/api/v1/featured_tags", tag = "Tags", request_body = TagForm,
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = FeaturedTag)))]
async fn add_featured(
    State(state): State<AppState>,
    auth: Auth,
    named: Input<TagForm>,
) -> Result<Json<FeaturedTag>, Problem> {
    let me = auth.me("write:accounts")?;
    let (id, moment, name) = (me.id, state.moment(), tag::key(&named.name)?);
    let made = state.store.write(move |tx| tag::feature(tx, &mut moment.clone(), id, &name)).await?;
    Ok(Json(featured_entity(&state, &me.account, &made)))
}

/// Features a hashtag no longer.
#[utoipa::path(delete, path = "/api/v1/featured_tags/{id}", tag = "Tags", params(("id" = String, Path)),
    security(("oauth" = ["write:accounts"])), responses((status = 200, body = Empty)))]
async fn remove_featured(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Empty>, Problem> {
    let me = auth.me("write:accounts")?.id;
    let act = move |tx: &mut WriteTx<'_>| {
        let name = tag::featured_by_id(tx, me, id)?;
        Ok::<_, TagError>(tag::unfeature(tx, me, &name)?)
    };
    state.store.write(act).await?;
    Ok(Json(Empty {}))
}

/// Hashtags that the person uses most and does not feature.
#[utoipa::path(get, path = "/api/v1/featured_tags/suggestions", tag = "Tags",
    security(("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<Tag>)))]
async fn suggested(State(state): State<AppState>, auth: Auth) -> Result<Json<Vec<Tag>>, Problem> {
    let me = auth.me("read:accounts")?.id;
    let views = state.store.read(move |tx| tag::suggested(tx, me)).await;
    let views = views.map_err(|error: StoreError| Problem::from(error))?;
    Ok(Json(views.iter().map(|view| entity(&state, view)).collect()))
}

/// The hashtags that an account features.
#[utoipa::path(get, path = "/api/v1/accounts/{id}/featured_tags", tag = "Accounts",
    params(("id" = String, Path)),
    security((), ("oauth" = ["read:accounts"])), responses((status = 200, body = Vec<FeaturedTag>)))]
async fn featured_of(
    State(state): State<AppState>,
    auth: Auth,
    IdPath(id): IdPath,
) -> Result<Json<Vec<FeaturedTag>>, Problem> {
    auth.viewer("read:accounts")?;
    let person = person(&state, id).await?;
    listed(&state, &person.account).await
}
