//! Who is asking: apps by bearer token, browsers by session cookie. The API
//! knows only tokens and the pages only cookies, so that no page elsewhere
//! can use a person's cookie on the API.

pub(crate) mod bars;
mod browser;
mod client_ip;
mod passwords;
mod token;

pub(crate) use browser::{Browser, CSRF_FIELD, LoggedIn, clear_session_cookie, session_cookie};
pub(crate) use client_ip::ClientIp;
pub(crate) use passwords::{LoginFailure, check_login, fresh_keys, hash_password, seconds};
pub(crate) use token::{Auth, Me, sent_token};
