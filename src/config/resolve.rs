//! From a draft to a [`Config`]: reads each directive by the table, then looks at them together.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;
use url::Url;

use super::address::{Address, Origin, Scheme};
use super::complaint::{Complaint, Complaints, Fault, excerpt};
use super::database;
use super::directives::{self, DIRECTIVES, Default as TableDefault, LETS_ENCRYPT};
use super::draft::{Draft, Entry, Place, Spelling};
use super::environment::Environment;
use super::line::Line;
use super::node;
use super::settings::{Acme, Challenge, Config, Delivery, MediaChoice, Outbound, Tls, everywhere};
use super::wanted::{Wanted, WantedTls};

/// The port for `https://localhost` where 443 is refused.
const LOCAL_FALLBACK_PORT: u16 = 8443;
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;

/// A file's directives, read one by one.
struct Reading {
    wanted: Wanted,
    /// Where each directive was written.
    given: BTreeMap<&'static str, Place>,
    /// Directives that made a complaint; what they mean together with others is not judged.
    broken: BTreeSet<&'static str>,
    complaints: Vec<Complaint>,
}

/// Makes the config, or every complaint. `folder` is where relative paths of the file start.
pub(crate) fn resolve(
    file: &Arc<str>,
    folder: &Path,
    draft: &Draft,
    complaints: Vec<Complaint>,
    environment: &Environment,
) -> Result<Config, Complaints> {
    // After a mistake in the grammar the address may be missing only because it was not understood.
    let readable = complaints.is_empty();
    let mut reading =
        Reading { wanted: Wanted::default(), given: BTreeMap::new(), broken: BTreeSet::new(), complaints };
    reading.read_defaults();
    reading.read_entries(draft);
    if readable {
        reading.look_for_address(file, draft);
    }
    reading.look_for_conflicts();
    if environment.data_dir.is_none() && !reading.given.contains_key("data") {
        let what = "no folder for data is known";
        let why = "the environment names no home folder (`HOME`, or `LOCALAPPDATA` on Windows)";
        let fix = "give one with `--data DIR`, or write `data` and a folder in the config file";
        reading.complaints.push(Fault::new(what, why, fix).at(&Place::whole(file)));
    }
    match Complaints::of(reading.complaints) {
        Some(complaints) => Err(complaints),
        None => Ok(build(reading.wanted, folder, environment)),
    }
}

impl Reading {
    fn read_defaults(&mut self) {
        let place = Place::whole(&Arc::from("default"));
        for directive in DIRECTIVES {
            if let TableDefault::Value(text) = directive.default {
                let entry = Entry::single(directive.name, text, place.clone());
                (directive.read)(
                    &mut Line::new(directive, &entry, false, &mut self.complaints),
                    &mut self.wanted,
                );
            }
        }
    }

    fn read_entries(&mut self, draft: &Draft) {
        for entry in &draft.entries {
            let Some(directive) = directives::find(&entry.name) else {
                self.complaints.push(unknown(entry, draft.is_toml));
                continue;
            };
            if let Some(first) = self.given.get(directive.name) {
                let what = format!("`{}` was there before, at {first}", directive.name);
                let fix = "keep one of the two; several values go on one line";
                self.complaints
                    .push(Fault::new(what, "it is unclear which one counts", fix).at(&entry.place));
                self.broken.insert(directive.name);
                continue;
            }
            self.given.insert(directive.name, entry.place.clone());
            if entry.values.iter().any(|word| word.spelling == Spelling::Broken) {
                self.broken.insert(directive.name);
                continue;
            }
            let before = self.complaints.len();
            let mut line = Line::new(directive, entry, draft.is_toml, &mut self.complaints);
            (directive.read)(&mut line, &mut self.wanted);
            if self.complaints.len() > before {
                self.broken.insert(directive.name);
            }
        }
    }

