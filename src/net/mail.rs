//! Hands mails to the mail server of the settings, over SMTP.
//!
//! The server is the operator's choice, so it may have a private address;
//! everything else is bounded as for any other server: one connection for
//! each mail, and a time for the whole. Must not know what a mail is about.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::time::timeout;

use super::client::outbox::Outbox;
use crate::base::Problem;
use crate::config::{Mail as MailConfig, MailSecurity};

/// Longest time one mail may take, from connecting to the last answer.
const TOTAL_MAX: Duration = Duration::from_secs(14);
/// Longest time of one step of connecting.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Answers that are about us, not about the mail: who we are is not believed
/// (RFC 4954 section 6, RFC 3207 section 4).
const LOGIN_REFUSALS: [u16; 5] = [530, 534, 535, 538, 454];
/// The mail server is closing down (RFC 5321 section 4.2.2).
const SHUTTING_DOWN: u16 = 421;

/// A mail, ready but for its form.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The same for each try of the same mail; without `<>`.
    pub message_id: String,
    /// To whom.
    pub to: String,
    /// In one line.
    pub subject: String,
    /// What it says, for those who read plain text.
    pub text: String,
    /// The same as a page.
    pub html: String,
    /// When it was written.
    pub date: SystemTime,
}

/// Why a mail was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFailure {
    /// It can never be written: why.
    Broken(&'static str),
    /// The mail server will never take it (5xx).
    Refused(u16),
    /// Not this mail, not now (4xx).
    Later(u16),
    /// The mail server takes nothing now, or not from us.
    Down(u16),
    /// It does not answer in time.
    Timeout,
    /// TLS with it failed.
    Tls,
    /// No connection, or it broke.
    Connection,
}

/// Sends mails; cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    way: Way,
    from: Mailbox,
}

#[derive(Clone)]
enum Way {
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    Outbox(Outbox),
}

impl Mailer {
    /// A mailer that hands mails to this server. `own_host` is what it calls
    /// itself, `from` the sender's name and address.
    ///
    /// # Errors
    /// When an address or a certificate of the settings is none.
    pub fn smtp(
        mail: &MailConfig,
        own_host: &str,
        from: (&str, &str),
        extra_roots_pem: &[u8],
    ) -> Result<Mailer, Problem> {
        let tls = match mail.security {
            MailSecurity::None => Tls::None,
            MailSecurity::StartTls => Tls::Required(tls(&mail.host, extra_roots_pem)?),
            MailSecurity::Tls => Tls::Wrapper(tls(&mail.host, extra_roots_pem)?),
        };
        let host = mail.host.trim_start_matches('[').trim_end_matches(']');
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(mail.port)
            .tls(tls)
            .hello_name(ClientId::Domain(own_host.to_owned()))
            .timeout(Some(CONNECT_MAX));
        if let Some((user, password)) = &mail.login {
            builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
        }
        Ok(Mailer { way: Way::Smtp(Box::new(builder.build())), from: mailbox(from)? })
    }

    /// A mailer that keeps mails to be looked at.
    ///
    /// # Errors
    /// When the sender's address is none.
    pub fn outbox(outbox: Outbox, from: (&str, &str)) -> Result<Mailer, Problem> {
        Ok(Mailer { way: Way::Outbox(outbox), from: mailbox(from)? })
    }

    /// Hands over a mail.
    ///
    /// # Errors
    /// [`MailFailure`].
    pub async fn send(&self, mail: Mail) -> Result<(), MailFailure> {
        let to: Address = mail.to.parse().map_err(|_| MailFailure::Broken("the address is none"))?;
        match &self.way {
            Way::Outbox(outbox) => {
                outbox.keep_mail(&mail.to, shown(&self.from.to_string(), &mail));
                Ok(())
            }
            Way::Smtp(transport) => {
                let message = message(&self.from, to, mail)?;
                match timeout(TOTAL_MAX, transport.send(message)).await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => Err(explain(&error)),
                    Err(_) => Err(MailFailure::Timeout),
                }
            }
        }
    }
}

fn mailbox((name, address): (&str, &str)) -> Result<Mailbox, Problem> {
    let address: Address =
        address.parse().map_err(|_| Problem::invalid(format!("mail_from `{address}` is no mail address")))?;
    Ok(Mailbox::new(Some(name.to_owned()).filter(|name| !name.is_empty()), address))
}

fn tls(host: &str, extra_roots_pem: &[u8]) -> Result<TlsParameters, Problem> {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let mut builder = TlsParameters::builder(host.to_owned());
    let refused = |error: SmtpError| Problem::invalid(format!("TLS for mail cannot be set up: {error}"));
    if !extra_roots_pem.is_empty() {
        builder = builder.add_root_certificate(Certificate::from_pem(extra_roots_pem).map_err(refused)?);
    }
    builder.build_rustls().map_err(refused)
}

fn message(from: &Mailbox, to: Address, mail: Mail) -> Result<Message, MailFailure> {
    let Mail { message_id, subject, text, html, date, .. } = mail;
    // A boundary of our own: nothing of a mail is left to chance. It has two
    // characters that no encoded body has (RFC 2045 section 6.7).
    let boundary = format!("=_{}", message_id.replace(|c: char| !c.is_ascii_alphanumeric(), "_"));
    let part = |kind: ContentType, body: String| SinglePart::builder().header(kind).body(body);
    let body = MultiPart::alternative()
        .boundary(boundary)
        .singlepart(part(ContentType::TEXT_PLAIN, text))
        .singlepart(part(ContentType::TEXT_HTML, html));
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(subject)
        .date(date)
        .message_id(Some(format!("<{message_id}>")))
        // No holiday notes, please (RFC 3834).
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(body)
        .map_err(|_| MailFailure::Broken("the mail cannot be written"))
}

fn explain(error: &SmtpError) -> MailFailure {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        return match code {
            SHUTTING_DOWN => MailFailure::Down(code),
            _ if LOGIN_REFUSALS.contains(&code) => MailFailure::Down(code),
            500..=599 => MailFailure::Refused(code),
            _ => MailFailure::Later(code),
        };
    }
    if error.is_timeout() {
        MailFailure::Timeout
    } else if error.is_tls() {
        MailFailure::Tls
    } else {
        MailFailure::Connection
    }
}

/// What a sandbox shows of a mail.
fn shown(from: &str, mail: &Mail) -> Bytes {
    let json = serde_json::json!({
        "from": from,
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
    });
    json.to_string().into()
}
