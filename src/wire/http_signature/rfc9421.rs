//! RFC 9421, HTTP Message Signatures.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, InnerList, ListEntry, ListSerializer, Parameters, Parser};

use super::digest::{check_content_digest, content_digest_header};
use super::{
    Algorithm, COMPONENTS_MAX, Claim, HEADER_MAX_BYTES, Incoming, KeyError, Kind, Outgoing, Refusal, Signer,
    check_age, check_expiry, date, value,
};
use crate::base::Timestamp;

/// Reads and checks all but the signature itself.
pub(super) fn read(request: &Incoming<'_>) -> Result<Claim, Refusal> {
    let inputs_text = dictionary_text(request, "signature-input")?;
    let inputs: Dictionary =
        Parser::new(&inputs_text).parse().map_err(|_| Refusal::Malformed("signature-input"))?;
    let signatures: Dictionary = Parser::new(&dictionary_text(request, "signature")?)
        .parse()
        .map_err(|_| Refusal::Malformed("signature"))?;
    // The first label that is in both; others are for somebody else.
    let (label, entry) = inputs
        .iter()
        .find(|(label, _)| signatures.contains_key(label.as_str()))
        .ok_or(Refusal::Malformed("no signature for the input"))?;
    let ListEntry::InnerList(input) = entry else { return Err(Refusal::Malformed("signature-input")) };
    let signature = match &signatures[label.as_str()] {
        ListEntry::Item(item) => item.bare_item.as_byte_sequence().map(<[u8]>::to_vec),
        ListEntry::InnerList(_) => None,
    };
    let signature = signature.ok_or(Refusal::Malformed("signature"))?;
    let said = Said::read(&input.params)?;
    let components = components(input)?;
    check_covered(&components, request)?;
    check_time(&components, &said, request)?;
    check_body_and_host(&components, request)?;
    let params = serialized(entry, &inputs_text)?;
    let base = base(&components, &params, request)?;
    Ok(Claim {
        key_id: said.key_id,
        kind: Kind::Rfc9421,
        algorithm: said.algorithm,
        bases: vec![base],
        signature,
    })
}

fn dictionary_text(request: &Incoming<'_>, name: &'static str) -> Result<String, Refusal> {
    let text = request.joined(name).ok_or(Refusal::Malformed(name))?;
    if text.len() <= HEADER_MAX_BYTES { Ok(text) } else { Err(Refusal::Malformed("too long")) }
}

/// The signature's parameters.
struct Said {
    key_id: String,
    algorithm: Algorithm,
    created: Timestamp,
    expires: Option<Timestamp>,
}

impl Said {
    fn read(params: &Parameters) -> Result<Said, Refusal> {
        let (mut key_id, mut created, mut expires) = (None, None, None);
        let mut algorithm = Algorithm::OfKey;
        for (name, item) in params {
            match name.as_str() {
                "keyid" => key_id = Some(text(item)?.to_owned()),
                "created" => created = Some(time(item)?),
                "expires" => expires = Some(time(item)?),
                "alg" => {
                    algorithm = match text(item)? {
                        "rsa-v1_5-sha256" => Algorithm::RsaSha256,
                        "ed25519" => Algorithm::Ed25519,
                        _ => return Err(Refusal::Algorithm),
                    }
                }
                "nonce" | "tag" => {}
                _ => return Err(Refusal::Malformed("unknown parameter")),
            }
        }
        Ok(Said {
            key_id: key_id.ok_or(Refusal::Malformed("keyid is missing"))?,
            algorithm,
            created: created.ok_or(Refusal::NotCovered("created"))?,
            expires,
        })
    }
}

fn text(item: &BareItem) -> Result<&str, Refusal> {
    item.as_string().map(sfv::StringRef::as_str).ok_or(Refusal::Malformed("a parameter is not a string"))
}

fn time(item: &BareItem) -> Result<Timestamp, Refusal> {
    let seconds = item.as_integer().ok_or(Refusal::Malformed("created or expires"))?;
    Ok(Timestamp::from_secs(i64::from(seconds)))
}

