//! The kinds of value a directive can have: each reads one word, or says why not.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use super::address;
use super::complaint::{Fault, excerpt, nearest};
use super::draft::{Place, Spelling, Word};
use super::settings::{everywhere, loopback};

/// The word that turns a thing off.
pub(crate) const OFF: &str = "off";

/// Free text of at most this many characters.
pub(crate) fn text(word: &Word, characters_max: usize) -> Result<String, Fault> {
    written_as_text(word)?;
    let long = word.text.chars().count();
    if long > characters_max {
        let what = format!("the text has {long} characters");
        return Err(Fault::new(what, format!("there is room for {characters_max}"), "make it shorter"));
    }
    let stray = |c: &char| c.is_control() && *c != '\n';
    if let Some(c) = word.text.chars().find(stray) {
        let what = format!("the text has a control character, U+{:04X}", u32::from(c));
        return Err(Fault::new(what, "it cannot be seen, so nobody can mean it", "type the text anew"));
    }
    Ok(word.text.clone())
}

/// One of a few words.
pub(crate) fn choice<T: Copy>(word: &Word, choices: &[(&str, T)]) -> Result<T, Fault> {
    written_as_text(word)?;
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word.text) {
        return Ok(*value);
    }
    let names = choices.iter().map(|(name, _)| *name);
    let all = names.clone().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let fix = match nearest(&word.text, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {all}"),
    };
    Err(Fault::new(
        format!("`{}` is not a choice here", excerpt(&word.text)),
        format!("the choices are {all}"),
        fix,
    ))
}