    fn look_for_address(&mut self, file: &Arc<str>, draft: &Draft) {
        if self.given.contains_key("address") {
            return;
        }
        let what =
            if draft.entries.is_empty() { "the file says nothing" } else { "the site's address is missing" };
        let why = "it must be known what this server is called";
        let fix = match draft.is_toml {
            true => "write `address = \"social.example\"`, or run without a file for `https://localhost`",
            false => {
                "begin with a line such as `social.example`, or run without a file for `https://localhost`"
            }
        };
        self.complaints.push(Fault::new(what, why, fix).at(&Place::whole(file)));
    }

    /// Complains at `blamed`, unless it or one of `names` is in doubt already.
    fn conflict(&mut self, blamed: &str, names: &[&str], fault: Fault) {
        if names.iter().chain([&blamed]).any(|name| self.broken.contains(name)) {
            return;
        }
        // A default can be in the way too; then what collides with it is shown.
        if let Some(place) = [blamed, "listen", "address"].iter().find_map(|name| self.given.get(name)) {
            self.complaints.push(fault.at(place));
        }
    }

    fn look_for_conflicts(&mut self) {
        let Some(address) = self.wanted.address.clone() else { return };
        self.conflicts_of_tls(&address);
        self.conflicts_of_acme(&address);
        self.conflicts_of_listeners(&address);
        for name in node::NAMES {
            if self.given.contains_key(name)
                && let Some(fault) = node::conflict(name, &self.wanted)
            {
                self.conflict(name, &["store"], fault);
            }
        }
    }

    fn conflicts_of_tls(&mut self, address: &Address) {
        let plain = address.scheme == Scheme::Http;
        match &self.wanted.tls {
            Some(WantedTls::Off) if !plain => {
                let fix =
                    format!("write the address as `http://{}`, or remove `tls off`", address.authority());
                let why = format!("`{address}` promises HTTPS");
                self.conflict("tls", &["address"], Fault::new("`tls off` contradicts the address", why, fix));
            }
            Some(WantedTls::Acme | WantedTls::Internal | WantedTls::Files { .. }) if plain => {
                let fix = format!("write the address as `{}`, or remove `tls`", address.authority());
                let why = format!("`{address}` means that another program ends TLS");
                self.conflict("tls", &["address"], Fault::new("`tls` contradicts the address", why, fix));
            }
            _ => {}
        }
    }

    fn conflicts_of_acme(&mut self, address: &Address) {
        let names = ["address", "tls", "acme_directory", "listen", "listen_http"];
        if !matches!(tls_of(&self.wanted, address), WantedTls::Acme) {
            for name in ["acme", "acme_directory", "acme_root"] {
                if self.given.contains_key(name) {
                    let what = format!("`{name}` has no effect");
                    let why = "the certificate of this site does not come from an ACME authority";
                    self.conflict(name, &names, Fault::new(what, why, "remove it, or write `tls acme`"));
                }
            }
            return;
        }
        if address.is_private_name() && directory_of(&self.wanted).as_str() == LETS_ENCRYPT {
            let what = format!("no public authority gives a certificate for `{}`", address.host);
            let why = "it can only vouch for names that the whole world knows";
            let fix = "use `tls internal`, or name a private authority with `acme_directory`";
            self.conflict("tls", &names, Fault::new(what, why, fix));
        }
        let http_only = self.wanted.acme.as_deref() == Some(&[Challenge::Http]);
        if http_only && listen_http_of(&self.wanted, address).is_empty() {
            let why = "the authority asks over plain HTTP, and `listen_http` is off";
            let fix = "use `tls-alpn`, or write `listen_http :80`";
            self.conflict("acme", &names, Fault::new("the `http` challenge cannot work", why, fix));
        }
    }

