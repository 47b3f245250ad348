//! Who quotes a post, and taking one's own post out of a quote.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};

use super::frame::{Member, Visit};
use super::listing::List;
use super::pages::Empty;
use super::timelines::id;
use super::view::Notice;
use super::{go, load};
use crate::base::{Id, Problem};
use crate::domain::quote;
use crate::domain::timeline::{self, Loaded};
use crate::edge::AppState;
use crate::edge::api::params::Params;
use crate::model::FilterContext;

pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/@{acct}/{id}/quotes", get(list))
        .route("/posts/{id}/quotes/{quoting}/revoke", post(revoke))
}

/// A post that the reader may see; its boosts are not it.
pub(super) async fn seen(visit: &Visit, id: Id) -> Result<Loaded, Problem> {
    let viewer = visit.viewer();
    let found = visit.state.store.read(move |tx| timeline::load_one(tx, viewer, id)).await?;
    found.filter(|found| found.reblog.is_none()).ok_or_else(Problem::not_found)
}

/// `GET /@user/id/quotes`.
async fn list(
    visit: Visit,
    Path((_, status)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let found = seen(&visit, id(&status)?).await?;
    let path = load::post_path(&found.author.account, &found.status);
    let empty = Empty("No quotes", "Posts that quote this one will be listed here, if you may see them.");
    let list = List {
        more: Some((path.clone(), "The quoted post".to_owned())),
        place: Some(FilterContext::Thread),
        ..List::plain("Quotes", format!("{path}/quotes"), empty)
    };
    list.show(visit, &params, move |tx, viewer, page| quote::quotes(tx, viewer, found.status.id, page)).await
}

/// `POST /posts/id/quotes/id/revoke`.
async fn revoke(
    member: Member,
    Path((quoted, quoting)): Path<(String, String)>,
    params: Params,
) -> Result<Response, Problem> {
    let Member { visit, login } = member;
    visit.browser.check(params.text("csrf").as_deref())?;
    let (pair, me) = ((id(&quoted)?, id(&quoting)?), login.account.id);
    let (moment, site) = (visit.state.moment(), visit.state.site.clone());
    visit.state.store.write(move |tx| quote::revoke(tx, &mut moment.clone(), &site, me, pair)).await?;
    Ok(go::saying(&visit.state.site, Notice::QuoteRevoked, go::back(&params)))
}