/// The word of a choice.
pub(crate) fn name_of<T: PartialEq>(choices: &[(&'static str, T)], value: &T) -> &'static str {
    let found = choices.iter().find(|(_, one)| one == value);
    found.expect("a value of a choice comes from the same list of choices").0
}

/// A whole number.
pub(crate) fn number(word: &Word, range: RangeInclusive<u64>) -> Result<u64, Fault> {
    let (low, high) = (range.start(), range.end());
    let why = format!("this is a whole number from {low} to {high}");
    let fix = "write it in digits, without a unit";
    let shown = excerpt(&word.text);
    match word.spelling {
        Spelling::Text => {
            return Err(Fault::new(format!("`{shown}` is text"), why, "write the number without quotes"));
        }
        Spelling::Other(kind) => return Err(Fault::new(format!("`{shown}` is {}", article(kind)), why, fix)),
        Spelling::Bare | Spelling::Integer | Spelling::Broken => {}
    }
    let value = word.text.replace('_', "").parse().ok().filter(|value| range.contains(value));
    value.ok_or_else(|| Fault::new(format!("`{shown}` does not fit"), why, fix))
}

/// A path, not yet made absolute.
pub(crate) fn path(word: &Word) -> Result<PathBuf, Fault> {
    written_as_text(word)?;
    let fix = "write a path such as `/var/lib/waxwing`, or one relative to this file";
    if word.text.is_empty() {
        return Err(Fault::new("the path is empty", "it must name a file or folder", fix));
    }
    if word.text.starts_with('~') {
        let what = format!("`{}` begins with `~`", excerpt(&word.text));
        return Err(Fault::new(what, "only shells know which folder that is", fix));
    }
    if word.text.contains("://") {
        return Err(Fault::new("that is an address on the web", "a path on this machine is meant", fix));
    }
    if word.text.contains(|c: char| c.is_control()) {
        return Err(Fault::new("the path has a control character", "no such file can be meant", fix));
    }
    Ok(PathBuf::from(&word.text))
}

const TIME_UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A span of time: `10s`, `5m`, `1h30m`.
pub(crate) fn duration(word: &Word, range: RangeInclusive<Duration>) -> Result<Duration, Fault> {
    let fix = "write a number and a unit of `ms`, `s`, `m`, `h`, `d`: `10s`, `5m`, `1h30m`";
    let shown = excerpt(&word.text);
    let value = match word.spelling {
        Spelling::Other(_) => None,
        _ => amount(&word.text, &TIME_UNITS, true).map(Duration::from_millis),
    };
    let Some(value) = value else {
        return Err(Fault::new(
            format!("`{shown}` is not a duration"),
            unit_missing(word, "seconds or minutes"),
            fix,
        ));
    };
    if !range.contains(&value) {
        let why =
            format!("it must be from {} to {}", show_duration(*range.start()), show_duration(*range.end()));
        return Err(Fault::new(format!("`{shown}` is out of range"), why, "choose a duration within"));
    }
    Ok(value)
}

/// The shortest way to write a span of time.
pub(crate) fn show_duration(span: Duration) -> String {
    let ms = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    show_amount(ms, &TIME_UNITS)
}

const SIZE_UNITS: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

/// A number of bytes: `16MiB`, `64KiB`.
pub(crate) fn size(word: &Word, range: RangeInclusive<u64>) -> Result<u64, Fault> {
    let fix = "write a number and a unit of `B`, `KiB`, `MiB`, `GiB`: `16MiB`";
    let shown = excerpt(&word.text);
    let value = match word.spelling {
        Spelling::Other(_) => None,
        _ => amount(&word.text, &SIZE_UNITS, false),
    };
    let Some(value) = value else {
        return Err(Fault::new(
            format!("`{shown}` is not a size"),
            unit_missing(word, "bytes or megabytes"),
            fix,
        ));
    };
    if !range.contains(&value) {
        let why = format!("it must be from {} to {}", show_size(*range.start()), show_size(*range.end()));
        return Err(Fault::new(format!("`{shown}` is out of range"), why, "choose a size within"));
    }
    Ok(value)
}

/// The shortest way to write a number of bytes.
pub(crate) fn show_size(bytes: u64) -> String {
    show_amount(bytes, &SIZE_UNITS)
}

fn unit_missing(word: &Word, which: &str) -> String {
    if !word.text.is_empty() && word.text.bytes().all(|b| b.is_ascii_digit()) {
        format!("without a unit it could be {} {which}", excerpt(&word.text))
    } else {
        "it is a whole number and a unit".to_owned()
    }
}

/// Reads `5m`, or `1h30m` where several may be joined.
fn amount(text: &str, units: &[(&str, u64)], joined: bool) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let letters = after.bytes().take_while(|b| !b.is_ascii_digit()).count();
        let unit = units.iter().find(|(name, _)| name.eq_ignore_ascii_case(&after[..letters]))?.1;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &after[letters..];
        if !joined && !rest.is_empty() {
            return None;
        }
    }
    (!text.is_empty()).then_some(total)
}

fn show_amount(amount: u64, units: &[(&str, u64)]) -> String {
    let whole = units.iter().rev().find(|(_, unit)| amount != 0 && amount.is_multiple_of(*unit));
    let (name, unit) = whole.unwrap_or(&units[0]);
    format!("{}{name}", amount / unit)
}

/// Where to listen: `127.0.0.1:8443`, `[::1]:8443`, `:8443` (every address), `localhost:8443`.
pub(crate) fn listen(word: &Word) -> Result<Vec<SocketAddr>, Fault> {
    written_as_text(word)?;
    let text = word.text.as_str();
    if let Ok(socket) = text.parse::<SocketAddr>() {
        return Ok(vec![socket]);
    }
    let fix = "write `127.0.0.1:8443`, `[::1]:8443`, `localhost:8443`, or `:8443` for every address";
    let shown = excerpt(text);
    if text.parse::<IpAddr>().is_ok() {
        return Err(Fault::new(format!("`{shown}` has no port"), "a listener is an address and a port", fix));
    }
    match text.rsplit_once(':') {
        Some(("", port)) => address::parse_port(port).map(everywhere),
        Some(("localhost", port)) => address::parse_port(port).map(loopback),
        Some((host, port)) if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() => {
            let brackets = "an IPv6 address has colons of its own";
            let lacks = || Fault::new(format!("`{shown}` lacks its brackets"), brackets, fix);
            address::parse_port(port).and_then(|_| Err(lacks()))
        }
        _ => {
            let why = "one listens on an address of this machine, not on a name";
            Err(Fault::new(format!("`{shown}` is not an address to listen on"), why, fix))
        }
    }
}

/// As [`listen`], for a word of the command line.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn listen_addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    let place = Place { file: "--listen".into(), line: 0, column: 0 };
    listen(&Word::bare(text, place)).map_err(|Fault { what, why, fix }| format!("{what}; {why}; {fix}"))
}

/// An address range, or one address: `10.0.0.0/8`, `::1`.
pub(crate) fn network(word: &Word) -> Result<IpNet, Fault> {
    written_as_text(word)?;
    as_network(&word.text).ok_or_else(|| {
        let what = format!("`{}` is not an address range", excerpt(&word.text));
        let why = "a range is an address, a slash, and the number of bits that are fixed";
        Fault::new(what, why, "write one like `10.0.0.0/8`, or a single address like `::1`")
    })
}

/// An address range, or the name of a host.
pub(crate) enum HostOrNetwork {
    Host(String),
    Network(IpNet),
}

/// Reads `peer.test`, `10.0.0.0/8`, `::1`.
pub(crate) fn host_or_network(word: &Word) -> Result<HostOrNetwork, Fault> {
    written_as_text(word)?;
    if let Some(range) = as_network(&word.text) {
        return Ok(HostOrNetwork::Network(range));
    }
    address::canonical_host(&word.text).map(HostOrNetwork::Host).ok_or_else(|| {
        let what = format!("`{}` is neither a host nor an address range", excerpt(&word.text));
        let why = "what may be reached is named by host, without a port, or by range";
        Fault::new(what, why, "write `peer.test` or `10.0.0.0/8`")
    })
}

