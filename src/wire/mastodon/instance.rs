//! The server as clients see it (docs: entities/Instance, V1_Instance).

use serde_json::{Value, json};

use super::Account;
use crate::base::Registration;
use crate::base::limits;
use crate::model::Site;

/// The version of Mastodon whose API this is, as far as it goes. Clients switch
/// features on by it: 4.3 would promise grouped notifications.
const MASTODON_VERSION: &str = "4.2.10";
/// `api_versions.mastodon`; 2 is Mastodon 4.3.
const API_VERSION: u32 = 1;
/// What an upload may be. Clients hold what people choose against this list
/// by the type that the system tells them, so every name of a type is here.
const MEDIA_TYPES: [&str; 22] = [
    "image/jpeg",
    "image/png",
    "image/gif",
    "image/webp",
    "video/mp4",
    "video/quicktime",
    "video/webm",
    "video/ogg",
    "audio/mpeg",
    "audio/mp3",
    "audio/mp4",
    "audio/m4a",
    "audio/x-m4a",
    "audio/aac",
    "audio/ogg",
    "audio/webm",
    "audio/flac",
    "audio/x-flac",
    "audio/wav",
    "audio/wave",
    "audio/x-wav",
    "audio/vnd.wave",
];
/// Films are kept as they are; these are Mastodon's limits, which clients use
/// to make them smaller before they send them.
const FILM_FRAMES_PER_SECOND: u32 = 120;
const FILM_MAX_PIXELS: u32 = 8_294_400;

/// What the server tells of itself.
#[derive(Debug, Clone)]
pub struct About<'a> {
    /// Its names.
    pub site: &'a Site,
    /// Its title.
    pub title: &'a str,
    /// One paragraph, plain text.
    pub description: &'a str,
    /// Where to write.
    pub email: &'a str,
    /// Who may sign up.
    pub registration: Registration,
    /// The owner.
    pub contact: Option<Account>,
    /// Local users.
    pub users: u64,
    /// Local posts.
    pub statuses: u64,
    /// Servers it knows.
    pub domains: u64,
}

/// Where the source is, as far as the package says.
fn source_url() -> Option<&'static str> {
    Some(env!("CARGO_PKG_REPOSITORY")).filter(|url| !url.is_empty())
}

/// `4.2.10 (compatible; Waxwing 0.1.0)`.
pub fn version() -> String {
    format!("{MASTODON_VERSION} (compatible; Waxwing {})", env!("CARGO_PKG_VERSION"))
}

fn configuration() -> Value {
    json!({
        "accounts": {
            "max_featured_tags": 0,
            "max_pinned_statuses": 5,
            "max_display_name_length": limits::DISPLAY_NAME_CHARACTERS_MAX,
            "max_note_length": limits::NOTE_CHARACTERS_MAX,
            "max_profile_fields": limits::PROFILE_FIELDS_MAX,
            "profile_field_name_limit": limits::PROFILE_FIELD_CHARACTERS_MAX,
            "profile_field_value_limit": limits::PROFILE_FIELD_CHARACTERS_MAX,
        },
        "statuses": {
            "max_characters": limits::STATUS_CHARACTERS_MAX,
            "max_media_attachments": limits::MEDIA_PER_STATUS_MAX,
            "characters_reserved_per_url": limits::URL_CHARACTERS,
        },
        "media_attachments": {
            "supported_mime_types": MEDIA_TYPES,
            "description_limit": limits::DESCRIPTION_CHARACTERS_MAX,
            "image_size_limit": limits::IMAGE_MAX_BYTES,
            "image_matrix_limit": limits::IMAGE_MAX_PIXELS,
            "video_size_limit": limits::FILM_MAX_BYTES,
            "video_frame_rate_limit": FILM_FRAMES_PER_SECOND,
            "video_matrix_limit": FILM_MAX_PIXELS,
        },
        "polls": {
            "max_options": 4,
            "max_characters_per_option": 50,
            "min_expiration": 300,
            "max_expiration": 2_629_746,
        },
        "translation": { "enabled": false },
    })
}

fn streaming(site: &Site) -> String {
    site.origin.replacen("http", "ws", 1)
}

impl About<'_> {
    fn thumbnail(&self) -> String {
        format!("{}/assets/header.jpg", self.site.origin)
    }

    /// `GET /api/v2/instance`.
    pub fn v2(&self) -> Value {
        let origin = &self.site.origin;
        let mut configuration = configuration();
        configuration["urls"] = json!({
            "streaming": streaming(self.site),
            "status": null,
            "about": format!("{origin}/about"),
            "privacy_policy": null,
            "terms_of_service": null,
        });
        configuration["vapid"] = json!({ "public_key": "" });
        configuration["timelines_access"] = json!({
            "live_feeds": { "local": "public", "remote": "public" },
            "hashtag_feeds": { "local": "public", "remote": "public" },
            "trending_link_feeds": { "local": "disabled", "remote": "disabled" },
        });
        configuration["limited_federation"] = json!(false);
        let icon = |size: u32| json!({ "src": format!("{origin}/assets/icon-{size}.png"), "size": format!("{size}x{size}") });
        json!({
            "domain": self.site.domain,
            "title": self.title,
            "version": version(),
            "source_url": source_url(),
            "description": self.description,
            "usage": { "users": { "active_month": self.users } },
            "thumbnail": { "url": self.thumbnail(), "blurhash": null, "versions": {} },
            "icon": [icon(180), icon(512)],
            "languages": ["en"],
            "configuration": configuration,
            "registrations": {
                "enabled": self.is_open(),
                "approval_required": self.needs_approval(),
                "reason_required": self.needs_approval(),
                "message": null,
                "min_age": null,
                "url": null,
            },
            "api_versions": { "mastodon": API_VERSION },
            "contact": { "email": self.email, "account": self.contact },
            "rules": [],
        })
    }

    /// `GET /api/v1/instance`.
    pub fn v1(&self) -> Value {
        json!({
            "uri": self.site.domain,
            "title": self.title,
            "short_description": self.description,
            "description": self.description,
            "email": self.email,
            "version": version(),
            "urls": { "streaming_api": streaming(self.site) },
            "stats": {
                "user_count": self.users,
                "status_count": self.statuses,
                "domain_count": self.domains,
            },
            "thumbnail": self.thumbnail(),
            "languages": ["en"],
            "registrations": self.is_open(),
            "approval_required": self.needs_approval(),
            "invites_enabled": self.registration == Registration::Invite,
            "configuration": configuration(),
            "contact_account": self.contact,
            "rules": [],
        })
    }

    fn is_open(&self) -> bool {
        matches!(self.registration, Registration::Open | Registration::Approval)
    }

    fn needs_approval(&self) -> bool {
        self.registration == Registration::Approval
    }
}
