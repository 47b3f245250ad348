//! A public post of this server for pages of others (oembed.com; docs:
//! methods/oembed).

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::params::Input;
use crate::base::Problem;
use crate::domain::search::{AtAddress, at_address};
use crate::domain::timeline::Loaded;
use crate::domain::visibility::Viewer;
use crate::edge::AppState;
use crate::wire::text::escape;

/// Width of the frame that is proposed, in pixels.
const WIDTH: u32 = 400;
/// How long it may be kept, in seconds.
const CACHE_S: u32 = 86_400;

pub(super) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(oembed))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Address of the post.
    url: Option<String>,
    /// Widest frame.
    maxwidth: Option<u32>,
    /// Highest frame.
    maxheight: Option<u32>,
}

/// What to put into a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Oembed {
    #[serde(rename = "type")]
    kind: &'static str,
    version: &'static str,
    author_name: String,
    #[schema(format = "uri")]
    author_url: String,
    provider_name: String,
    #[schema(format = "uri")]
    provider_url: String,
    cache_age: u32,
    /// Shows the post without any script.
    html: String,
    width: u32,
    #[schema(required)]
    height: Option<u32>,
}

/// A public post as a quotation.
#[utoipa::path(get, path = "/api/oembed", tag = "Instance", params(Which),
    responses((status = 200, body = Oembed)))]
async fn oembed(State(state): State<AppState>, asked: Input<Which>) -> Result<Json<Oembed>, Problem> {
    let url = asked.url.clone().filter(|url| state.site.owns(url)).ok_or_else(Problem::not_found)?;
    let (site, viewer) = (state.site.clone(), Viewer::anonymous(state.now()));
    let found = state.store.read(move |tx| at_address(tx, viewer, &site, &url)).await?;
    let Some(AtAddress::Status(loaded)) = found else { return Err(Problem::not_found()) };
    if !loaded.status.is_local || loaded.status.is_reblog() {
        return Err(Problem::not_found());
    }
    let author = &loaded.author.account;
    Ok(Json(Oembed {
        kind: "rich",
        version: "1.0",
        author_name: author.name().to_owned(),
        author_url: author.url.clone(),
        provider_name: state.config.title.clone(),
        provider_url: format!("{}/", state.site.origin),
        cache_age: CACHE_S,
        html: html(&loaded),
        width: asked.maxwidth.unwrap_or(WIDTH).min(WIDTH),
        height: asked.maxheight,
    }))
}

fn html(loaded: &Loaded) -> String {
    let url = escape(loaded.status.url.as_deref().unwrap_or(&loaded.status.uri));
    let author = &loaded.author.account;
    let shown = match loaded.status.spoiler_text.as_str() {
        "" => loaded.status.content_html.clone(),
        warning => format!("<p>{}</p>", escape(warning)),
    };
    let (name, acct) = (escape(author.name()), escape(&author.username));
    format!(
        "<blockquote class=\"mastodon-embed\" cite=\"{url}\">{shown}<p>— {name} (@{acct}) \
         <a href=\"{url}\" rel=\"noopener\">{}</a></p></blockquote>",
        escape(&loaded.status.created_at.date())
    )
}
