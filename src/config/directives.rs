//! The table of directives. Help, `adapt`, hints and the README's table follow from it.
//!
//! A new directive is one entry here, a field in [`Config`], and a field in [`Wanted`].

use std::time::Duration;

use super::address;
use super::complaint::Fault;
use super::database;
use super::draft::Word;
use super::line::Line;
use super::mail;
use super::media;
use super::node;
use super::rate;
use super::settings::{
    AuthorizedFetch, Challenge, Config, Federation, LogFormat, LogLevel, Registration, Terms, Tls,
    everywhere, loopback,
};
use super::value::{self, HostOrNetwork, OFF};
use super::wanted::{Wanted, WantedTls};

/// The directory of the certificate authority that is asked unless another is named.
pub(crate) const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// One directive, described.
pub(crate) struct Directive {
    /// Its name, in both spellings.
    pub(crate) name: &'static str,
    /// What it takes: capitals stand for a value, `…` for several.
    pub(crate) values: &'static str,
    /// A value that is right.
    pub(crate) example: &'static str,
    /// What holds without it.
    pub(crate) default: Default,
    /// What it does, in a sentence or two.
    pub(crate) doc: &'static str,
    /// What people may call it who come from elsewhere.
    pub(crate) aliases: &'static [&'static str],
    /// Reads and checks its values.
    pub(crate) read: fn(&mut Line<'_>, &mut Wanted),
    /// Its values in an effective config.
    pub(crate) show: fn(&Config) -> Shown,
}

/// What holds without a directive.
pub(crate) enum Default {
    /// These values, as if the file had them.
    Value(&'static str),
    /// Something that depends on the rest, in words.
    Derived(&'static str),
}

/// Values of an effective config.
pub(crate) enum Shown {
    /// The directive does not apply.
    Nothing,
    /// One text.
    Text(String),
    /// One number.
    Number(u64),
    /// Any number of texts; `off` when there are none.
    List(Vec<String>),
}

impl Shown {
    fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> Shown {
        Shown::List(items.into_iter().map(|item| item.to_string()).collect())
    }

    fn maybe(text: Option<impl ToString>) -> Shown {
        text.map_or(Shown::Nothing, |text| Shown::Text(text.to_string()))
    }

    pub(super) fn path(path: &std::path::Path) -> Shown {
        Shown::Text(path.display().to_string())
    }
}

impl Directive {
    /// A line that is right, in backticks.
    pub(crate) fn example_line(&self, is_toml: bool) -> String {
        let Directive { name, example, .. } = self;
        match (is_toml, *name) {
            (false, "address") => format!("`{example}`"),
            (false, _) => format!("`{name} {example}`"),
            (true, _) if example.starts_with('"') || example.bytes().all(|b| b.is_ascii_digit()) => {
                format!("`{name} = {example}`")
            }
            (true, _) => format!("`{name} = \"{example}\"`"),
        }
    }

    /// Whether its value is free text, which may need quotes.
    pub(crate) fn is_text(&self) -> bool {
        self.values == "TEXT"
    }
}

/// The directive of this name.
pub(crate) fn find(name: &str) -> Option<&'static Directive> {
    DIRECTIVES.iter().find(|directive| directive.name == name)
}

/// The directive whose name or alias is meant, if `name` is near one.
pub(crate) fn guess(name: &str) -> Option<&'static Directive> {
    let lower = name.trim_end_matches([':', '=']).to_lowercase().replace('-', "_");
    let named = DIRECTIVES.iter().find(|d| d.name == lower || d.aliases.contains(&lower.as_str()));
    let near = || super::complaint::nearest(&lower, DIRECTIVES.iter().map(|d| d.name)).and_then(find);
    named.or_else(near)
}

const REGISTRATION: [(&str, Registration); 4] = [
    ("open", Registration::Open),
    ("approval", Registration::Approval),
    ("invite", Registration::Invite),
    ("closed", Registration::Closed),
];
const CHALLENGE: [(&str, Challenge); 2] = [("tls-alpn", Challenge::TlsAlpn), ("http", Challenge::Http)];
const LOG: [(&str, LogFormat); 2] = [("text", LogFormat::Text), ("json", LogFormat::Json)];
const LOG_LEVEL: [(&str, LogLevel); 5] = [
    ("error", LogLevel::Error),
    ("warn", LogLevel::Warn),
    ("info", LogLevel::Info),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Trace),
];
const AUTHORIZED_FETCH: [(&str, AuthorizedFetch); 3] =
    [("off", AuthorizedFetch::Off), ("public", AuthorizedFetch::Public), ("strict", AuthorizedFetch::Strict)];
