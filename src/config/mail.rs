//! The `mail` directive: the mail server that takes our mails.

use percent_encoding::percent_decode_str;
use url::Url;

use super::complaint::{Fault, excerpt};
use super::draft::Word;
use super::settings::{Mail, MailSecurity};

const FIX: &str = "write `smtp://USER:PASSWORD@mail.example:587`, or `smtps://…` for TLS from the start";
/// Where mail is handed in with STARTTLS (RFC 6409) and with TLS from the start (RFC 8314).
const SUBMISSION_PORT: u16 = 587;
const SUBMISSIONS_PORT: u16 = 465;

/// Reads its value. What is wrong never shows the value: it may hold a password.
pub(super) fn read(word: &Word) -> Result<Mail, Fault> {
    let (scheme, _) = word.text.split_once("://").ok_or_else(|| {
        Fault::new("that is no address of a mail server", "mails are handed to one over SMTP", FIX)
    })?;
    let is_tls = match scheme {
        "smtp" | "smtp+starttls" => false,
        "smtps" => true,
        other => {
            let what = format!("mail cannot be sent by `{}://`", excerpt(other));
            return Err(Fault::new(what, "it is handed to a mail server over SMTP", FIX));
        }
    };
    let wrong = |why: &'static str| Fault::new("that is no address of a mail server", why, FIX);
    let url = Url::parse(&word.text).map_err(|_| wrong("it cannot be read"))?;
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
    let host = url::Host::parse(host).map_err(|_| wrong("its host is none"))?.to_string();
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("there is more than user, password, host and port"));
    }
    let security = match scheme {
        _ if is_tls => MailSecurity::Tls,
        "smtp" if is_this_machine(&host) => MailSecurity::None,
        _ => MailSecurity::StartTls,
    };
    let port = url.port().unwrap_or(if is_tls { SUBMISSIONS_PORT } else { SUBMISSION_PORT });
    Ok(Mail { security, port, login: login(&url, wrong)?, written: word.text.clone(), host })
}

fn login(url: &Url, wrong: impl Fn(&'static str) -> Fault) -> Result<Option<(String, String)>, Fault> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned());
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) | (_, None) => Err(wrong("a user needs a password, and the other way round")),
        (user, Some(password)) => {
            let both = decoded(user).zip(decoded(password));
            both.map(Some).ok_or_else(|| wrong("user or password are not UTF-8"))
        }
    }
}

/// There nobody listens in between, and certificates for such names are rare.
fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::draft::{Place, Spelling};

    fn read(text: &str) -> Result<Mail, Fault> {
        let place = Place::whole(&Arc::from("test"));
        super::read(&Word { text: text.to_owned(), spelling: Spelling::Bare, place })
    }

    #[test]
    fn a_mail_server_is_one_address() {
        for (text, host, port, security, login) in [
            ("smtp://mail.example", "mail.example", 587, MailSecurity::StartTls, None),
            ("smtps://mail.example", "mail.example", 465, MailSecurity::Tls, None),
            ("smtp://localhost:25", "localhost", 25, MailSecurity::None, None),
            ("smtp+starttls://localhost:25", "localhost", 25, MailSecurity::StartTls, None),
            ("smtp://[::1]:25", "[::1]", 25, MailSecurity::None, None),
            (
                "smtp://ana%40a.example:p%2Fw@mail.example:2525/",
                "mail.example",
                2525,
                MailSecurity::StartTls,
                Some(("ana@a.example", "p/w")),
            ),
        ] {
            let mail = read(text).unwrap_or_else(|_| panic!("{text}"));
            let found = mail.login.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
            assert_eq!((mail.host.as_str(), mail.port, mail.security, found), (host, port, security, login));
        }
    }

    #[test]
    fn a_password_stays_out_of_logs() {
        let Ok(mail) = read("smtp://ana:swordfish@mail.example:587") else { panic!("it is one") };
        assert!(!format!("{mail:?}").contains("swordfish"));
    }

    #[test]
    fn mistakes_are_told_without_the_value() {
        for bad in [
            "",
            "mail.example",
            "https://mail.example",
            "smtp://",
            "smtp://ana@mail.example",
            "smtp://:swordfish@mail.example",
            "smtp://ana:swordfish@mail.example/inbox",
            "smtp://ana:swordfish@mail.example?tls=off",
            "smtp://ana:swordfish@ma il.example",
            "smtp://ana:swordfish@mail.example:99999",
        ] {
            let Err(fault) = read(bad) else { panic!("{bad} was taken") };
            assert!(!format!("{fault:?}").contains("swordfish"), "{bad}");
        }
    }
}