/// The covered components; none may repeat or carry parameters (`;bs`, `;sf`,
/// `;req`, `;tr`, `;key` change what is signed, and nobody here needs them).
fn components(input: &InnerList) -> Result<Vec<String>, Refusal> {
    if input.items.len() > COMPONENTS_MAX {
        return Err(Refusal::Malformed("too many components"));
    }
    let mut names: Vec<String> = Vec::with_capacity(input.items.len());
    for item in &input.items {
        if !item.params.is_empty() {
            return Err(Refusal::Malformed("component parameters are not accepted"));
        }
        let name = text(&item.bare_item)?;
        if names.iter().any(|n| n == name) {
            return Err(Refusal::Malformed("duplicate component"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

fn check_covered(components: &[String], request: &Incoming<'_>) -> Result<(), Refusal> {
    let has = |name: &str| components.iter().any(|c| c == name);
    if !has("@method") {
        return Err(Refusal::NotCovered("@method"));
    }
    if !has("@target-uri") {
        return Err(Refusal::NotCovered("@target-uri"));
    }
    if request.has_body() && !has("content-digest") {
        return Err(Refusal::NotCovered("content-digest"));
    }
    Ok(())
}

fn check_time(components: &[String], said: &Said, request: &Incoming<'_>) -> Result<(), Refusal> {
    check_age(said.created, request.now)?;
    if components.iter().any(|c| c == "date") {
        check_age(date(request)?, request.now)?;
    }
    said.expires.map_or(Ok(()), |expires| check_expiry(said.created, expires, request.now))
}

fn check_body_and_host(components: &[String], request: &Incoming<'_>) -> Result<(), Refusal> {
    // `@target-uri` is rebuilt from our own origin, so a signature for
    // another host cannot verify; a wrong Host header is refused here.
    if !request.header("host").is_some_and(|host| request.is_our_host(host)) {
        return Err(Refusal::WrongHost);
    }
    if components.iter().any(|c| c == "content-digest") {
        let digest = request.joined("content-digest").ok_or(Refusal::Malformed("content-digest"))?;
        check_content_digest(&digest, request.body)?;
    }
    Ok(())
}

/// The inner list in its one canonical spelling (RFC 9421, 2.3). It has to
/// be how it was received: so nothing hides in a second spelling, such as a
/// parameter given twice.
fn serialized(entry: &ListEntry, received: &str) -> Result<String, Refusal> {
    let mut serializer = ListSerializer::new();
    serializer.members([entry]);
    let text = serializer.finish().ok_or(Refusal::Malformed("signature-input"))?;
    if received.contains(&text) {
        Ok(text)
    } else {
        Err(Refusal::Malformed("signature-input is not canonical"))
    }
}

/// The signature base (RFC 9421, 2.5).
pub(super) fn base(components: &[String], params: &str, request: &Incoming<'_>) -> Result<String, Refusal> {
    let mut base = String::new();
    for name in components {
        let value = component(name, request)?;
        base.push_str(&format!("\"{name}\": {value}\n"));
    }
    base.push_str(&format!("\"@signature-params\": {params}"));
    Ok(base)
}

fn component(name: &str, request: &Incoming<'_>) -> Result<String, Refusal> {
    Ok(match name {
        "@method" => request.method.as_str().to_owned(),
        "@target-uri" => format!("{}{}", request.origin, request.path_and_query),
        "@authority" => request.authority().to_owned(),
        "@scheme" => request.origin.split(':').next().unwrap_or_default().to_owned(),
        "@request-target" => request.path_and_query.to_owned(),
        "@path" => request.path().to_owned(),
        "@query" => format!("?{}", request.query().unwrap_or_default()),
        name if name.starts_with('@') => return Err(Refusal::Malformed("unknown derived component")),
        name if name.bytes().any(|b| b.is_ascii_uppercase()) => {
            return Err(Refusal::Malformed("component names are lower case"));
        }
        name => request.joined(name).ok_or(Refusal::Malformed("a covered header is missing"))?,
    })
}

/// Adds `Content-Digest` (where there is a body), `Signature-Input` and
/// `Signature`.
pub(super) fn sign(
    request: &Outgoing<'_>,
    signer: &Signer<'_>,
    headers: &mut HeaderMap,
) -> Result<(), KeyError> {
    let mut target = request.url.clone();
    target.set_fragment(None);
    let mut base = format!("\"@method\": {}\n\"@target-uri\": {target}\n", request.method);
    let mut names = String::from("\"@method\" \"@target-uri\"");
    if let Some(body) = request.body {
        let digest = content_digest_header(body);
        headers.insert(HeaderName::from_static("content-digest"), value(&digest)?);
        base.push_str(&format!("\"content-digest\": {digest}\n"));
        names.push_str(" \"content-digest\"");
    }
    let key_id = sfv::StringRef::from_str(signer.key_id).map_err(|_| KeyError::NotAHeader)?;
    let params = format!(
        "({names});created={};keyid=\"{}\";alg=\"rsa-v1_5-sha256\"",
        request.now.as_secs(),
        key_id.as_str().replace('\\', "\\\\").replace('"', "\\\""),
    );
    base.push_str(&format!("\"@signature-params\": {params}"));
    let signature = STANDARD.encode(signer.key.sign(base.as_bytes())?);
    headers.insert(HeaderName::from_static("signature-input"), value(&format!("sig1={params}"))?);
    headers.insert(HeaderName::from_static("signature"), value(&format!("sig1=:{signature}:"))?);
    Ok(())
}