const FEDERATION: [(&str, Federation); 2] =
    [("open", Federation::Open), ("allowlist", Federation::AllowList)];

const TITLE_MAX_CHARACTERS: usize = 80;
const DESCRIPTION_MAX_CHARACTERS: usize = 5000;
const LONG_TEXT_MAX_CHARACTERS: usize = 100_000;
const RULE_MAX_CHARACTERS: usize = 300;
const CACHE_MIN_BYTES: u64 = 1 << 20;
const CACHE_MAX_BYTES: u64 = 1 << 40;
const MEDIA_CACHE_MIN_BYTES: u64 = 1 << 20;
const HOUR: Duration = Duration::from_secs(3600);
const TEN_YEARS: Duration = Duration::from_secs(3650 * 24 * 3600);
const SLOTS_MAX: u64 = 4096;
const SECOND: Duration = Duration::from_secs(1);
/// A slower server is a failing one: the queue ends every attempt by then.
const DELIVERY_MAX: Duration = Duration::from_secs(15);
const FIVE_MINUTES: Duration = Duration::from_secs(300);

/// Every directive, in the order in which `adapt` prints them.
pub(crate) static DIRECTIVES: &[Directive] = &[
    Directive {
        name: "address",
        values: "ADDRESS",
        example: "social.example",
        default: Default::Derived("`https://localhost` without a file"),
        doc: "What this server is called; the first line of the file, without the word `address`. \
              `http://…` serves plain HTTP behind another program that ends TLS.",
        aliases: &["domain", "host", "hostname", "server_name", "local_domain", "web_domain", "site"],
        read: |line, wanted| {
            wanted.address = line.one(|word| value::text(word, 300).and_then(|t| address::parse(&t)))
        },
        show: |config| Shown::Text(config.address.to_string()),
    },
    Directive {
        name: "public_url",
        values: "URL",
        example: "https://social.example",
        default: Default::Derived("the address, with `https` for a public name"),
        doc: "How others reach this server, when that differs from the address: behind a proxy, or through a forwarded port.",
        aliases: &["url", "base_url", "origin", "external_url"],
        read: |line, wanted| {
            wanted.public_url =
                line.one(|word| value::text(word, 300).and_then(|t| address::parse_public_url(&t)));
        },
        show: |config| Shown::Text(config.public_url.to_string()),
    },
    Directive {
        name: "email",
        values: "ADDRESS",
        example: "you@example.com",
        default: Default::Derived("none"),
        doc: "The operator's mail address: the certificate authority warns there, and the about page shows it.",
        aliases: &["contact", "contact_email", "admin_email"],
        read: |line, wanted| wanted.email = line.one(value::email),
        show: |config| Shown::maybe(config.email.as_ref()),
    },
    Directive {
        name: "mail",
        values: "smtp://USER:PASSWORD@HOST:PORT",
        example: "smtp://waxwing:secret@mail.example:587",
        default: Default::Derived("no mail is sent"),
        doc: "The mail server that takes mails to people here: to confirm an address, to choose a new password, \
              to hear of reports and of those who would like to join. `smtp://` insists on STARTTLS but to this \
              machine, `smtps://` is TLS from the start.",
        aliases: &["smtp", "smtp_server", "mail_server", "smtp_url"],
        read: |line, wanted| wanted.mail = line.one(mail::read),
        show: |config| Shown::maybe(config.mail.as_ref().map(|mail| &mail.written)),
    },
    Directive {
        name: "mail_from",
        values: "ADDRESS",
        example: "no-reply@social.example",
        default: Default::Derived("`no-reply` at the host's name"),
        doc: "The sender of these mails.",
        aliases: &["smtp_from", "smtp_from_address", "from_address", "mail_sender"],
        read: |line, wanted| wanted.mail_from = line.one(value::sender),
        show: |config| config.mail.as_ref().map_or(Shown::Nothing, |_| Shown::Text(config.mail_from.clone())),
    },
    Directive {
        name: "data",
        values: "DIR",
        example: "/var/lib/waxwing",
        default: Default::Derived("`waxwing` in the platform's data folder"),
        doc: "The folder of everything Waxwing writes. Relative to this file.",
        aliases: &["data_dir", "data_folder", "datadir", "storage", "root"],
        read: |line, wanted| wanted.data = line.one(value::path),
        show: |config| Shown::path(&config.data),
    },
    Directive {
        name: "store",
        values: "FILE|postgres://…|memory",
        example: "waxwing.redb",
        default: Default::Value("waxwing.redb"),
        doc: "Where records are kept: a file, relative to the data folder; a PostgreSQL database (13 or later), as \
              `postgres://USER:PASSWORD@HOST:PORT/NAME?sslmode=verify-full` (`sslmode` is `prefer` if not given, \
              `sslrootcert=FILE` names the authority of its certificate); or `memory`, which forgets everything \
              at the end.",
        aliases: &["database", "db", "database_url", "redb", "postgres", "postgresql"],
        read: |line, wanted| wanted.store = line.one(database::read),
        show: |config| database::show(&config.store),
    },
    Directive {
        name: "store_cache",
        values: "SIZE",
        example: "64MiB",
        default: Default::Value("64MiB"),
        doc: "Memory the database may fill with what was read lately.",
        aliases: &["cache", "cache_size"],
        read: |line, wanted| {
            let read = |word: &Word| value::size(word, CACHE_MIN_BYTES..=CACHE_MAX_BYTES);
            wanted.store_cache_bytes = line.one(read).unwrap_or_default();
        },
        show: |config| Shown::Text(value::show_size(config.store_cache_bytes)),
    },
    Directive {
        name: "node_listen",
        values: "ADDR:PORT…",
        example: ":7443",
        default: Default::Derived("`:7443`, or any free port where that one is taken"),
        doc: "With `store postgres://…`: where other nodes on the same database reach this one.",
        aliases: &["cluster_listen", "peer_listen", "node_port"],
        read: |line, wanted| wanted.node_listen = line.many(value::listen).map(|all| all.concat()),
        show: |config| match node::is_shared(&config.store) && !config.node.may_move {
            true => Shown::list(&config.node.listen),
            false => Shown::Nothing,
        },
    },
    Directive {
        name: "node_address",
        values: "HOST:PORT",
        example: "10.0.0.2:7443",
        default: Default::Derived("the machine's own address, and the port of `node_listen`"),
        doc: "With `store postgres://…`: what this node tells the others about where it is.",
        aliases: &["cluster_address", "advertise", "advertise_address"],
        read: |line, wanted| wanted.node_address = line.one(node::address),
        show: |config| match node::is_shared(&config.store) {
            true => Shown::maybe(config.node.address.as_ref()),
            false => Shown::Nothing,
        },
    },
    Directive {
        name: "peers",
        values: "HOST:PORT…",
        example: "10.0.0.2:7443 10.0.0.3:7443",
        default: Default::Derived("the nodes find each other in the database"),
        doc: "With `store postgres://…`: the nodes that requests are passed on to, by hand.",
        aliases: &["nodes", "cluster", "seeds"],
        read: |line, wanted| wanted.peers = line.many(node::address).unwrap_or_default(),
        show: |config| match node::is_shared(&config.store) && !config.node.peers.is_empty() {
            true => Shown::list(&config.node.peers),
            false => Shown::Nothing,
        },
    },
    Directive {
        name: "balance",
        values: "POLICY",
        example: "p2c",
        default: Default::Derived("`p2c`"),
        doc: "With `store postgres://…`: how the node that answers a request is chosen. `p2c` compares two by \
              chance by latency, queue, errors, age and their own word; the others are `netflix`, `round_robin`, \
              `weighted_round_robin`, `least_connections`, `weighted_least_connections`, `ip_hash`, `url_hash`, \
              `least_response_time`, `sticky_cookie`, `join_shortest_queue`, `random` and `p2c_in_flight`.",
        aliases: &["lb_policy", "load_balancing", "balancer", "lb", "policy"],
        read: |line, wanted| wanted.balance = line.one(node::balance),
        show: |config| match node::is_shared(&config.store) && config.node.balance != node::BALANCE[0] {
            true => Shown::Text(config.node.balance.to_owned()),
            false => Shown::Nothing,
        },
    },
    Directive {
        name: "media",
        values: "DIR|memory|s3://BUCKET…",
        example: "/srv/waxwing-media",
        default: Default::Derived("`media` in the data folder"),
        doc: "Where uploaded and cached files are kept: a folder, relative to the data folder; an S3 bucket, as \
              `s3://BUCKET/PREFIX?endpoint=URL&region=NAME&access_key=ID&secret_key=SECRET`; or `memory`, which \
              forgets everything at the end.",
        aliases: &["uploads", "media_dir", "media_path", "s3", "s3_bucket", "storage_path"],
        read: |line, wanted| wanted.media = line.one(media::read),
        show: |config| media::show(&config.media),
    },
    Directive {
        name: "media_cache",
        values: "SIZE",
        example: "10GiB",
        default: Default::Value("2GiB"),
        doc: "Room for pictures, films and sounds of other servers, which are read through this one. Those that \
              nobody asked for longest go first.",
        aliases: &["remote_media_cache", "media_cache_size"],
        read: |line, wanted| {
            let read = |word: &Word| value::size(word, MEDIA_CACHE_MIN_BYTES..=CACHE_MAX_BYTES);
            wanted.media_cache_bytes = line.one(read).unwrap_or_default();
        },
        show: |config| Shown::Text(value::show_size(config.media_cache_bytes)),
    },
    Directive {
        name: "media_cache_age",
        values: "DURATION",
        example: "7d",
        default: Default::Value("30d"),
        doc: "How long such a file is kept that nobody asks for.",
        aliases: &["media_retention", "remote_media_age"],
        read: |line, wanted| {
            let read = |word: &Word| value::duration(word, HOUR..=TEN_YEARS);
            wanted.media_cache_age = line.one(read).unwrap_or_default();
        },
        show: |config| Shown::Text(value::show_duration(config.media_cache_age)),
    },
    Directive {
        name: "title",
        values: "TEXT",
        example: "\"The Hedge\"",
        default: Default::Derived("the host's name"),
        doc: "The name of the place, as pages and apps show it.",
        aliases: &["name", "instance_name", "site_title", "instance_title"],
        read: |line, wanted| wanted.title = line.one(title),
        show: |config| Shown::Text(config.title.clone()),
    },
    Directive {
        name: "description",
        values: "TEXT",
        example: "\"For people who like birds.\"",
        default: Default::Value(""),
        doc: "A sentence or two about the place; backticks hold text of several lines.",
        aliases: &["about", "short_description", "tagline"],
        read: |line, wanted| {
            let read = |word: &Word| value::text(word, DESCRIPTION_MAX_CHARACTERS);
            wanted.description = line.one(read).unwrap_or_default();
        },
        show: |config| Shown::Text(config.description.clone()),
    },
    Directive {
        name: "extended_description",
        values: "TEXT",
        example: "\"We met at the bird feeder.\"",
        default: Default::Derived("the description"),
        doc: "A longer text about the place, for those who want to know more; an empty line begins a paragraph.",
        aliases: &["long_description", "site_extended_description"],
        read: |line, wanted| wanted.extended_description = line.one(long_text),
        show: |config| Shown::maybe(config.extended_description.as_ref()),
    },
    Directive {
        name: "rules",
        values: "TEXT…",
        example: "\"Be kind.\"",
        default: Default::Derived("none"),
        doc: "The rules of the place, one text each, in their order: reports name them by their number.",
        aliases: &["rule", "instance_rules"],
        read: |line, wanted| {
            wanted.rules = line.many(|word| value::text(word, RULE_MAX_CHARACTERS)).unwrap_or_default()
        },
        show: |config| if config.rules.is_empty() { Shown::Nothing } else { Shown::list(&config.rules) },
    },
    Directive {
        name: "privacy_policy",
        values: "TEXT",
        example: "\"We keep what you write, and nothing else.\"",
        default: Default::Derived("none"),
        doc: "What becomes of people's data; an empty line begins a paragraph.",
        aliases: &["privacy"],
        read: |line, wanted| wanted.privacy_policy = line.one(long_text),
        show: |config| Shown::maybe(config.privacy_policy.as_ref()),
    },
    Directive {
        name: "terms_of_service",
        values: "DATE TEXT",
        example: "2026-01-01 \"Use it as you would a friend's garden.\"",
        default: Default::Derived("none"),
        doc: "On which terms the place may be used, and from which day on; an empty line begins a paragraph.",
        aliases: &["terms", "tos"],
        read: terms,
        show: |config| match &config.terms_of_service {
            Some(terms) => Shown::list([&terms.effective_date, &terms.text]),
            None => Shown::Nothing,
        },
    },
    Directive {
        name: "registration",
        values: "open|approval|invite|closed",
        example: "invite",
        default: Default::Value("closed"),
        doc: "Who may sign up once the owner has: everyone, everyone whom an admin lets in, who holds an invite, or nobody.",
        aliases: &["registrations", "signup", "signups", "sign_up"],
        read: |line, wanted| wanted.registration = line.one(|word| value::choice(word, &REGISTRATION)),
        show: |config| Shown::Text(value::name_of(&REGISTRATION, &config.registration).to_owned()),
    },
    Directive {
        name: "tls",
        values: "acme|internal|CERT KEY",
        example: "internal",
        default: Default::Derived(
            "`acme` for a public name, `internal` for a private one, `off` for `http://`",
        ),
        doc: "Where the certificate comes from: an ACME authority, an authority of Waxwing's own, or two PEM files, relative to this file.",
        aliases: &["certificate", "ssl", "cert", "https"],
        read: tls,
        show: |config| match &config.tls {
            Tls::Off => Shown::Text(OFF.to_owned()),
            Tls::Internal => Shown::Text("internal".to_owned()),
            Tls::Acme(_) => Shown::Text("acme".to_owned()),
            Tls::Files { cert, key } => Shown::list([cert.display(), key.display()]),
        },
    },
    Directive {
        name: "acme",
        values: "tls-alpn|http…",
        example: "tls-alpn",
        default: Default::Derived("`tls-alpn`, then `http` where `listen_http` is on"),
        doc: "How the certificate authority sees that the name is yours, best first: on the HTTPS port, or on the HTTP port.",
        aliases: &["challenge", "acme_challenge", "challenges"],
        read: |line, wanted| wanted.acme = line.many(|word| value::choice(word, &CHALLENGE)),
        show: |config| match &config.tls {
            Tls::Acme(acme) => Shown::list(acme.challenges.iter().map(|c| value::name_of(&CHALLENGE, c))),
            _ => Shown::Nothing,
        },
    },
    Directive {
        name: "acme_directory",
        values: "URL",
        example: "https://ca.example/directory",
        default: Default::Derived("Let's Encrypt"),
        doc: "The ACME directory of the certificate authority.",
        aliases: &["acme_ca", "acme_url", "acme_server"],
        read: |line, wanted| wanted.acme_directory = line.one(value::https_url),
        show: |config| match &config.tls {
            Tls::Acme(acme) => Shown::Text(acme.directory.to_string()),
            _ => Shown::Nothing,
        },
    },
    Directive {
        name: "acme_root",
        values: "FILE",
        example: "ca.pem",
        default: Default::Derived("the public authorities"),
        doc: "A PEM file with the authority that vouches for the ACME directory itself. Relative to this file.",
        aliases: &["acme_ca_root"],
        read: |line, wanted| wanted.acme_root = line.one(value::path),
        show: |config| match &config.tls {
            Tls::Acme(acme) => Shown::maybe(acme.root.as_ref().map(|path| path.display())),
            _ => Shown::Nothing,
        },
    },
    Directive {
        name: "listen",
        values: "ADDR:PORT…",
        example: "127.0.0.1:8443",
        default: Default::Derived("the address's port: everywhere, or on loopback for `localhost`"),
        doc: "Where the site is served. `:8443` means every address; port 0 means any free one.",
        aliases: &["bind", "port", "https_port", "bind_address", "listen_https"],
        read: |line, wanted| wanted.listen = line.many(value::listen).map(|all| all.concat()),
        show: |config| Shown::list(&config.listen),
    },
    Directive {
        name: "listen_http",
        values: "ADDR:PORT…|off",
        example: ":80",
        default: Default::Derived("`:80` for a public name on port 443, else `off`"),
        doc: "Where plain HTTP is redirected to HTTPS, and where the certificate authority may ask.",
        aliases: &["http_port", "redirect", "bind_http"],
        read: |line, wanted| {
            wanted.listen_http = list_or_off(line, value::listen).map(|all| all.concat());
        },
        show: |config| Shown::list(&config.listen_http),
    },
    Directive {
        name: "fallback_port",
        values: "PORT|off",
        example: "8443",
        default: Default::Derived("`8443` for `https://localhost`, else `off`"),
        doc: "The port served instead where `listen` is refused.",
        aliases: &[],
        read: |line, wanted| {
            wanted.fallback_port = if line.is_just(OFF) { Some(None) } else { line.one(port).map(Some) };
        },
        show: |config| {
            config.fallback_port.map_or(Shown::Text(OFF.to_owned()), |port| Shown::Number(port.into()))
        },
    },
    Directive {
        name: "trusted_proxies",
        values: "RANGE…|off",
        example: "127.0.0.0/8",
        default: Default::Derived("loopback for `http://`, else `off`"),
        doc: "From whom `X-Forwarded-For` is believed.",
        aliases: &["trusted_proxy", "proxies", "trusted_proxy_ip"],
        read: |line, wanted| wanted.trusted_proxies = list_or_off(line, value::network),
        show: |config| Shown::list(&config.trusted_proxies),
    },
    Directive {
        name: "admin",
        values: "ADDR:PORT|off",
        example: "127.0.0.1:9464",
        default: Default::Value("127.0.0.1:9464"),
        doc: "The loopback listener with `/metrics` (Prometheus) and `/healthz`.",
        aliases: &["metrics", "admin_listen", "prometheus", "health"],
        read: |line, wanted| wanted.admin = if line.is_just(OFF) { None } else { line.one(admin) },
        show: |config| config.admin.map_or(Shown::Text(OFF.to_owned()), |addr| Shown::Text(addr.to_string())),
    },
    Directive {
        name: "log",
        values: "text|json",
        example: "json",
        default: Default::Value("text"),
        doc: "How log lines look: for people, or one JSON object a line.",
        aliases: &["log_format", "logging"],
        read: |line, wanted| wanted.log = line.one(|word| value::choice(word, &LOG)),
        show: |config| Shown::Text(value::name_of(&LOG, &config.log).to_owned()),
    },
    Directive {
        name: "log_level",
        values: "error|warn|info|debug|trace",
        example: "debug",
        default: Default::Value("info"),
        doc: "The least important lines that are logged.",
        aliases: &["loglevel", "verbosity"],
        read: |line, wanted| wanted.log_level = line.one(|word| value::choice(word, &LOG_LEVEL)),
        show: |config| Shown::Text(value::name_of(&LOG_LEVEL, &config.log_level).to_owned()),
    },
    Directive {
        name: "rate_limit",
        values: "off|FACTORx|NAME=COUNT/TIME…",
        example: "2x",
        default: Default::Value("1x"),
        doc: "How often things may be done: a factor for all of Mastodon's limits, or single ones: \
              `user`, `token`, `address` (requests to the API), `media`, `removal`, `sign_up`, `apps`, `login`, \
              `login_name`, `mail` (mails asked for from one address), `mail_to` (to one address).",
        aliases: &["rate_limits", "ratelimit", "throttle", "rate_limiting"],
        read: |line, wanted| wanted.rate_limits = rate::read(line),
        show: |config| Shown::List(rate::show(&config.rate_limits)),
    },
    Directive {
        name: "authorized_fetch",
        values: "off|public|strict",
        example: "strict",
        default: Default::Value("public"),
        doc: "Which federation documents ask for a signed request: none, all but those of public posts, or all.",
        aliases: &["secure_mode", "authorised_fetch", "signed_fetch"],
        read: |line, wanted| {
            wanted.authorized_fetch = line.one(|word| value::choice(word, &AUTHORIZED_FETCH))
        },
        show: |config| Shown::Text(value::name_of(&AUTHORIZED_FETCH, &config.authorized_fetch).to_owned()),
    },
    Directive {
        name: "federation",
        values: "open|allowlist",
        example: "allowlist",
        default: Default::Value("open"),
        doc: "With which servers this one talks: all that are not blocked, or only those that are on the list of welcome ones; then every federation document asks for a signed request.",
        aliases: &["limited_federation", "limited_federation_mode", "allowlist", "whitelist_mode"],
        read: |line, wanted| wanted.federation = line.one(|word| value::choice(word, &FEDERATION)),
        show: |config| Shown::Text(value::name_of(&FEDERATION, &config.federation).to_owned()),
    },
    Directive {
        name: "outbound_allow",
        values: "HOST|RANGE…|off",
        example: "10.0.0.0/8",
        default: Default::Value(OFF),
        doc: "Hosts and address ranges that may be reached although they are private. For private networks and tests only.",
        aliases: &["allow_private", "allowed_private_addresses", "allow_hosts"],
        read: |line, wanted| {
            for one in list_or_off(line, value::host_or_network).unwrap_or_default() {
                match one {
                    HostOrNetwork::Host(host) => wanted.outbound.allow_hosts.push(host),
                    HostOrNetwork::Network(range) => wanted.outbound.allow_ranges.push(range),
                }
            }
        },
        show: |config| {
            let ranges = config.outbound.allow_ranges.iter().map(ToString::to_string);
            Shown::List(config.outbound.allow_hosts.iter().cloned().chain(ranges).collect())
        },
    },
    Directive {
        name: "outbound_root",
        values: "FILE",
        example: "ca.pem",
        default: Default::Derived("the public authorities only"),
        doc: "A PEM file with certificate authorities that other servers may have besides the public ones. Relative to this file.",
        aliases: &["ca", "trusted_roots", "ca_file"],
        read: |line, wanted| wanted.outbound.root = line.one(value::path),
        show: |config| Shown::maybe(config.outbound.root.as_ref().map(|path| path.display())),
    },
    Directive {
        name: "delivery_slots",
        values: "NUMBER",
        example: "256",
        default: Default::Value("256"),
        doc: "Deliveries under way at once, to all servers together.",
        aliases: &["delivery_concurrency", "delivery_workers", "workers"],
        read: |line, wanted| {
            wanted.delivery_slots = line.one(|word| value::number(word, 1..=SLOTS_MAX)).unwrap_or_default();
        },
        show: |config| Shown::Number(config.delivery.slots as u64),
    },
    Directive {
        name: "delivery_timeout",
        values: "DURATION",
        example: "15s",
        default: Default::Value("15s"),
        doc: "The whole time one delivery attempt may take, at most 15 seconds.",
        aliases: &["timeout"],
        read: |line, wanted| {
            let read = |word: &Word| value::duration(word, SECOND..=DELIVERY_MAX);
            wanted.delivery_timeout = line.one(read).unwrap_or_default();
        },
        show: |config| Shown::Text(value::show_duration(config.delivery.timeout)),
    },
    Directive {
        name: "stop_timeout",
        values: "DURATION",
        example: "5s",
        default: Default::Value("5s"),
        doc: "How long open requests and deliveries may take to end when the server is told to stop.",
        aliases: &["grace_period", "shutdown_timeout"],
        read: |line, wanted| {
            let read = |word: &Word| value::duration(word, Duration::ZERO..=FIVE_MINUTES);
            wanted.stop_timeout = line.one(read).unwrap_or_default();
        },
        show: |config| Shown::Text(value::show_duration(config.stop_timeout)),
    },
];

