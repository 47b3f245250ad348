//! The server as clients see it (docs: entities/Instance, V1_Instance, Rule,
//! ExtendedDescription, PrivacyPolicy, TermsOfService).

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::Account;
use crate::base::Registration;
use crate::base::limits;
use crate::model::Site;

/// The version of Mastodon whose API this is, as far as it goes. Clients switch
/// features on by it: 4.3 promises grouped notifications, 4.5 would promise
/// quotes.
const MASTODON_VERSION: &str = "4.3.14";
/// `api_versions.mastodon`; 2 is Mastodon 4.3, 7 would be 4.5.
const API_VERSION: u32 = 2;
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

/// Where the source is, as far as the package says.
fn source_url() -> Option<&'static str> {
    Some(env!("CARGO_PKG_REPOSITORY")).filter(|url| !url.is_empty())
}

/// `4.2.10 (compatible; Waxwing 0.1.0)`.
pub fn version() -> String {
    format!("{MASTODON_VERSION} (compatible; Waxwing {})", env!("CARGO_PKG_VERSION"))
}

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
    /// Of them, those who were here in the last month.
    pub active_month: u64,
    /// Local posts.
    pub statuses: u64,
    /// Servers it knows.
    pub domains: u64,
    /// Its rules.
    pub rules: &'a [String],
    /// Whether it says what becomes of people's data.
    pub has_privacy_policy: bool,
    /// Whether it has terms of service.
    pub has_terms: bool,
    /// Public half of the key that signs pushes, in base64url; empty without.
    pub vapid_key: &'a str,
    /// Whether it takes only servers that are explicitly welcome.
    pub limited_federation: bool,
}

/// A rule of the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Rule {
    id: String,
    text: String,
    hint: String,
    /// By language; there are none here.
    #[schema(value_type = Object)]
    translations: BTreeMap<String, String>,
}

impl Rule {
    /// The rules in their order; the first is number 1.
    pub fn all(texts: &[String]) -> Vec<Rule> {
        let rule = |(place, text): (usize, &String)| Rule {
            id: (place + 1).to_string(),
            text: text.clone(),
            hint: String::new(),
            translations: BTreeMap::new(),
        };
        texts.iter().enumerate().map(rule).collect()
    }

