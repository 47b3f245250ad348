//! host-meta (RFC 6415): where a domain's WebFinger is, for domains whose
//! server has another name.

use serde::Serialize;
use utoipa::ToSchema;

use super::activitypub::uri::is_id;
use super::text::escape;

/// The media type of the XML form.
pub const MEDIA_TYPE: &str = "application/xrd+xml; charset=utf-8";
/// Bytes of a foreign document.
pub const DOCUMENT_MAX_BYTES: usize = 64 * 1024;

fn template(origin: &str) -> String {
    format!("{origin}/.well-known/webfinger?resource={{uri}}")
}

/// Our document in XML.
pub fn xml(origin: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <XRD xmlns=\"http://docs.oasis-open.org/ns/xri/xrd-1.0\">\n  \
         <Link rel=\"lrdd\" template=\"{}\"/>\n</XRD>\n",
        escape(&template(origin))
    )
}

/// Our document in JSON.
pub fn json(origin: &str) -> HostMeta {
    let link = HostMetaLink { rel: "lrdd", kind: super::webfinger::MEDIA_TYPE, template: template(origin) };
    HostMeta { links: [link] }
}

/// Our document in JSON.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HostMeta {
    links: [HostMetaLink; 1],
}

/// Where something is asked.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HostMetaLink {
    rel: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    /// `{uri}` stands for what is asked about.
    template: String,
}

/// The WebFinger address template of a foreign XRD. A plain search for the
/// one element: no entities, no DTD, nothing that could expand.
pub fn read(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes.get(..DOCUMENT_MAX_BYTES.min(bytes.len()))?).ok()?;
    if text.contains("<!DOCTYPE") || text.contains("<!ENTITY") {
        return None;
    }
    text.split("<Link").skip(1).find_map(|link| {
        let link = link.split('>').next()?;
        let is_webfinger = attribute(link, "rel") == Some("lrdd");
        let template = attribute(link, "template").filter(|_| is_webfinger)?.replace("&amp;", "&");
        (template.contains("{uri}") && is_id(&template.replace("{uri}", "x"))).then_some(template)
    })
}

fn attribute<'x>(element: &'x str, name: &str) -> Option<&'x str> {
    ["\"", "'"].into_iter().find_map(|quote| {
        let (_, after) = element.split_once(&format!(" {name}={quote}"))?;
        Some(after.split_once(quote)?.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_document_is_read_back() {
        let template = read(xml("https://social.example").as_bytes());
        assert_eq!(template.as_deref(), Some("https://social.example/.well-known/webfinger?resource={uri}"));
    }

    #[test]
    fn tricks_are_not_read() {
        for bad in [
            "<!DOCTYPE x [<!ENTITY a 'b'>]><XRD><Link rel='lrdd' template='https://a.example/?{uri}'/></XRD>",
            "<XRD><Link rel='lrdd' template='file:///{uri}'/></XRD>",
            "<XRD><Link rel='lrdd' template='https://a.example/'/></XRD>",
            "<XRD><Link rel='other' template='https://a.example/{uri}'/></XRD>",
            "<Link",
            "",
            "<Link rel='lrdd' template='",
        ] {
            assert_eq!(read(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(read(b"\xff\xfe"), None);
    }
}