/// A list that may be empty by the word `off`.
fn list_or_off<T>(line: &mut Line<'_>, read: impl Fn(&Word) -> Result<T, Fault>) -> Option<Vec<T>> {
    if line.is_just(OFF) { Some(Vec::new()) } else { line.many(read) }
}

fn long_text(word: &Word) -> Result<String, Fault> {
    value::text(word, LONG_TEXT_MAX_CHARACTERS)
}

fn terms(line: &mut Line<'_>, wanted: &mut Wanted) {
    wanted.terms_of_service = match line.words() {
        [] => line.missing(),
        [word] => line.read(word, |word| {
            let shown = super::complaint::excerpt(&word.text);
            let why = "people are told from when on they hold";
            Err(Fault::new(format!("`{shown}` is alone"), why, "write a date and then the text"))
        }),
        [date, text] => {
            let effective_date = line.read(date, day);
            let text = line.read(text, long_text);
            effective_date.zip(text).map(|(effective_date, text)| Terms { effective_date, text })
        }
        [_, _, third, ..] => line.too_many(third, "a date and a text"),
    };
}

/// A day as `2026-01-01`.
fn day(word: &Word) -> Result<String, Fault> {
    let text = value::text(word, 10)?;
    let at = crate::base::Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
    at.map(|at| at.date()).filter(|date| *date == text).ok_or_else(|| {
        let shown = super::complaint::excerpt(&word.text);
        Fault::new(
            format!("`{shown}` is not a day"),
            "days are written year first",
            "write one like `2026-01-01`",
        )
    })
}

