//! Apps, tokens and the metadata of the authorization server (docs:
//! entities/Application, CredentialApplication, Token; RFC 8414; OpenID
//! Connect UserInfo as Mastodon answers it).

use serde::Serialize;
use utoipa::ToSchema;

use crate::model::{App, Site, Token};

/// An app as others may know it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Application {
    id: String,
    name: String,
    #[schema(required)]
    website: Option<String>,
    scopes: Vec<String>,
    redirect_uri: String,
    redirect_uris: Vec<String>,
    vapid_key: String,
}

impl Application {
    /// As others see it. `vapid_key` is the server's public key for pushes.
    pub fn new(app: &App, vapid_key: String) -> Application {
        Application {
            id: app.id.to_string(),
            name: app.name.clone(),
            website: app.website.clone(),
            scopes: app.scopes.clone(),
            // Deprecated by Mastodon in favour of the list; lines are its separator.
            redirect_uri: app.redirect_uris.join("\n"),
            redirect_uris: app.redirect_uris.clone(),
            vapid_key,
        }
    }
}

/// An app with its secret, once, for itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CredentialApplication {
    #[serde(flatten)]
    app: Application,
    client_id: String,
    client_secret: String,
    client_secret_expires_at: u64,
}

impl CredentialApplication {
    /// Right after registration.
    pub fn new(app: &App, client_secret: String, vapid_key: String) -> CredentialApplication {
        CredentialApplication {
            app: Application::new(app, vapid_key),
            client_id: app.client_id.clone(),
            client_secret,
            client_secret_expires_at: 0,
        }
    }
}

/// A token, once, for its app.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    scope: String,
    created_at: i64,
}

impl TokenAnswer {
    /// Right after it was issued.
    pub fn new(token: &Token, access_token: String) -> TokenAnswer {
        TokenAnswer {
            access_token,
            token_type: "Bearer",
            scope: token.scopes.join(" "),
            created_at: token.created_at.as_secs(),
        }
    }
}

/// A refusal (RFC 6749 §5.2).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OauthError {
    /// What programs read.
    pub error: &'static str,
    /// What people read; Doorkeeper's words, which clients compare.
    pub error_description: &'static str,
}

/// RFC 8414.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    app_registration_endpoint: String,
    revocation_endpoint: String,
    userinfo_endpoint: String,
    service_documentation: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 2],
    grant_types_supported: [&'static str; 2],
    code_challenge_methods_supported: [&'static str; 1],
}

impl Metadata {
    /// What this server supports.
    pub fn new(site: &Site, scopes: &[&'static str]) -> Metadata {
        let at = |path: &str| format!("{}{path}", site.origin);
        Metadata {
            issuer: at("/"),
            authorization_endpoint: at("/oauth/authorize"),
            token_endpoint: at("/oauth/token"),
            app_registration_endpoint: at("/api/v1/apps"),
            revocation_endpoint: at("/oauth/revoke"),
            userinfo_endpoint: at("/oauth/userinfo"),
            service_documentation: "https://docs.joinmastodon.org/".into(),
            scopes_supported: scopes.to_vec(),
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post"],
            grant_types_supported: ["authorization_code", "client_credentials"],
            code_challenge_methods_supported: ["S256"],
        }
    }
}

/// Who is logged in.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct UserInfo {
    /// Issuer.
    pub iss: String,
    /// The actor id.
    pub sub: String,
    /// Display name.
    pub name: String,
    /// Username.
    pub preferred_username: String,
    /// Profile page.
    pub profile: String,
    /// Picture.
    pub picture: String,
}
