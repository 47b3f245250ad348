//! Apps and how people let them in.

use megalodon::error::Error;
use megalodon::megalodon::AppInputOptions;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;

use crate::kit::{client, done, refused, sample, url};

/// A browser without scripts that keeps its cookies.
struct Browser {
    http: reqwest::Client,
    cookies: Vec<(String, String)>,
}

impl Browser {
    fn new() -> Browser {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Browser { http, cookies: Vec::new() }
    }

    /// Follows where it is sent; gives the last page and its address.
    async fn open(&mut self, address: &str, form: Option<Vec<(String, String)>>) -> (String, String) {
        let (mut address, mut form) = (address.to_owned(), form);
        for _ in 0..5 {
            let request = match form.take() {
                Some(form) => self
                    .http
                    .post(&address)
                    .body(encoded(&form))
                    .header(ORIGIN, url())
                    .header("content-type", "application/x-www-form-urlencoded"),
                None => self.http.get(&address),
            };
            let cookies: Vec<String> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let answer = request.header(COOKIE, cookies.join("; ")).send().await.unwrap();
            for cookie in answer.headers().get_all(SET_COOKIE) {
                let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
                let value = rest.split(';').next().unwrap_or_default();
                self.cookies.retain(|(known, _)| known != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
            let Some(next) = answer.headers().get(LOCATION) else {
                return (answer.text().await.unwrap(), address);
            };
            address =
                reqwest::Url::parse(&address).unwrap().join(next.to_str().unwrap()).unwrap().to_string();
        }
        panic!("sent around in a circle");
    }

    /// Fills in the form of a page that posts to `action`.
    async fn submit(
        &mut self,
        page: &(String, String),
        action: &str,
        filled: &[(&str, &str)],
    ) -> (String, String) {
        let from =
            page.0.find(&format!("action=\"{action}")).unwrap_or_else(|| panic!("no form: {}", page.0));
        let form = &page.0[from..from + page.0[from..].find("</form>").unwrap()];
        let mut fields: Vec<(String, String)> = form
            .split("<input ")
            .skip(1)
            .filter(|input| input.contains("type=\"hidden\""))
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect();
        fields.extend(filled.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let target = attribute(form, "action").unwrap();
        let target = reqwest::Url::parse(&page.1).unwrap().join(&target).unwrap();
        self.open(target.as_str(), Some(fields)).await
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let from = tag.find(&format!("{name}=\""))? + name.len() + 2;
    let value = &tag[from..from + tag[from..].find('"')?];
    Some(value.replace("&amp;", "&").replace("&#38;", "&").replace("&quot;", "\""))
}

fn encoded(form: &[(String, String)]) -> String {
    let mut target = reqwest::Url::parse("http://x/").unwrap();
    target.query_pairs_mut().extend_pairs(form);
    target.query().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_app_is_registered_let_in_and_sent_away() {
    let anybody = client(None);
    let scopes = ["read", "write"].map(str::to_owned).to_vec();
    let options = AppInputOptions {
        scopes: Some(scopes),
        website: Some("https://app.example".into()),
        ..AppInputOptions::default()
    };
    let app = anybody.register_app("Fisher".into(), &options).await.unwrap();
    assert_eq!(app.website.as_deref(), Some("https://app.example"));

    let (_, password) = sample("ben").await;
    let mut browser = Browser::new();
    let page = browser.open(&format!("{}/login", url()), None).await;
    browser.submit(&page, "/login", &[("name", "ben"), ("password", &password)]).await;
    let page = browser.open(app.url.as_deref().unwrap(), None).await;
    let (page, _) = browser.submit(&page, "/oauth/authorize", &[("decision", "allow")]).await;
    let shown = &page[page.find("class=\"code\"").expect("the code is shown")..];
    let code = attribute(shown, "value").unwrap();

    let back = app.redirect_uri.clone().unwrap();
    let token = anybody
        .fetch_access_token(app.client_id.clone(), app.client_secret.clone(), code.clone(), back.clone())
        .await
        .unwrap();
    assert_eq!((token.token_type.as_str(), token.scope.as_deref()), ("Bearer", Some("read write")));
    // There are no refresh tokens, here as in Mastodon: tokens do not end.
    let refresh =
        anybody.refresh_access_token(app.client_id.clone(), app.client_secret.clone(), "x".into()).await;
    assert!(matches!(refresh, Err(Error::OwnError(error)) if error.status == Some(400)));

    let ben = client(Some(token.access_token.clone()));
    assert_eq!(ben.verify_app_credentials().await.unwrap().json.name, "Fisher");
    assert_eq!(ben.verify_account_credentials().await.unwrap().json.username, "ben");
    done(
        ben.revoke_access_token(app.client_id.clone(), app.client_secret.clone(), token.access_token).await,
    );
    assert_eq!(refused(ben.verify_account_credentials().await), 401);

    let again = anybody.fetch_access_token(app.client_id, app.client_secret, code, back).await;
    assert!(matches!(again, Err(Error::OwnError(error)) if error.status == Some(400)), "a code is good once");
}