fn title(word: &Word) -> Result<String, Fault> {
    let text = value::text(word, TITLE_MAX_CHARACTERS)?;
    if text.trim().is_empty() || text.contains('\n') {
        let fix = "write one like `\"The Hedge\"`, or leave the line out";
        return Err(Fault::new(
            "the title is empty or has several lines",
            "pages and apps show it as one line",
            fix,
        ));
    }
    Ok(text)
}

fn tls(line: &mut Line<'_>, wanted: &mut Wanted) {
    const WORDS: [(&str, WantedTls); 3] =
        [("acme", WantedTls::Acme), ("internal", WantedTls::Internal), (OFF, WantedTls::Off)];
    wanted.tls = match line.words() {
        [] => line.missing(),
        [word] => {
            let known = WORDS.iter().find(|(name, _)| *name == word.text).map(|(_, tls)| tls.clone());
            known.or_else(|| line.read(word, |word| tls_word(word).and_then(|()| Err(key_missing(word)))))
        }
        [cert, key] => {
            let cert = line.read(cert, value::path);
            let key = line.read(key, value::path);
            cert.zip(key).map(|(cert, key)| WantedTls::Files { cert, key })
        }
        [_, _, third, ..] => line.too_many(third, "a word, or two files"),
    };
}

/// Refuses a word that is probably a mistyped choice and not a file.
fn tls_word(word: &Word) -> Result<(), Fault> {
    if word.text.contains(['.', '/', '\\']) {
        return Ok(());
    }
    value::choice(word, &[("acme", ()), ("internal", ()), (OFF, ())])
}

