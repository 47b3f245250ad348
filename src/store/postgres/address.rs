//! What the address of a database says: where it is, who we are there, and
//! how the way to it is kept secret.

use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::tls::{Certificates, Check, Connector};
use crate::store::StoreError;

/// Longest wait for one server, from dialling to a usable connection, unless
/// the address says otherwise.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// After so much silence the system asks whether the other end is still there.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(30);

/// A database and the ways to it.
pub(super) struct Target {
    /// Where it may be, in the order in which it is named.
    pub(super) hosts: Vec<Way>,
    pub(super) user: String,
    pub(super) tls: Connector,
    /// How long each of them may take at first.
    pub(super) wait: Duration,
    /// Where it is, for people; never the password.
    pub(super) shown: String,
}

/// The way to one of several hosts. The driver would take one after the other
/// itself, but always from the first on, and with no limit but for the dialling
/// of each: one that takes connections and says nothing would hide the others.
pub(super) struct Way {
    config: Config,
    pub(super) port: u16,
    /// As [`Target::shown`].
    pub(super) shown: String,
}

/// One server: which of the hosts, and which of that one's addresses, if it is
/// dialled by an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: usize,
    pub(super) address: Option<IpAddr>,
}

impl Way {
    /// The name whose addresses are to be looked up.
    pub(super) fn name(&self) -> Option<&str> {
        match self.config.get_hosts() {
            [Host::Tcp(name)] if self.config.get_hostaddrs().is_empty() => Some(name),
            _ => None,
        }
    }

    /// What the driver is told.
    pub(super) fn config(&self, address: Option<IpAddr>) -> Config {
        let mut config = self.config.clone();
        if let Some(address) = address
            && config.get_hostaddrs().is_empty()
        {
            config.hostaddr(address);
        }
        config
    }
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
        // One that only reads is of no use, so whoever names none of these means it.
        if config.get_target_session_attrs() == TargetSessionAttrs::Any {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let hosts = ways(&config)?;
        Ok(Target {
            user: config.get_user().unwrap_or("this user").to_owned(),
            tls: Connector::new(check, &ours.certificates)?,
            wait: config.get_connect_timeout().copied().unwrap_or(CONNECT_WAIT),
            shown: shown(&hosts, &config),
            hosts,
        })
    }
}

/// Each host by itself.
fn ways(config: &Config) -> Result<Vec<Way>, StoreError> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    if [hosts.len(), addresses.len()].iter().any(|some| *some != 0 && *some != count) {
        return Err(wrong("it has another number of `host` than of `hostaddr`", "name both for each server"));
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(wrong(
            "it has another number of ports than of hosts",
            "name one for each, or one for all",
        ));
    }
    let way = |n: usize| {
        let port = ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        let mut alone = without_place(config);
        alone.port(port);
        let shown = match (hosts.get(n), addresses.get(n)) {
            (Some(Host::Tcp(name)), _) => format!("{name}:{port}"),
            #[cfg(unix)]
            (Some(Host::Unix(folder)), _) => format!("{}:{port}", folder.display()),
            (None, Some(address)) => format!("{address}:{port}"),
            (None, None) => String::new(),
        };
        match hosts.get(n) {
            Some(Host::Tcp(name)) => drop(alone.host(name)),
            #[cfg(unix)]
            Some(Host::Unix(folder)) => drop(alone.host_path(folder)),
            None => {}
        }
        if let Some(address) = addresses.get(n) {
            alone.hostaddr(*address);
        }
        Way { config: alone, port, shown: format!("{shown}/{}", name(config)) }
    };
    Ok((0..count).map(way).collect())
}

/// Everything but where it is.
fn without_place(config: &Config) -> Config {
    let mut alone = Config::new();
    config.get_user().map(|user| alone.user(user));
    config.get_password().map(|password| alone.password(password));
    config.get_dbname().map(|name| alone.dbname(name));
    config.get_options().map(|options| alone.options(options));
    config.get_application_name().map(|name| alone.application_name(name));
    config.get_connect_timeout().map(|span| alone.connect_timeout(*span));
    config.get_tcp_user_timeout().map(|span| alone.tcp_user_timeout(*span));
    config.get_keepalives_interval().map(|span| alone.keepalives_interval(span));
    config.get_keepalives_retries().map(|times| alone.keepalives_retries(times));
    alone
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs());
    alone
}

