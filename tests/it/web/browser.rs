//! A browser: keeps cookies, fills in forms, follows nothing by itself.

use std::collections::BTreeMap;

use axum::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{Method, Request};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::kit::{Answer, PASSWORD, TestApp};

/// Somebody's browser.
pub struct Browser<'a> {
    app: &'a TestApp,
    cookies: BTreeMap<String, String>,
}

impl<'a> Browser<'a> {
    /// One that is not logged in.
    pub fn new(app: &'a TestApp) -> Browser<'a> {
        Browser { app, cookies: BTreeMap::new() }
    }

    /// One in which this person, who exists, is logged in.
    pub async fn of(app: &'a TestApp, username: &str) -> Browser<'a> {
        let mut browser = Browser::new(app);
        let answer = browser.submit("/login", &[("name", username), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{username} can log in");
        browser
    }

    /// Opens an address.
    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Sends a form with the token of the page that it is on.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.submit_as("https://social.example", path, &all).await
    }

    /// Sends a form as it is, from a page of this origin.
    pub async fn submit_as(&mut self, origin: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let request = self
            .request(Method::POST, path)
            .header(ORIGIN, origin)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(pairs.join("&")))
            .unwrap();
        self.send(request).await
    }

    /// The token in this browser's forms.
    pub async fn token(&mut self) -> String {
        let page = self.get("/about").await.text();
        let (_, rest) = page.split_once(r#"name="csrf" value=""#).expect("a page has a form");
        rest.split('"').next().unwrap().to_owned()
    }

    /// A request with this browser's cookies.
    pub fn request(&self, method: Method, path: &str) -> http::request::Builder {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let builder = Request::builder().method(method).uri(path).header("host", "social.example");
        builder.header(COOKIE, cookies.join("; ")).header("accept", "text/html,*/*;q=0.8")
    }

    async fn send(&mut self, request: Request<Body>) -> Answer {
        let answer = self.app.send(request).await;
        for line in answer.headers.get_all(SET_COOKIE) {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// What tests read of a page.
pub trait Page {
    /// Where it sends the browser.
    fn leads_to(&self) -> &str;
    /// A header as text; empty where there is none.
    fn head(&self, name: &str) -> &str;
}

impl Page for Answer {
    fn leads_to(&self) -> &str {
        assert_eq!(self.status, 303, "a redirect");
        self.head(LOCATION.as_str())
    }

    fn head(&self, name: &str) -> &str {
        self.header(name).unwrap_or_default()
    }
}
