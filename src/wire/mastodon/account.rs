//! Accounts (docs: entities/Account, CredentialAccount, Role, CustomEmoji).

use serde::Serialize;
use utoipa::ToSchema;

use super::FeaturedTag;
use super::words::{QuotePolicyWord, VisibilityWord};
use crate::base::Timestamp;
use crate::model::{self, ActorKind, CustomEmoji, QuotePolicy, Role, Site, User};

/// An account and how much it has of what is counted.
#[derive(Debug, Clone, Copy)]
pub struct Person<'a> {
    /// The account.
    pub account: &'a model::Account,
    /// Its posts and boosts.
    pub statuses: u64,
    /// Who follows it.
    pub followers: u64,
    /// Whom it follows.
    pub following: u64,
    /// Its role here, where it has one that is shown.
    pub role: Option<Role>,
}

/// A custom emoji.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Emoji {
    shortcode: String,
    #[schema(format = "uri")]
    url: String,
    #[schema(format = "uri")]
    static_url: String,
    visible_in_picker: bool,
    #[schema(required)]
    category: Option<String>,
}

impl Emoji {
    /// An emoji of this server.
    pub fn local(emoji: &CustomEmoji, visible_in_picker: bool, category: Option<String>) -> Emoji {
        Emoji { visible_in_picker, category, ..Emoji::from(emoji) }
    }

    /// The emoji as clients see it; the picture of another server's is passed
    /// on by us.
    pub fn new(site: &Site, emoji: &CustomEmoji) -> Emoji {
        Emoji::from(&CustomEmoji { url: site.passed_on(&emoji.url), ..emoji.clone() })
    }
}

impl From<&CustomEmoji> for Emoji {
    fn from(emoji: &CustomEmoji) -> Emoji {
        Emoji {
            shortcode: emoji.shortcode.clone(),
            url: emoji.url.clone(),
            static_url: emoji.url.clone(),
            visible_in_picker: true,
            category: None,
        }
    }
}

/// A row of a profile's table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Field {
    name: String,
    value: String,
    #[schema(required, format = DateTime)]
    verified_at: Option<String>,
}

/// A role as it is shown beside a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountRole {
    id: String,
    name: String,
    color: String,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Account {
    id: String,
    username: String,
    acct: String,
    display_name: String,
    locked: bool,
    bot: bool,
    discoverable: bool,
    indexable: bool,
    group: bool,
    #[schema(format = DateTime)]
    created_at: String,
    note: String,
    #[schema(format = "uri")]
    url: String,
    #[schema(format = "uri")]
    uri: String,
    #[schema(format = "uri")]
    avatar: String,
    #[schema(format = "uri")]
    avatar_static: String,
    avatar_description: String,
    #[schema(format = "uri")]
    header: String,
    #[schema(format = "uri")]
    header_static: String,
    header_description: String,
    followers_count: u64,
    following_count: u64,
    statuses_count: u64,
    #[schema(required, format = Date)]
    last_status_at: Option<String>,
    hide_collections: bool,
    emojis: Vec<Emoji>,
    fields: Vec<Field>,
    /// Only where it moved: the account that it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    moved: Option<Box<Account>>,
    /// Only for local accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    noindex: Option<bool>,
    /// Only for local accounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<Vec<AccountRole>>,
    /// Only where it is so: suspended by a moderator, and shown without
    /// anything that its owner wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended: Option<bool>,
    /// Only where it is so: limited by a moderator; clients ask before they
    /// show its profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    limited: Option<bool>,
}

