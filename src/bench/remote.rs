//! Measuring a server that runs, as one of its people: what may be done to
//! it, and what there is to read.

use std::net::ToSocketAddrs;

use serde_json::Value;
use url::Url;

use super::client::{Ask, Client, Target};
use super::load::Tools;
use super::order::{Person, Post};
use super::scenario::Scenario;
use super::stage::{Slate, Stage};
use super::tally::Flaw;
use crate::base::{Problem, ProblemKind};

/// Posts and people that are read besides one's own.
const KNOWN_MAX: usize = 100;

/// A server that runs, and one of its people's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// `https://social.example`
    pub origin: String,
    /// A token of somebody there.
    pub token: String,
    /// An authority to trust besides the public ones, in PEM.
    pub root_pem: Option<String>,
}

/// What whoever asks has said they may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Leave {
    /// Write posts and upload pictures.
    pub writes: bool,
    /// Measure a machine other than this one.
    pub owns_server: bool,
}

/// Checks what is asked of a server before anything is sent. Gives its origin.
///
/// # Errors
/// A URL that is none, a host that is not this machine without leave to, or
/// a scenario that is not for servers of others, or writes without leave to.
pub fn check(url: &str, scenarios: &[Scenario], leave: Leave) -> Result<String, Problem> {
    let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let parsed = parsed.filter(Url::has_host).ok_or_else(|| {
        Problem::invalid(format!("`{url}` is no address of a server"))
            .hint("write it like `https://social.example`")
    })?;
    if !is_loopback(&parsed) && !leave.owns_server {
        let what = format!(
            "`{}` is not this machine, and load takes a server away from its people",
            parsed.host_str().unwrap_or_default()
        );
        return Err(Problem::invalid(what).hint("if it is yours, say so: `--i-own-this-server`"));
    }
    for scenario in scenarios {
        if !scenario.is_for_strangers() {
            let what = format!("`{}` needs a temporary instance", scenario.name());
            return Err(Problem::invalid(what).hint("leave the URL out, or measure browse, post or media"));
        }
        if scenario.writes() && !leave.writes {
            let what = format!("`{}` writes on the server", scenario.name());
            return Err(Problem::invalid(what).hint("if that may be, say so: `--write`"));
        }
    }
    Ok(parsed.origin().ascii_serialization())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Remote {
    /// Looks who the token is of and what there is to read.
    ///
    /// # Errors
    /// When the server cannot be reached or does not know the token.
    pub async fn stage(&self, tools: Tools, slate: Slate) -> Result<Stage, Problem> {
        let client = Client::new(self.target().await?);
        let me = self.ask(&client, "/api/v1/accounts/verify_credentials").await?;
        let me = Person {
            name: me["username"].as_str().unwrap_or_default().to_owned(),
            id: me["id"].as_str().unwrap_or_default().to_owned(),
            actor: String::new(),
            token: self.token.clone(),
        };
        let mut people = vec![me];
        let mut statuses = Vec::new();
        for path in ["/api/v1/timelines/home?limit=40", "/api/v1/timelines/public?local=true&limit=40"] {
            let posts = self.ask(&client, path).await?;
            for post in posts.as_array().into_iter().flatten() {
                self.know(post, &mut people, &mut statuses);
            }
        }
        if statuses.is_empty() {
            let what = "there is no post to read on that server";
            return Err(Problem::invalid(what).hint("use the token of somebody whose home timeline has some"));
        }
        Ok(Stage {
            client,
            origin: self.origin.clone(),
            people: people.into(),
            announcer: None,
            password: String::new(),
            statuses: statuses.into(),
            tools,
            slate,
        })
    }

    /// A post and its author; everybody is read with the one token there is.
    fn know(&self, post: &Value, people: &mut Vec<Person>, statuses: &mut Vec<Post>) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (id, author) = (text(&post["id"]), &post["account"]);
        if statuses.len() < KNOWN_MAX && statuses.iter().all(|known| known.id != id) {
            statuses.push(Post { id, uri: text(&post["uri"]) });
        }
        let author = Person {
            name: text(&author["username"]),
            id: text(&author["id"]),
            actor: String::new(),
            token: self.token.clone(),
        };
        if people.len() < KNOWN_MAX && people.iter().all(|known| known.id != author.id) {
            people.push(author);
        }
    }

    async fn target(&self) -> Result<Target, Problem> {
        let url = Url::parse(&self.origin).map_err(Problem::internal)?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let authority = crate::wire::http_signature::host_header(&url);
        let lookup = (host.clone(), port);
        let addresses =
            tokio::task::spawn_blocking(move || lookup.to_socket_addrs()).await.map_err(Problem::internal)?;
        // The usual address first: a server often listens on that of IPv4 only.
        let address = addresses.ok().and_then(|all| all.min_by_key(|address| !address.is_ipv4()));
        let address = address.ok_or_else(|| unreachable(&host, "its name is not known"))?;
        match url.scheme() {
            "http" => Ok(Target::plain(&authority, address)),
            _ => Target::tls(&authority, address, self.root_pem.as_deref()),
        }
    }

    async fn ask(&self, client: &Client, path: &str) -> Result<Value, Problem> {
        let answer = client.send(&Ask::get(path).by(&self.token)).await;
        let answer = answer.map_err(|flaw| {
            let problem = unreachable(&self.origin, &flaw.to_string());
            if flaw == Flaw::Connect && self.origin.starts_with("https:") {
                problem.hint("with a certificate of its own authority, name that: `--root FILE`")
            } else {
                problem
            }
        })?;
        match answer.status {
            200 => answer.json().map_err(|flaw| unreachable(&self.origin, &flaw.to_string())),
            401 | 403 => Err(Problem::invalid(format!("{} does not take the token", self.origin))
                .hint("`--token TOKEN` takes one with the scope `read`, and `write` for `--write`")),
            status => Err(unreachable(&self.origin, &format!("{path} answers {status}"))),
        }
    }
}

fn unreachable(host: &str, why: &str) -> Problem {
    Problem::new(ProblemKind::Unavailable, format!("{host} cannot be measured: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(url: &str, scenario: Scenario, writes: bool, owns_server: bool) -> Result<String, String> {
        check(url, &[scenario], Leave { writes, owns_server }).map_err(|problem| problem.to_string())
    }

    #[test]
    fn only_this_machine_is_asked_without_more_words() {
        let read = |url, owns| checked(url, Scenario::Browse, false, owns);
        for url in ["https://localhost:8443/", "http://127.0.0.1:3000", "https://[::1]", "http://a.localhost"]
        {
            assert!(read(url, false).is_ok(), "{url}");
        }
        for url in [
            "https://social.example",
            "https://10.0.0.1",
            "https://localhost.example",
            "https://127.0.0.1.nip.example",
        ] {
            assert!(read(url, false).is_err_and(|text| text.contains("--i-own-this-server")), "{url}");
            assert!(read(url, true).is_ok(), "{url}");
        }
        for bad in ["social.example", "ftp://localhost", "https://", ""] {
            assert!(read(bad, true).is_err(), "{bad}");
        }
        assert_eq!(read("https://localhost:8443/a?b", false).unwrap(), "https://localhost:8443");
    }

    #[test]
    fn nothing_is_written_without_leave() {
        let url = "http://localhost:3000";
        assert!(checked(url, Scenario::Post, false, true).is_err_and(|text| text.contains("--write")));
        assert!(checked(url, Scenario::Post, true, false).is_ok());
        assert!(
            checked(url, Scenario::Inbox, true, true).is_err_and(|text| text.contains("temporary instance"))
        );
    }
}