    fn conflicts_of_listeners(&mut self, address: &Address) {
        let names = ["address", "listen", "listen_http", "admin"];
        let listen_http = listen_http_of(&self.wanted, address);
        if address.scheme == Scheme::Http && !listen_http.is_empty() {
            let why = format!("it redirects to HTTPS, and `{address}` is served as plain HTTP");
            let fault = Fault::new("`listen_http` has no effect", why, "remove it, or use `listen`");
            return self.conflict("listen_http", &names, fault);
        }
        let listen = listen_of(&self.wanted, address);
        let admin: Vec<SocketAddr> = self.wanted.admin.into_iter().collect();
        for (blamed, mine, others) in [
            ("listen_http", &listen_http, &listen),
            ("admin", &admin, &listen),
            ("admin", &admin, &listen_http),
        ] {
            if let Some(taken) = mine.iter().find(|addr| addr.port() != 0 && others.contains(addr)) {
                let what = format!("`{taken}` of `{blamed}` is taken twice");
                let why = "two listeners cannot share an address and a port";
                self.conflict(blamed, &names, Fault::new(what, why, "give one of them another port"));
            }
        }
    }
}

fn unknown(entry: &Entry, is_toml: bool) -> Complaint {
    let what = format!("`{}` is not a directive", excerpt(&entry.name));
    let is_table = entry.values.iter().any(|word| matches!(word.spelling, Spelling::Other("table")));
    let fix = match directives::guess(&entry.name) {
        _ if is_toml && is_table => {
            "settings are not in groups: write each as a key of its own, such as `log_level`".to_owned()
        }
        Some(known) => format!("did you mean `{}`?", known.name),
        None => "`waxwing directives` lists them all".to_owned(),
    };
    Fault::new(what, "Waxwing would not know what to do with it", fix).at(&entry.place)
}

fn tls_of(wanted: &Wanted, address: &Address) -> WantedTls {
    let default = || match address.scheme {
        Scheme::Http => WantedTls::Off,
        Scheme::Https if address.is_private_name() => WantedTls::Internal,
        Scheme::Https => WantedTls::Acme,
    };
    wanted.tls.clone().unwrap_or_else(default)
}

fn directory_of(wanted: &Wanted) -> Url {
    let default = || Url::parse(LETS_ENCRYPT).expect("the constant is a URL");
    wanted.acme_directory.clone().unwrap_or_else(default)
}

fn listen_of(wanted: &Wanted, address: &Address) -> Vec<SocketAddr> {
    wanted.listen.clone().unwrap_or_else(|| directives::default_listen(address))
}

fn listen_http_of(wanted: &Wanted, address: &Address) -> Vec<SocketAddr> {
    let usual = address.scheme == Scheme::Https
        && !address.is_private_name()
        && address.port_or_default() == HTTPS_PORT
        && wanted.listen.is_none();
    let default = || if usual { everywhere(HTTP_PORT) } else { Vec::new() };
    wanted.listen_http.clone().unwrap_or_else(default)
}

/// What others see, when nobody said.
fn public_url_of(wanted: &Wanted, address: &Address, listen: &[SocketAddr]) -> Origin {
    if let Some(url) = &wanted.public_url {
        return url.clone();
    }
    match (address.scheme, listen) {
        // Whoever ends TLS for a public name does so where the world expects it.
        (Scheme::Http, _) if !address.is_private_name() => {
            Origin { scheme: Scheme::Https, host: address.host.clone(), port: None }
        }
        // Nobody forwards a port to `localhost`, so what is listened on is what is seen.
        (_, [first, rest @ ..])
            if address.is_loopback()
                && address.port.is_none()
                && rest.iter().all(|a| a.port() == first.port()) =>
        {
            address.with_port(first.port())
        }
        _ => address.clone(),
    }
}

fn fallback_port_of(wanted: &Wanted, address: &Address) -> Option<u16> {
    let usual = address.scheme == Scheme::Https
        && address.is_loopback()
        && address.port.is_none()
        && wanted.listen.is_none()
        && wanted.public_url.is_none();
    wanted.fallback_port.unwrap_or_else(|| usual.then_some(LOCAL_FALLBACK_PORT))
}