    /// Whether it has this number.
    pub fn is(&self, number: u32) -> bool {
        self.id == number.to_string()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct AccountLimits {
    max_featured_tags: u32,
    max_pinned_statuses: u32,
    max_display_name_length: usize,
    max_note_length: usize,
    max_profile_fields: usize,
    profile_field_name_limit: usize,
    profile_field_value_limit: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct StatusLimits {
    max_characters: usize,
    max_media_attachments: usize,
    characters_reserved_per_url: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct MediaLimits {
    supported_mime_types: Vec<&'static str>,
    description_limit: usize,
    image_size_limit: usize,
    image_matrix_limit: u64,
    video_size_limit: usize,
    video_frame_rate_limit: u32,
    video_matrix_limit: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct PollLimits {
    max_options: u32,
    max_characters_per_option: u32,
    min_expiration: u32,
    max_expiration: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Translation {
    enabled: bool,
}

/// What both versions tell of limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Limits {
    accounts: AccountLimits,
    statuses: StatusLimits,
    media_attachments: MediaLimits,
    polls: PollLimits,
}

fn limits() -> Limits {
    Limits {
        accounts: AccountLimits {
            max_featured_tags: 10,
            max_pinned_statuses: 5,
            max_display_name_length: limits::DISPLAY_NAME_CHARACTERS_MAX,
            max_note_length: limits::NOTE_CHARACTERS_MAX,
            max_profile_fields: limits::PROFILE_FIELDS_MAX,
            profile_field_name_limit: limits::PROFILE_FIELD_CHARACTERS_MAX,
            profile_field_value_limit: limits::PROFILE_FIELD_CHARACTERS_MAX,
        },
        statuses: StatusLimits {
            max_characters: limits::STATUS_CHARACTERS_MAX,
            max_media_attachments: limits::MEDIA_PER_STATUS_MAX,
            characters_reserved_per_url: limits::URL_CHARACTERS,
        },
        media_attachments: MediaLimits {
            supported_mime_types: MEDIA_TYPES.to_vec(),
            description_limit: limits::DESCRIPTION_CHARACTERS_MAX,
            image_size_limit: limits::IMAGE_MAX_BYTES,
            image_matrix_limit: limits::IMAGE_MAX_PIXELS,
            video_size_limit: limits::FILM_MAX_BYTES,
            video_frame_rate_limit: FILM_FRAMES_PER_SECOND,
            video_matrix_limit: FILM_MAX_PIXELS,
        },
        polls: PollLimits {
            max_options: 4,
            max_characters_per_option: 50,
            min_expiration: 300,
            max_expiration: 2_629_746,
        },
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Urls {
    streaming: String,
    #[schema(required)]
    status: Option<String>,
    about: String,
    #[schema(required)]
    privacy_policy: Option<String>,
    #[schema(required)]
    terms_of_service: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Vapid {
    public_key: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct FeedAccess {
    local: &'static str,
    remote: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct TimelinesAccess {
    live_feeds: FeedAccess,
    hashtag_feeds: FeedAccess,
    trending_link_feeds: FeedAccess,
}

/// What the second version tells of the server's set-up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Configuration {
    urls: Urls,
    vapid: Vapid,
    #[serde(flatten)]
    limits: Limits,
    translation: Translation,
    timelines_access: TimelinesAccess,
    limited_federation: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct ActiveUsers {
    active_month: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct InstanceUsage {
    users: ActiveUsers,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Thumbnail {
    #[schema(format = "uri")]
    url: String,
    #[schema(required)]
    blurhash: Option<String>,
    /// Other sizes; there are none.
    #[schema(value_type = Object)]
    versions: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Icon {
    #[schema(format = "uri")]
    src: String,
    size: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct Registrations {
    enabled: bool,
    approval_required: bool,
    reason_required: bool,
    #[schema(required)]
    message: Option<String>,
    #[schema(required)]
    min_age: Option<u32>,
    #[schema(required)]
    url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct ApiVersions {
    mastodon: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
struct Contact {
    email: String,
    #[schema(required)]
    account: Option<Account>,
}

/// The server, second version.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Instance {
    domain: String,
    title: String,
    version: String,
    #[schema(required)]
    source_url: Option<&'static str>,
    description: String,
    usage: InstanceUsage,
    thumbnail: Thumbnail,
    icon: Vec<Icon>,
    languages: Vec<&'static str>,
    configuration: Configuration,
    registrations: Registrations,
    api_versions: ApiVersions,
    contact: Contact,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct V1Urls {
    streaming_api: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
struct V1Stats {
    user_count: u64,
    status_count: u64,
    domain_count: u64,
}

/// The server, first version.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct V1Instance {
    uri: String,
    title: String,
    short_description: String,
    description: String,
    email: String,
    version: String,
    urls: V1Urls,
    stats: V1Stats,
    #[schema(format = "uri")]
    thumbnail: String,
    languages: Vec<&'static str>,
    registrations: bool,
    approval_required: bool,
    invites_enabled: bool,
    configuration: Limits,
    #[schema(required)]
    contact_account: Option<Account>,
    rules: Vec<Rule>,
}

/// The address that clients open for streams; plain where the site is.
fn streaming(site: &Site) -> String {
    site.origin.replacen("http", "ws", 1)
}

impl About<'_> {
    fn thumbnail(&self) -> String {
        format!("{}/assets/header.jpg", self.site.origin)
    }

    fn configuration(&self) -> Configuration {
        let page = |name: &str| format!("{}/{name}", self.site.origin);
        let feeds = |access: &'static str| FeedAccess { local: access, remote: access };
        Configuration {
            urls: Urls {
                streaming: streaming(self.site),
                status: None,
                about: page("about"),
                privacy_policy: self.has_privacy_policy.then(|| page("about#privacy-policy")),
                terms_of_service: self.has_terms.then(|| page("about#terms-of-service")),
            },
            vapid: Vapid { public_key: self.vapid_key.to_owned() },
            limits: limits(),
            translation: Translation { enabled: false },
            timelines_access: TimelinesAccess {
                live_feeds: feeds("public"),
                hashtag_feeds: feeds("public"),
                trending_link_feeds: feeds("disabled"),
            },
            limited_federation: self.limited_federation,
        }
    }

    /// `GET /api/v2/instance`.
    pub fn v2(&self) -> Instance {
        let icon = |size: u32| Icon {
            src: format!("{}/assets/icon-{size}.png", self.site.origin),
            size: format!("{size}x{size}"),
        };
        Instance {
            domain: self.site.domain.clone(),
            title: self.title.to_owned(),
            version: version(),
            source_url: source_url(),
            description: self.description.to_owned(),
            usage: InstanceUsage { users: ActiveUsers { active_month: self.active_month } },
            thumbnail: Thumbnail { url: self.thumbnail(), blurhash: None, versions: BTreeMap::new() },
            icon: vec![icon(180), icon(512)],
            languages: vec!["en"],
            configuration: self.configuration(),
            registrations: Registrations {
                enabled: self.is_open(),
                approval_required: self.needs_approval(),
                reason_required: self.needs_approval(),
                message: None,
                min_age: None,
                url: None,
            },
            api_versions: ApiVersions { mastodon: API_VERSION },
            contact: Contact { email: self.email.to_owned(), account: self.contact.clone() },
            rules: Rule::all(self.rules),
        }
    }

    /// `GET /api/v1/instance`.
    pub fn v1(&self) -> V1Instance {
        V1Instance {
            uri: self.site.domain.clone(),
            title: self.title.to_owned(),
            short_description: self.description.to_owned(),
            description: self.description.to_owned(),
            email: self.email.to_owned(),
            version: version(),
            urls: V1Urls { streaming_api: streaming(self.site) },
            stats: V1Stats {
                user_count: self.users,
                status_count: self.statuses,
                domain_count: self.domains,
            },
            thumbnail: self.thumbnail(),
            languages: vec!["en"],
            registrations: self.is_open(),
            approval_required: self.needs_approval(),
            invites_enabled: self.registration == Registration::Invite,
            configuration: limits(),
            contact_account: self.contact.clone(),
            rules: Rule::all(self.rules),
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.registration, Registration::Open | Registration::Approval)
    }

    fn needs_approval(&self) -> bool {
        self.registration == Registration::Approval
    }
}

/// A longer text about the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ExtendedDescription {
    /// When it was written, as far as it is known.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// HTML.
    pub content: String,
}

/// What becomes of people's data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PrivacyPolicy {
    /// When it was written, as far as it is known.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// HTML.
    pub content: String,
}

/// On which terms the place may be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TermsOfService {
    /// From when on.
    #[schema(format = Date)]
    pub effective_date: String,
    /// Whether that day has come.
    pub effective: bool,
    /// The next version's day; there is none.
    #[schema(required, format = Date)]
    pub succeeded_by: Option<String>,
    /// HTML.
    pub content: String,
}

/// A week of the place; all numbers are text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ActivityWeek {
    /// Seconds since 1970 at its beginning.
    pub week: String,
    /// Posts written here.
    pub statuses: String,
    /// People who were here.
    pub logins: String,
    /// People who joined.
    pub registrations: String,
}

/// A language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Language {
    /// ISO 639 code.
    pub code: &'static str,
    /// In English.
    pub name: &'static str,
}
