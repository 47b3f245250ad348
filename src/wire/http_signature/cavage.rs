//! draft-cavage-http-signatures-12: the kind that nearly everyone speaks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};

use super::digest::{check_digest, digest_header};
use super::{
    Algorithm, COMPONENTS_MAX, Claim, HEADER_MAX_BYTES, Incoming, KeyError, Kind, Outgoing, Refusal, Signer,
    check_age, check_expiry, date, host_header, value,
};
use crate::base::Timestamp;

/// What a `Signature` header says.
#[derive(Default)]
pub(super) struct Parameters<'h> {
    key_id: Option<&'h str>,
    algorithm: Option<&'h str>,
    headers: Option<&'h str>,
    signature: Option<&'h str>,
    created: Option<&'h str>,
    expires: Option<&'h str>,
}

impl<'h> Parameters<'h> {
    pub(super) fn parse(header: &'h str) -> Result<Parameters<'h>, Refusal> {
        let malformed = Refusal::Malformed("signature");
        let mut found = Parameters::default();
        let mut rest = header.trim();
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=').ok_or(malformed.clone())?;
            let (text, after) = parameter_value(after).ok_or(malformed.clone())?;
            let slot = match name.trim() {
                "keyId" => &mut found.key_id,
                "algorithm" => &mut found.algorithm,
                "headers" => &mut found.headers,
                "signature" => &mut found.signature,
                "created" => &mut found.created,
                "expires" => &mut found.expires,
                _ => return Err(Refusal::Malformed("unknown parameter")),
            };
            if slot.replace(text).is_some() {
                return Err(Refusal::Malformed("duplicate parameter"));
            }
            let after = after.trim_start();
            rest = match after.strip_prefix(',') {
                Some(next) => next.trim_start(),
                None if after.is_empty() => after,
                None => return Err(malformed),
            };
        }
        Ok(found)
    }
}