fn trusted_proxies_of(wanted: &Wanted, address: &Address) -> Vec<IpNet> {
    let loopback =
        || ["127.0.0.0/8", "::1/128"].map(|range| range.parse().expect("the constant is a range")).to_vec();
    let default = || if address.scheme == Scheme::Http { loopback() } else { Vec::new() };
    wanted.trusted_proxies.clone().unwrap_or_else(default)
}

/// Puts everything together. Called only when there were no complaints.
fn build(wanted: Wanted, folder: &Path, environment: &Environment) -> Config {
    const IN_TABLE: &str = "the table of directives has a default that reads, as its test shows";
    let address = wanted.address.clone().expect("a missing or wrong address was complained about");
    let data = match (&wanted.data, &environment.data_dir) {
        (Some(data), _) => folder.join(data),
        (None, known) => known.clone().expect("an unknown data folder was complained about"),
    };
    let listen = listen_of(&wanted, &address);
    let listen_http = listen_http_of(&wanted, &address);
    Config {
        public_url: public_url_of(&wanted, &address, &listen),
        title: wanted.title.clone().unwrap_or_else(|| address.host.clone()),
        store: database::resolve(wanted.store.as_ref().expect(IN_TABLE), &data),
        node: node::settings(&wanted),
        media: match wanted.media.as_ref() {
            None => MediaChoice::Folder(data.join("media")),
            Some(MediaChoice::Folder(folder)) => MediaChoice::Folder(data.join(folder)),
            Some(other) => other.clone(),
        },
        mail_from: wanted.mail_from.clone().unwrap_or_else(|| format!("no-reply@{}", address.host)),
        data,
        tls: build_tls(&wanted, &address, folder, &listen_http),
        fallback_port: fallback_port_of(&wanted, &address),
        trusted_proxies: trusted_proxies_of(&wanted, &address),
        outbound: Outbound {
            root: wanted.outbound.root.as_ref().map(|path| folder.join(path)),
            ..wanted.outbound
        },
        delivery: Delivery {
            slots: usize::try_from(wanted.delivery_slots).unwrap_or(usize::MAX),
            timeout: wanted.delivery_timeout,
        },
        email: wanted.email,
        mail: wanted.mail,
        description: wanted.description,
        extended_description: wanted.extended_description,
        rules: wanted.rules,
        privacy_policy: wanted.privacy_policy,
        terms_of_service: wanted.terms_of_service,
        registration: wanted.registration.expect(IN_TABLE),
        store_cache_bytes: wanted.store_cache_bytes,
        media_cache_bytes: wanted.media_cache_bytes,
        media_cache_age: wanted.media_cache_age,
        admin: wanted.admin,
        log: wanted.log.expect(IN_TABLE),
        log_level: wanted.log_level.expect(IN_TABLE),
        authorized_fetch: wanted.authorized_fetch.expect(IN_TABLE),
        federation: wanted.federation.expect(IN_TABLE),
        rate_limits: wanted.rate_limits.expect(IN_TABLE),
        stop_timeout: wanted.stop_timeout,
        is_sandbox: false,
        address,
        listen,
        listen_http,
    }
}

fn build_tls(wanted: &Wanted, address: &Address, folder: &Path, listen_http: &[SocketAddr]) -> Tls {
    let challenges = || match listen_http {
        [] => vec![Challenge::TlsAlpn],
        _ => vec![Challenge::TlsAlpn, Challenge::Http],
    };
    match tls_of(wanted, address) {
        WantedTls::Off => Tls::Off,
        WantedTls::Internal => Tls::Internal,
        WantedTls::Files { cert, key } => Tls::Files { cert: folder.join(cert), key: folder.join(key) },
        WantedTls::Acme => Tls::Acme(Acme {
            directory: directory_of(wanted),
            root: wanted.acme_root.as_ref().map(|path| folder.join(path)),
            challenges: wanted.acme.clone().unwrap_or_else(challenges),
        }),
    }
}