fn key_missing(word: &Word) -> Fault {
    let shown = super::complaint::excerpt(&word.text);
    let what = format!("`{shown}` has no key beside it");
    Fault::new(what, "a certificate is of use only with its private key", "name the key's file after it")
}

fn port(word: &Word) -> Result<u16, Fault> {
    // Both `8443` and `"8443"` are clear.
    address::parse_port(&word.text).and_then(|port| match port {
        0 => Err(Fault::new(
            "`0` is not a port to fall back to",
            "it must be known beforehand",
            "write `8443` or `off`",
        )),
        port => Ok(port),
    })
}

fn admin(word: &Word) -> Result<std::net::SocketAddr, Fault> {
    let fix = "write `127.0.0.1:9464`, or `off`";
    let all = value::listen(word)?;
    let first = all.first().copied().filter(|addr| addr.ip().is_loopback());
    first.ok_or_else(|| {
        let what = format!("`{}` is not a loopback address", super::complaint::excerpt(&word.text));
        Fault::new(what, "the admin listener asks for no password, so only this machine may reach it", fix)
    })
}

/// Where the site is served by default.
pub(crate) fn default_listen(address: &address::Address) -> Vec<std::net::SocketAddr> {
    let port = address.port_or_default();
    if address.is_loopback() { loopback(port) } else { everywhere(port) }
}