impl Account {
    /// The account as clients see it.
    pub fn new(site: &Site, person: &Person<'_>) -> Account {
        let bare = person.account.suspended_at.map(|_| person.account.without_profile());
        let account = bare.as_ref().unwrap_or(person.account);
        let (avatar, header) = (site.avatar(account), site.header(account));
        let is_local = account.is_local();
        Account {
            id: account.id.to_string(),
            username: account.username.clone(),
            acct: account.acct(),
            display_name: account.display_name.clone(),
            locked: account.is_locked,
            bot: account.is_bot(),
            discoverable: account.is_discoverable,
            indexable: account.is_indexable,
            group: account.kind == ActorKind::Group,
            created_at: account.created_at.midnight().rfc3339(),
            note: account.note_html.clone(),
            url: if account.url.is_empty() { account.uri.clone() } else { account.url.clone() },
            uri: account.uri.clone(),
            avatar_static: avatar.clone(),
            avatar,
            avatar_description: String::new(),
            header_static: header.clone(),
            header,
            header_description: String::new(),
            followers_count: person.followers,
            following_count: person.following,
            statuses_count: person.statuses,
            last_status_at: account.last_status_at.map(Timestamp::date),
            hide_collections: account.hides_follows.unwrap_or_default(),
            emojis: account.emojis.iter().flatten().map(|emoji| Emoji::new(site, emoji)).collect(),
            fields: account.fields.iter().map(Field::html).collect(),
            moved: None,
            noindex: is_local.then_some(!account.is_indexable),
            roles: is_local.then(|| person.role.into_iter().filter_map(AccountRole::new).collect()),
            suspended: account.suspended_at.map(|_| true),
            limited: account.is_limited().then_some(true),
        }
    }

    /// The same, with where it moved. The target is shown without its own.
    #[must_use]
    pub fn moved_to(self, target: Account) -> Account {
        Account { moved: Some(Box::new(Account { moved: None, ..target })), ..self }
    }
}

impl Field {
    fn html(field: &model::Field) -> Field {
        let verified_at = field.verified_at.map(Timestamp::rfc3339);
        Field { name: field.name.clone(), value: field.value_html.clone(), verified_at }
    }

    fn text(field: &model::Field) -> Field {
        Field { value: field.value_text.clone(), ..Field::html(field) }
    }
}

/// Number and name of a role.
fn role_words(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::User => ("-99", ""),
        Role::Moderator => ("1", "Moderator"),
        Role::Admin => ("2", "Admin"),
        Role::Owner => ("3", "Owner"),
    }
}

impl AccountRole {
    fn new(role: Role) -> Option<AccountRole> {
        let (id, name) = role_words(role);
        let shown = AccountRole { id: id.into(), name: name.into(), color: String::new() };
        (role != Role::User).then_some(shown)
    }
}

/// A role with what it permits, for the one who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnRole {
    id: String,
    name: String,
    color: String,
    permissions: String,
    highlighted: bool,
}

impl From<Role> for OwnRole {
    fn from(role: Role) -> OwnRole {
        let (id, name) = role_words(role);
        OwnRole {
            id: id.into(),
            name: name.into(),
            color: String::new(),
            permissions: role.permissions().to_string(),
            highlighted: role != Role::User,
        }
    }
}

/// What a person typed, for forms that edit it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Source {
    #[schema(value_type = VisibilityWord)]
    privacy: &'static str,
    sensitive: bool,
    #[schema(required)]
    language: Option<String>,
    note: String,
    fields: Vec<Field>,
    follow_requests_count: u64,
    hide_collections: bool,
    discoverable: bool,
    indexable: bool,
    attribution_domains: Vec<String>,
    #[schema(value_type = QuotePolicyWord)]
    quote_policy: &'static str,
}

/// One's own account.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CredentialAccount {
    #[serde(flatten)]
    account: Account,
    source: Source,
    role: OwnRole,
}

impl CredentialAccount {
    /// The account as its own person sees it.
    pub fn new(site: &Site, person: &Person<'_>, user: &User, follow_requests: u64) -> CredentialAccount {
        let account = person.account;
        let person = Person { role: Some(user.role), ..*person };
        CredentialAccount {
            account: Account::new(site, &person),
            source: Source {
                privacy: user.defaults.visibility.word(),
                sensitive: user.defaults.sensitive,
                language: user.defaults.language.clone(),
                note: account.note_text.clone(),
                fields: account.fields.iter().map(Field::text).collect(),
                follow_requests_count: follow_requests,
                hide_collections: account.hides_follows.unwrap_or_default(),
                discoverable: account.is_discoverable,
                indexable: account.is_indexable,
                attribution_domains: account.attribution_domains.clone().unwrap_or_default(),
                quote_policy: user.defaults.quote_policy.as_ref().map_or("public", QuotePolicy::word),
            },
            role: user.role.into(),
        }
    }
}

