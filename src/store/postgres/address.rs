//! What the address of a database says: where it is, who we are there, and
//! how the way to it is kept secret.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::{Certificates, Check, Connector};
use crate::store::StoreError;

/// Longest wait for a server to take a connection, unless the address says
/// otherwise.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// After so much silence the system asks whether the other end is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// A database and the way to it.
pub(super) struct Target {
    pub(super) config: Config,
    pub(super) tls: Connector,
    /// Where it is, for people; never the password.
    pub(super) shown: String,
}

impl Target {
    /// Reads `postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=…`.
    ///
    /// # Errors
    /// What is wrong with the address, or with a file that it names.
    pub(super) fn parse(url: &str) -> Result<Target, StoreError> {
        let (plain, ours) = split(url)?;
        let mut config =
            Config::from_str(&plain).map_err(|error| wrong(&said(&error), "mend the line `store`"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(wrong(
                "it names no host",
                "write `postgres://USER:PASSWORD@HOST/NAME`, or `postgres:///NAME?host=/var/run/postgresql` \
                 for a socket",
            ));
        }
        let check = choose(&mut config, &ours)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_WAIT);
        }
        if config.get_application_name().is_none() {
            config.application_name("waxwing");
        }
        config.keepalives_idle(KEEPALIVE_AFTER);
        let shown = shown(&config);
        Ok(Target { tls: Connector::new(check, &ours.certificates)?, config, shown })
    }
}

/// The settings that are read here, since the driver knows nothing of
/// certificates.
#[derive(Default)]
struct Ours {
    mode: Option<String>,
    certificates: Certificates,
}

/// The address without our settings, and those.
fn split(url: &str) -> Result<(String, Ours), StoreError> {
    let Some((place, query)) = url.split_once('?') else { return Ok((url.to_owned(), Ours::default())) };
    let (mut ours, mut rest) = (Ours::default(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(value)
            .decode_utf8()
            .map_err(|_| wrong(&format!("`{name}` is not text"), "write it in percent-encoded UTF-8"))?;
        match name {
            "sslmode" => ours.mode = Some(value.into_owned()),
            "sslrootcert" => ours.certificates.roots = Some(PathBuf::from(&*value)),
            "sslcert" => ours.certificates.own = Some(PathBuf::from(&*value)),
            "sslkey" => ours.certificates.key = Some(PathBuf::from(&*value)),
            _ => rest.push(pair),
        }
    }
    let plain = if rest.is_empty() { place.to_owned() } else { format!("{place}?{}", rest.join("&")) };
    Ok((plain, ours))
}

/// How the certificate is checked; tells the driver whether to encrypt. The
/// words and their meanings are libpq's, the default too.
fn choose(config: &mut Config, ours: &Ours) -> Result<Check, StoreError> {
    let has_roots = ours.certificates.roots.is_some();
    let (mode, check) = match ours.mode.as_deref() {
        Some("disable") => (SslMode::Disable, Check::Nothing),
        None | Some("prefer" | "allow") => (SslMode::Prefer, Check::Nothing),
        // As in libpq: who names the authority wants it checked.
        Some("require") if has_roots => (SslMode::Require, Check::Authority),
        Some("require") => (SslMode::Require, Check::Nothing),
        Some("verify-ca") => (SslMode::Require, Check::Authority),
        Some("verify-full") => (SslMode::Require, Check::AuthorityAndName),
        Some(other) => {
            let known = "`disable`, `prefer`, `require`, `verify-ca` and `verify-full`";
            return Err(wrong(&format!("there is no sslmode `{other}`"), &format!("there are {known}")));
        }
    };
    // A socket in the file system has no way that others could listen on.
    #[cfg(unix)]
    let mode = if config.get_hosts().iter().all(|h| matches!(h, Host::Unix(_)))
        && config.get_hostaddrs().is_empty()
    {
        SslMode::Disable
    } else {
        mode
    };
    config.ssl_mode(mode);
    Ok(check)
}

fn shown(config: &Config) -> String {
    let port = |n: usize| config.get_ports().get(n).or(config.get_ports().first()).copied().unwrap_or(5432);
    let mut places: Vec<String> = (config.get_hosts().iter().enumerate())
        .map(|(n, host)| match host {
            Host::Tcp(name) => format!("{name}:{}", port(n)),
            #[cfg(unix)]
            Host::Unix(folder) => format!("{}:{}", folder.display(), port(n)),
        })
        .collect();
    if places.is_empty() {
        let addresses = config.get_hostaddrs().iter().enumerate();
        places = addresses.map(|(n, address)| format!("{address}:{}", port(n))).collect();
    }
    let name = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{}/{name}", places.join(","))
}

/// The driver's words with their cause.
fn said(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| cause.to_string())
}

fn wrong(what: &str, fix: &str) -> StoreError {
    StoreError::Database(format!("the address of the database is wrong: {what}; {fix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_without_their_password() {
        for (url, expected) in [
            ("postgres://ana:secret@db.example/birds", "db.example:5432/birds"),
            ("postgresql://ana:secret@db.example:5433", "db.example:5433/ana"),
            ("postgres://ana:s@a:1,b:2/birds?target_session_attrs=read-write", "a:1,b:2/birds"),
            ("postgres:///birds?host=/run/postgresql&user=ana", "/run/postgresql:5432/birds"),
        ] {
            let target = Target::parse(url).unwrap_or_else(|e| panic!("{url}: {e}"));
            assert_eq!(target.shown, expected);
        }
    }

    #[test]
    fn modes_mean_what_they_mean_elsewhere() {
        for (query, expected) in [
            ("", SslMode::Prefer),
            ("?sslmode=disable", SslMode::Disable),
            ("?sslmode=prefer&connect_timeout=3", SslMode::Prefer),
            ("?sslmode=require", SslMode::Require),
            ("?connect_timeout=3&sslmode=verify-full", SslMode::Require),
            ("?host=/run/postgresql&sslmode=disable", SslMode::Disable),
        ] {
            let target = Target::parse(&format!("postgres://ana@db.example/birds{query}")).unwrap();
            assert_eq!(target.config.get_ssl_mode(), expected, "{query}");
        }
        let socket = Target::parse("postgres:///birds?host=/run/postgresql&sslmode=require").unwrap();
        assert_eq!(socket.config.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn mistakes_are_named_and_secrets_are_not() {
        for (url, says) in [
            ("postgres://ana:secret@db/birds?sslmode=maybe", "there is no sslmode `maybe`"),
            ("postgres://ana:secret@db/birds?colour=red", "unknown option `colour`"),
            ("postgres:///birds", "names no host"),
            ("postgres://ana:secret@db:99999/birds", "port"),
            ("postgres://ana:secret@db/birds?sslmode=verify-full&sslrootcert=/nowhere.pem", "/nowhere.pem"),
        ] {
            let Err(error) = Target::parse(url) else { panic!("{url} was taken") };
            let error = error.to_string();
            assert!(error.contains(says), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
