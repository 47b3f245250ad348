//! NodeInfo 2.0 and 2.1: what a server runs and how many use it.

use serde::Serialize;
use utoipa::ToSchema;

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
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NodeInfoIndex)]
pub struct Index {
    links: [IndexLink; 2],
}

/// Where one version is.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NodeInfoLink)]
pub struct IndexLink {
    #[schema(format = "uri")]
    rel: String,
    #[schema(format = "uri")]
    href: String,
}

/// The document at `/.well-known/nodeinfo` of a server.
pub fn index(origin: &str) -> Index {
    let link = |version: Version| {
        let number = version.number();
        IndexLink {
            rel: format!("http://nodeinfo.diaspora.software/ns/schema/{number}"),
            href: format!("{origin}/nodeinfo/{number}"),
        }
    };
    Index { links: [link(Version::V2_0), link(Version::V2_1)] }
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

/// What runs here.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NodeInfoSoftware)]
pub struct Software {
    name: &'static str,
    version: String,
    /// From 2.1 on, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<&'static str>,
}

/// Other networks that it speaks to: none.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
#[schema(as = NodeInfoServices)]
pub struct Services {
    inbound: Vec<String>,
    outbound: Vec<String>,
}

/// How many use it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = NodeInfoUsers)]
pub struct Users {
    total: u64,
}

/// How much it is used.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NodeInfoUsage)]
pub struct Usage {
    users: Users,
    local_posts: u64,
}

/// What the schema leaves open.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NodeInfoMetadata)]
pub struct Metadata {
    node_name: String,
    node_description: String,
}

/// A NodeInfo document.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NodeInfo)]
pub struct Document {
    version: &'static str,
    software: Software,
    protocols: [&'static str; 1],
    services: Services,
    open_registrations: bool,
    usage: Usage,
    metadata: Metadata,
}

/// The document of one version.
pub fn document(version: Version, facts: Facts<'_>) -> Document {
    let repository = Some(env!("CARGO_PKG_REPOSITORY")).filter(|url| !url.is_empty());
    Document {
        version: version.number(),
        software: Software {
            name: "waxwing",
            version: facts.version.to_owned(),
            repository: repository.filter(|_| version == Version::V2_1),
        },
        protocols: ["activitypub"],
        services: Services::default(),
        open_registrations: facts.open_registrations,
        usage: Usage { users: Users { total: facts.users }, local_posts: facts.local_posts },
        metadata: Metadata {
            node_name: facts.name.to_owned(),
            node_description: facts.description.to_owned(),
        },
    }
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
            let document = serde_json::to_value(document(version, facts)).unwrap();
            for name in
                ["version", "software", "protocols", "services", "openRegistrations", "usage", "metadata"]
            {
                assert!(document.get(name).is_some(), "{name}");
            }
            assert_eq!(document["usage"]["users"]["total"], 3);
        }
        assert_eq!(index("https://a.example").links[1].href, "https://a.example/nodeinfo/2.1");
    }
}