/// One's own profile as it is edited (docs: entities/Profile).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Profile {
    id: String,
    display_name: String,
    /// As it was typed.
    note: String,
    /// As they were typed.
    fields: Vec<Field>,
    #[schema(required, format = "uri")]
    avatar: Option<String>,
    #[schema(required, format = "uri")]
    avatar_static: Option<String>,
    avatar_description: String,
    #[schema(required, format = "uri")]
    header: Option<String>,
    #[schema(required, format = "uri")]
    header_static: Option<String>,
    header_description: String,
    locked: bool,
    bot: bool,
    hide_collections: bool,
    discoverable: bool,
    indexable: bool,
    show_media: bool,
    show_media_replies: bool,
    show_featured: bool,
    attribution_domains: Vec<String>,
    featured_tags: Vec<FeaturedTag>,
}

impl Profile {
    /// The profile as its own person edits it.
    pub fn new(site: &Site, account: &model::Account, featured_tags: Vec<FeaturedTag>) -> Profile {
        let avatar = account.avatar.as_ref().map(|picture| site.picture_url(picture));
        let header = account.header.as_ref().map(|picture| site.picture_url(picture));
        let tabs = account.tabs.unwrap_or_default();
        Profile {
            id: account.id.to_string(),
            display_name: account.display_name.clone(),
            note: account.note_text.clone(),
            fields: account.fields.iter().map(Field::text).collect(),
            avatar_static: avatar.clone(),
            avatar,
            avatar_description: String::new(),
            header_static: header.clone(),
            header,
            header_description: String::new(),
            locked: account.is_locked,
            bot: account.is_bot(),
            hide_collections: account.hides_follows.unwrap_or_default(),
            discoverable: account.is_discoverable,
            indexable: account.is_indexable,
            show_media: tabs.media,
            show_media_replies: tabs.media_replies,
            show_featured: tabs.featured,
            attribution_domains: account.attribution_domains.clone().unwrap_or_default(),
            featured_tags,
        }
    }
}

/// Whom of one's follows follow an account (docs: entities/FamiliarFollowers).
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FamiliarFollowers {
    /// The account.
    pub id: String,
    /// Those who follow it.
    pub accounts: Vec<Account>,
}

/// Somebody who is muted.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MutedAccount {
    /// Who.
    #[serde(flatten)]
    pub account: Account,
    /// When the mute ends.
    #[schema(required, format = DateTime)]
    pub mute_expires_at: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Id;
    use serde_json::{Value, json};

    fn site() -> Site {
        Site::new("https", "social.example")
    }

    fn value(account: &model::Account) -> Value {
        let person = Person { account, statuses: 3, followers: 2, following: 1, role: Some(Role::Owner) };
        serde_json::to_value(Account::new(&site(), &person)).unwrap()
    }

    #[test]
    fn a_local_account_has_every_key() {
        let account = model::Account {
            id: Id(7),
            username: "Ana".into(),
            url: "https://social.example/@Ana".into(),
            uri: "https://social.example/ap/users/7".into(),
            created_at: Timestamp::from_millis(1_700_000_000_007),
            last_status_at: Some(Timestamp::from_millis(1_700_000_000_007)),
            ..model::Account::default()
        };
        let value = value(&account);
        assert_eq!(value["id"], "7");
        assert_eq!(value["created_at"], "2023-11-14T00:00:00.000Z");
        assert_eq!(value["last_status_at"], "2023-11-14");
        assert_eq!(value["avatar"], "https://social.example/assets/avatar.png");
        assert_eq!(value["header_static"], "https://social.example/assets/header.jpg");
        assert_eq!(value["roles"], json!([{"id": "3", "name": "Owner", "color": ""}]));
        assert_eq!(value["noindex"], true);
        let keys = "acct avatar avatar_static bot created_at discoverable display_name emojis fields \
            followers_count following_count group header header_static id last_status_at locked note \
            statuses_count uri url username indexable hide_collections";
        for key in keys.split_whitespace() {
            assert!(value.get(key).is_some(), "{key}");
        }
    }

    #[test]
    fn a_remote_account_has_no_role_and_a_full_name() {
        let account = model::Account {
            username: "bea".into(),
            domain: Some("b.example".into()),
            uri: "https://b.example/u/1".into(),
            ..model::Account::default()
        };
        let value = value(&account);
        assert_eq!(
            (&value["acct"], &value["url"]),
            (&json!("bea@b.example"), &json!("https://b.example/u/1"))
        );
        assert!(value.get("roles").is_none() && value.get("noindex").is_none());
        assert_eq!(value["last_status_at"], Value::Null);
    }
}