fn as_network(text: &str) -> Option<IpNet> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().map(|range| range.trunc()).ok().or_else(single)
}

/// An `https` URL.
pub(crate) fn https_url(word: &Word) -> Result<Url, Fault> {
    written_as_text(word)?;
    let url = Url::parse(&word.text).ok().filter(|url| url.scheme() == "https" && url.host().is_some());
    url.ok_or_else(|| {
        let what = format!("`{}` is not an https URL", excerpt(&word.text));
        Fault::new(what, "it is asked over TLS only", "write one like `https://ca.example/directory`")
    })
}

/// A mail address, as far as it can be told without sending to it.
pub(crate) fn email(word: &Word) -> Result<String, Fault> {
    mail_address(word, "the certificate authority writes to it when something is wrong")
}

/// The address that mails come from.
pub(crate) fn sender(word: &Word) -> Result<String, Fault> {
    mail_address(word, "mail servers refuse mails from anything else")
}

fn mail_address(word: &Word, why: &'static str) -> Result<String, Fault> {
    const EMAIL_MAX_BYTES: usize = 254; // RFC 5321 section 4.5.3.1.3
    written_as_text(word)?;
    let text = word.text.as_str();
    let printable =
        |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c.is_control());
    let good = text.len() <= EMAIL_MAX_BYTES
        && text.rsplit_once('@').is_some_and(|(who, host)| {
            printable(who) && !who.contains('@') && printable(host) && address::canonical_host(host).is_some()
        });
    if good {
        return Ok(text.to_owned());
    }
    let what = format!("`{}` is not a mail address", excerpt(text));
    Err(Fault::new(what, why, "write one like `you@example.com`"))
}

/// Refuses what TOML says is something else than text.
fn written_as_text(word: &Word) -> Result<(), Fault> {
    let kind = match word.spelling {
        Spelling::Bare | Spelling::Text | Spelling::Broken => return Ok(()),
        Spelling::Integer => "a number".to_owned(),
        Spelling::Other(kind) => article(kind),
    };
    let what = format!("`{}` is {kind}, not text", excerpt(&word.text));
    Err(Fault::new(what, "this setting is text in TOML", "put the value in double quotes"))
}

fn article(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {kind}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::config::draft::Place;

    fn word(text: &str) -> Word {
        Word { text: text.to_owned(), spelling: Spelling::Bare, place: Place::whole(&Arc::from("test")) }
    }

    #[test]
    fn durations_and_sizes_are_read() {
        let any = Duration::ZERO..=Duration::MAX;
        let ms = |text| duration(&word(text), any.clone()).map(|d| d.as_millis()).ok();
        assert_eq!(ms("10s"), Some(10_000));
        assert_eq!(ms("1h30m"), Some(5_400_000));
        assert_eq!(ms("250ms"), Some(250));
        for bad in ["", "10", "s", "1.5s", "-1s", "10 s", "10x", "99999999999999999999s", "9999999999999999d"]
        {
            assert_eq!(ms(bad), None, "{bad}");
        }
        let bytes = |text| size(&word(text), 0..=u64::MAX).ok();
        assert_eq!(bytes("16MiB"), Some(16 << 20));
        assert_eq!(bytes("1gib"), Some(1 << 30));
        for bad in ["", "16", "16M", "16MB", "1KiB1B", "é"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
    }

    #[test]
    fn listeners_are_read_in_every_form() {
        let read = |text| {
            listen(&word(text)).map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>()).ok()
        };
        assert_eq!(read("127.0.0.1:0"), Some(vec!["127.0.0.1:0".to_owned()]));
        assert_eq!(read(":8443"), Some(vec!["[::]:8443".to_owned()]));
        assert_eq!(read("localhost:1"), Some(vec!["127.0.0.1:1".to_owned(), "[::1]:1".to_owned()]));
        for bad in
            ["8443", "::1", "::1:8443", "127.0.0.1", "social.example:443", ":", ":x", "127.0.0.1:65536", ""]
        {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_shown_reads_back_the_same(amount in 0..=(u64::MAX / 86_400_000)) {
            let any = Duration::ZERO..=Duration::MAX;
            let span = Duration::from_millis(amount);
            prop_assert_eq!(duration(&word(&show_duration(span)), any).ok(), Some(span));
            prop_assert_eq!(size(&word(&show_size(amount)), 0..=u64::MAX).ok(), Some(amount));
        }
    }
}