/// A quoted string without escapes, or a bare number.
fn parameter_value(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('"') {
        let (inside, after) = quoted.split_once('"')?;
        return (!inside.contains('\\')).then_some((inside, after));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn seconds(text: &str) -> Result<Timestamp, Refusal> {
    text.parse().map(Timestamp::from_secs).map_err(|_| Refusal::Malformed("created or expires"))
}

/// Reads and checks all but the signature itself.
pub(super) fn read(request: &Incoming<'_>) -> Result<Claim, Refusal> {
    let header = request.header("signature").ok_or(Refusal::Malformed("one Signature header is expected"))?;
    if header.len() > HEADER_MAX_BYTES {
        return Err(Refusal::Malformed("too long"));
    }
    let parameters = Parameters::parse(header)?;
    let key_id = parameters.key_id.ok_or(Refusal::Malformed("keyId is missing"))?;
    let algorithm = match parameters.algorithm.map(str::to_ascii_lowercase).as_deref() {
        None | Some("hs2019") => Algorithm::OfKey,
        Some("rsa-sha256") => Algorithm::RsaSha256,
        Some(_) => return Err(Refusal::Algorithm),
    };
    // Without `headers` only the date is covered, which is never enough.
    let covered: Vec<String> =
        parameters.headers.unwrap_or("date").split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
    check_covered(&covered, request)?;
    check_time(&covered, &parameters, algorithm, request)?;
    if !request.header("host").is_some_and(|host| request.is_our_host(host)) {
        return Err(Refusal::WrongHost);
    }
    if covered.iter().any(|name| name == "digest") {
        let digest = request.joined("digest").ok_or(Refusal::Malformed("digest"))?;
        check_digest(&digest, request.body)?;
    }
    let signature = parameters.signature.ok_or(Refusal::Malformed("signature is missing"))?;
    Ok(Claim {
        key_id: key_id.to_owned(),
        kind: Kind::Cavage,
        algorithm,
        bases: bases(&covered, &parameters, request)?,
        signature: STANDARD.decode(signature).map_err(|_| Refusal::Malformed("signature"))?,
    })
}

fn check_covered(covered: &[String], request: &Incoming<'_>) -> Result<(), Refusal> {
    if covered.len() > COMPONENTS_MAX {
        return Err(Refusal::Malformed("too many headers"));
    }
    let repeats = covered.iter().enumerate().any(|(i, name)| covered[..i].contains(name));
    if repeats {
        return Err(Refusal::Malformed("duplicate header"));
    }
    let has = |name: &str| covered.iter().any(|c| c == name);
    if !has("(request-target)") {
        return Err(Refusal::NotCovered("(request-target)"));
    }
    if !has("host") {
        return Err(Refusal::NotCovered("host"));
    }
    if !has("date") && !has("(created)") {
        return Err(Refusal::NotCovered("date or (created)"));
    }
    if request.has_body() && !has("digest") {
        return Err(Refusal::NotCovered("digest"));
    }
    Ok(())
}

fn check_time(
    covered: &[String],
    parameters: &Parameters<'_>,
    algorithm: Algorithm,
    request: &Incoming<'_>,
) -> Result<(), Refusal> {
    let has = |name: &str| covered.iter().any(|c| c == name);
    let pseudo = has("(created)") || has("(expires)");
    if pseudo && algorithm == Algorithm::RsaSha256 {
        // The draft allows them with hs2019 only.
        return Err(Refusal::Malformed("(created) with rsa-sha256"));
    }
    let mut from = None;
    if has("date") {
        from = Some(date(request)?);
        check_age(date(request)?, request.now)?;
    }
    if has("(created)") {
        let created = seconds(parameters.created.ok_or(Refusal::Malformed("created is missing"))?)?;
        check_age(created, request.now)?;
        from = Some(created);
    }
    match (parameters.expires, from) {
        (Some(expires), Some(from)) => check_expiry(from, seconds(expires)?, request.now),
        _ => Ok(()),
    }
}

/// The signed text, with the query in the target and, because some sign
/// without it (older GoToSocial and Pleroma), once more without.
pub(super) fn bases(
    covered: &[String],
    parameters: &Parameters<'_>,
    request: &Incoming<'_>,
) -> Result<Vec<String>, Refusal> {
    let mut targets = vec![request.path_and_query];
    if request.query().is_some() {
        targets.push(request.path());
    }
    targets.into_iter().map(|target| base(covered, parameters, request, target)).collect()
}

pub(super) fn base(
    covered: &[String],
    parameters: &Parameters<'_>,
    request: &Incoming<'_>,
    target: &str,
) -> Result<String, Refusal> {
    let mut lines = Vec::with_capacity(covered.len());
    for name in covered {
        let value = match name.as_str() {
            "(request-target)" => Some(format!("{} {target}", request.method.as_str().to_ascii_lowercase())),
            "(created)" => parameters.created.map(str::to_owned),
            "(expires)" => parameters.expires.map(str::to_owned),
            name => request.joined(name),
        };
        let value = value.ok_or(Refusal::Malformed("a covered header is missing"))?;
        lines.push(format!("{name}: {value}"));
    }
    Ok(lines.join("\n"))
}

/// Adds `Digest` (where there is a body) and `Signature`.
pub(super) fn sign(
    request: &Outgoing<'_>,
    signer: &Signer<'_>,
    headers: &mut HeaderMap,
) -> Result<(), KeyError> {
    let target = &request.url[url::Position::BeforePath..url::Position::AfterQuery];
    let date = headers.get("date").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut lines = vec![
        ("(request-target)", format!("{} {target}", request.method.as_str().to_ascii_lowercase())),
        ("host", host_header(request.url)),
        ("date", date.to_owned()),
    ];
    if let Some(body) = request.body {
        let digest = digest_header(body);
        headers.insert(HeaderName::from_static("digest"), value(&digest)?);
        lines.push(("digest", digest));
        if let Some(media_type) = headers.get("content-type").and_then(|v| v.to_str().ok()) {
            lines.push(("content-type", media_type.to_owned()));
        }
    }
    let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
    let base: Vec<String> = lines.iter().map(|(name, text)| format!("{name}: {text}")).collect();
    let signature = STANDARD.encode(signer.key.sign(base.join("\n").as_bytes())?);
    let header = format!(
        "keyId=\"{}\",algorithm=\"rsa-sha256\",headers=\"{}\",signature=\"{signature}\"",
        signer.key_id,
        names.join(" "),
    );
    headers.insert(HeaderName::from_static("signature"), value(&header)?);
    Ok(())
}