fn name(config: &Config) -> &str {
    config.get_dbname().or(config.get_user()).unwrap_or_default()
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
    let (mut ours, mut rest) = (Ours::default(), Vec::<String>::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, raw) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_decode_str(raw)
            .decode_utf8()
            .map_err(|_| wrong(&format!("`{name}` is not text"), "write it in percent-encoded UTF-8"))?;
        match name {
            "sslmode" => ours.mode = Some(value.into_owned()),
            "sslrootcert" => ours.certificates.roots = Some(PathBuf::from(&*value)),
            "sslcert" => ours.certificates.own = Some(PathBuf::from(&*value)),
            "sslkey" => ours.certificates.key = Some(PathBuf::from(&*value)),
            // Several, as libpq reads them; the driver takes one at a time here.
            "host" => rest.extend(raw.split(',').map(|host| format!("host={host}"))),
            _ => rest.push(pair.to_owned()),
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

fn shown(hosts: &[Way], config: &Config) -> String {
    let end = format!("/{}", name(config));
    let places: Vec<&str> = hosts.iter().map(|way| way.shown.trim_end_matches(&*end)).collect();
    format!("{}{end}", places.join(","))
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
            ("postgres:///birds?host=/run/a,b&port=1,2&user=ana", "/run/a:1,b:2/birds"),
        ] {
            let target = Target::parse(url).unwrap_or_else(|e| panic!("{url}: {e}"));
            assert_eq!(target.shown, expected);
        }
    }

    #[test]
    fn each_host_is_dialled_by_itself_and_with_everything_else_that_was_said() {
        let url = "postgres://ana:secret@a:1,b:2/birds?connect_timeout=3&keepalives_idle=7\
                   &channel_binding=require&options=-csearch_path%3Dx&hostaddr=192.0.2.1,192.0.2.2";
        let target = Target::parse(url).unwrap();
        assert_eq!(target.wait, Duration::from_secs(3));
        let whole = Config::from_str(url).unwrap();
        for (n, way) in target.hosts.iter().enumerate() {
            let mut expected = without_place(&whole);
            expected.application_name("waxwing").keepalives_idle(KEEPALIVE_AFTER);
            expected.target_session_attrs(TargetSessionAttrs::ReadWrite);
            expected.host(["a", "b"][n]).port([1, 2][n]).hostaddr(whole.get_hostaddrs()[n]);
            assert_eq!(way.config, expected);
            assert_eq!(way.config(Some(IpAddr::from([192, 0, 2, 9]))), expected, "what is said holds");
            assert_eq!(way.name(), None);
        }
        // Nothing is forgotten: alone, a host is dialled as the driver would.
        let url = "postgres://ana:secret@db:5433/birds?connect_timeout=3&keepalives=0&keepalives_interval=4\
                   &keepalives_retries=5&tcp_user_timeout=6&channel_binding=disable&options=-cx%3Dy\
                   &application_name=z&sslnegotiation=direct&target_session_attrs=read-only";
        let (target, whole) = (
            Target::parse(&format!("{url}&sslmode=require")).unwrap(),
            url.replace("z&", "z&sslmode=require&"),
        );
        let mut whole = Config::from_str(&whole).unwrap();
        assert_eq!(target.hosts[0].config, *whole.keepalives_idle(KEEPALIVE_AFTER));
        assert_eq!(target.hosts[0].name(), Some("db"));
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
            assert_eq!(target.hosts[0].config.get_ssl_mode(), expected, "{query}");
        }
        let socket = Target::parse("postgres:///birds?host=/run/postgresql&sslmode=require").unwrap();
        assert_eq!(socket.hosts[0].config.get_ssl_mode(), SslMode::Disable);
    }

    #[test]
    fn mistakes_are_named_and_secrets_are_not() {
        for (url, says) in [
            ("postgres://ana:secret@db/birds?sslmode=maybe", "there is no sslmode `maybe`"),
            ("postgres://ana:secret@db/birds?colour=red", "unknown option `colour`"),
            ("postgres:///birds", "names no host"),
            ("postgres://ana:secret@db:99999/birds", "port"),
            ("postgres://ana:secret@a,b,c/birds?hostaddr=192.0.2.1", "another number of `host`"),
            ("postgres://ana:secret@db/birds?sslmode=verify-full&sslrootcert=/nowhere.pem", "/nowhere.pem"),
        ] {
            let Err(error) = Target::parse(url) else { panic!("{url} was taken") };
            let error = error.to_string();
            assert!(error.contains(says), "{url}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
