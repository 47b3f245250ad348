//! NodeInfo 2.0 and 2.1: what a server runs and how many use it.

use serde_json::{Value, json};

/// The media type of documents.
pub const MEDIA_TYPE: &str =
    "application/json; profile=\"http://nodeinfo.diaspora.software/ns/schema/2.1#\"; charset=utf-8";

/// The versions that we serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 2.0
    V2_0,
    /// 2.1, which adds where the software comes from.
    V2_1,
}

impl Version {
    /// As in the address.
    pub const fn number(self) -> &'static str {
        match self {
            Version::V2_0 => "2.0",
            Version::V2_1 => "2.1",
        }
    }
}

/// The document at `/.well-known/nodeinfo`.
pub fn index(origin: &str) -> Value {
    let link = |version: Version| {
        let number = version.number();
        json!({
            "rel": format!("http://nodeinfo.diaspora.software/ns/schema/{number}"),
            "href": format!("{origin}/nodeinfo/{number}"),
        })
    };
    json!({ "links": [link(Version::V2_0), link(Version::V2_1)] })
}

/// What is told about this server.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Version of the software.
    pub version: &'a str,
    /// The server's name.
    pub name: &'a str,
    /// Its description.
    pub description: &'a str,
    /// Whether anybody may sign up.
    pub open_registrations: bool,
    /// People with an account here.
    pub users: u64,
    /// Posts written here.
    pub local_posts: u64,
}

/// The document of one version.
pub fn document(version: Version, facts: Facts<'_>) -> Value {
    let mut software = json!({ "name": "waxwing", "version": facts.version });
    if version == Version::V2_1 {
        software["repository"] = env!("CARGO_PKG_REPOSITORY").into();
        if env!("CARGO_PKG_REPOSITORY").is_empty() {
            software.as_object_mut().map(|map| map.remove("repository"));
        }
    }
    json!({
        "version": version.number(),
        "software": software,
        "protocols": ["activitypub"],
        "services": { "inbound": [], "outbound": [] },
        "openRegistrations": facts.open_registrations,
        "usage": { "users": { "total": facts.users }, "localPosts": facts.local_posts },
        "metadata": { "nodeName": facts.name, "nodeDescription": facts.description },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_have_what_the_schema_demands() {
        let facts = Facts {
            version: "1",
            name: "n",
            description: "d",
            open_registrations: true,
            users: 3,
            local_posts: 5,
        };
        for version in [Version::V2_0, Version::V2_1] {
            let document = document(version, facts);
            for name in
                ["version", "software", "protocols", "services", "openRegistrations", "usage", "metadata"]
            {
                assert!(document.get(name).is_some(), "{name}");
            }
            assert_eq!(document["usage"]["users"]["total"], 3);
        }
        assert_eq!(index("https://a.example")["links"][1]["href"], "https://a.example/nodeinfo/2.1");
    }
}
