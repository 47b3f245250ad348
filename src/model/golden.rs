//! Rows of posts as they are kept for ever; see [`crate::store::golden`].

use super::*;
use crate::base::{Id, Timestamp};
use crate::store::golden::check;

const AT: Timestamp = Timestamp::from_millis(1_764_000_000_123);

fn status() -> Status {
    Status {
        id: Id(9),
        account: Id(7),
        uri: "https://social.example/ap/users/7/statuses/9".into(),
        url: Some("https://social.example/@ana/9".into()),
        content_html: "<p>hi</p>".into(),
        text: "hi".into(),
        spoiler_text: "cw".into(),
        visibility: Visibility::Private,
        sensitive: true,
        language: Some("en".into()),
        in_reply_to: Some(Id(5)),
        in_reply_to_account: Some(Id(6)),
        in_reply_to_uri: Some("https://b.example/5".into()),
        reblog_of: Some(Id(3)),
        reblog_of_account: Some(Id(4)),
        created_at: AT,
        edited_at: Some(AT),
        mentions: vec![Mention {
            account: Id(6),
            username: "ben".into(),
            acct: "ben@b.example".into(),
            url: "https://b.example/@ben".into(),
            uri: "https://b.example/users/ben".into(),
            is_silent: true,
        }],
        tags: vec!["Rust".into()],
        attachments: vec![Attachment {
            id: Id(8),
            kind: AttachmentKind::Gifv,
            remote_url: Some("https://b.example/a".into()),
            description: Some("alt".into()),
            media_type: Some("video/mp4".into()),
            blurhash: Some("LEHV6n".into()),
            width: Some(1),
            height: Some(2),
            focus: Some((-500, 500)),
            ..Attachment::default()
        }],
        emojis: vec![CustomEmoji { shortcode: "fox".into(), url: "https://b.example/fox".into() }],
        application: Some(Application { name: "app".into(), website: Some("https://app.example".into()) }),
        is_local: true,
        thread: Id(2),
        poll: None,
        quote: None,
        quote_policy: None,
        link: None,
    }
}

fn filters() -> Filters {
    let filter = Filter {
        id: Id(1),
        title: "a".into(),
        contexts: FilterContext::ALL.to_vec(),
        action: FilterAction::Hide,
        expires_at: Some(AT),
        keywords: vec![FilterKeyword { id: Id(2), keyword: "b".into(), whole_word: true }],
        statuses: vec![FilterStatus { id: Id(3), status: Id(4) }],
    };
    Filters { all: vec![filter] }
}

#[test]
fn rows_of_media_read_for_ever() {
    let media = Media {
        attachment: Attachment {
            id: Id(8),
            kind: AttachmentKind::Image,
            media_type: Some("image/png".into()),
            file: Some("0a.png".into()),
            preview: Some("0a-small.jpg".into()),
            preview_size: Some((3, 4)),
            duration_ms: Some(5),
            ..Attachment::default()
        },
        owner: Id(7),
        state: MediaState::Ready,
        stem: "0a".into(),
        status: Some(Id(9)),
        expires_at: Some(AT),
        created_at: AT,
    };
    check("media", &media).unwrap();
    let cached = CachedFile { name: "cache/0a.png".into(), bytes: 9, fetched_at: AT, used_at: AT };
    check("cached-file", &cached).unwrap();
}

fn card() -> PreviewCard {
    PreviewCard {
        url: "https://c.example/x".into(),
        state: CardState::Ready,
        since: AT,
        title: "a".into(),
        description: "b".into(),
        author_name: "c".into(),
        author_url: Some("https://c.example/c".into()),
        provider_name: "d".into(),
        image: Some("https://c.example/d".into()),
        image_description: "e".into(),
        width: 1,
        height: 2,
        published_at: Some(AT),
        language: Some("en".into()),
        ..PreviewCard::default()
    }
}

#[test]
fn rows_of_posts_read_for_ever() {
    check("status", &status()).unwrap();
    let link = Some("https://c.example/x".into());
    check("preview-card", &card()).unwrap();
    check("status-link", &Status { link, ..status() }).unwrap();
    check("timeline-entry", &status().entry()).unwrap();
    let interaction = Interaction {
        favourite: Some(Id(1)),
        bookmark: Some(Id(2)),
        reblog: Some(Id(3)),
        muted: true,
        pin: Some(Id(4)),
        favourite_uri: Some("https://b.example/like".into()),
        ballot: None,
    };
    check("interaction", &interaction).unwrap();
    let ballot = Some(Ballot { round: 1, choices: vec![0, 2] });
    check("interaction-ballot", &Interaction { ballot, ..interaction.clone() }).unwrap();
    let poll = Poll {
        options: vec![PollOption { title: "wren".into(), votes: 3 }],
        multiple: true,
        hide_totals: true,
        expires_at: Some(AT),
        voters: Some(2),
        round: 1,
        is_tally_due: true,
        is_watched: true,
        ended: Some(Id(10)),
        is_told: true,
    };
    check("status-poll", &Status { poll: Some(poll), ..status() }).unwrap();
    let kind = NotificationKind::Update;
    let notification = Notification {
        id: Id(1),
        kind,
        from: Id(2),
        status: Some(Id(3)),
        created_at: AT,
        is_filtered: false,
        group_hour: None,
        about: None,
    };
    check("notification", &notification).unwrap();
    let grouped =
        Notification { is_filtered: true, group_hour: Some(490_000), about: Some(Id(4)), ..notification };
    check("notification-grouped", &grouped).unwrap();
    check("notification-group", &GroupBegin { hour: 490_000 }).unwrap();
    check("notification-policy", &NotificationPolicy::default()).unwrap();
    let request = NotificationRequest {
        id: Id(1),
        from: Id(2),
        last_status: Some(Id(3)),
        notifications: 4,
        created_at: AT,
        updated_at: AT,
    };
    check("notification-request", &request).unwrap();
    check("filters", &filters()).unwrap();
    check("marker", &Marker { last_read: Id(1), version: 2, updated_at: AT }).unwrap();
    let tombstone = tables::TombstoneRow {
        deleted_at: AT,
        former_type: "Note".into(),
        actor_uri: "https://b.example/users/ben".into(),
    };
    check("tombstone", &tombstone).unwrap();
}

#[test]
fn rows_of_pushes_read_for_ever() {
    let subscription = PushSubscription {
        number: 7,
        account: Id(2),
        endpoint: "https://push.example/x".into(),
        public_key: vec![4; 65],
        auth: vec![9; 16],
        standard: true,
        alerts: vec![NotificationKind::Mention, NotificationKind::Poll],
        policy: PushPolicy::Follower,
    };
    check("push-subscription", &subscription).unwrap();
}

#[test]
fn rows_of_warnings_read_for_ever() {
    let warning = Warning {
        id: Id(1),
        target: Id(2),
        by: Id(3),
        action: WarningAction::Silence,
        text: "be kind".into(),
        statuses: vec![Id(4)],
        report: Some(Id(5)),
        created_at: AT,
    };
    check("warning", &warning).unwrap();
    let severance = Severance {
        id: Id(1),
        account: Id(2),
        kind: SeveranceKind::UserDomainBlock,
        target: "b.example".into(),
        followers: 3,
        following: 4,
        created_at: AT,
    };
    check("severance", &severance).unwrap();
}

#[test]
fn rows_of_webhooks_read_for_ever() {
    let webhook = Webhook {
        id: Id(1),
        url: "https://hook.example/x".into(),
        events: WebhookEvent::ALL.to_vec(),
        secret: "a".into(),
        is_enabled: true,
        created_at: AT,
        updated_at: AT,
    };
    check("webhook", &webhook).unwrap();
}

#[test]
fn rows_of_people_read_for_ever() {
    let account = Account {
        id: Id(7),
        username: "ana".into(),
        domain: Some("b.example".into()),
        display_name: "Ana".into(),
        note_html: "<p>hi</p>".into(),
        note_text: "hi".into(),
        fields: vec![Field {
            name: "site".into(),
            value_html: "<a>b</a>".into(),
            value_text: "b".into(),
            verified_at: Some(AT),
        }],
        avatar: Some(Picture::Local("0a.png".into())),
        header: Some(Picture::Remote("https://b.example/h.png".into())),
        uri: "https://b.example/u/7".into(),
        url: "https://b.example/@ana".into(),
        inbox: "https://b.example/u/7/inbox".into(),
        shared_inbox: Some("https://b.example/inbox".into()),
        followers_uri: "https://b.example/u/7/followers".into(),
        following_uri: "https://b.example/u/7/following".into(),
        outbox_uri: "https://b.example/u/7/outbox".into(),
        featured_uri: "https://b.example/u/7/featured".into(),
        key_id: "https://b.example/u/7#key".into(),
        public_key_pem: "pem".into(),
        kind: ActorKind::Service,
        is_locked: true,
        is_discoverable: true,
        is_indexable: true,
        created_at: AT,
        fetched_at: AT,
        last_status_at: Some(AT),
        suspended_at: Some(AT),
        deleted_at: None,
        also_known_as: vec!["https://c.example/u/1".into()],
        moved_to: Some("https://c.example/u/1".into()),
        emojis: Some(vec![CustomEmoji { shortcode: "fox".into(), url: "https://b.example/fox".into() }]),
        previous_key: Some(("old".into(), AT)),
        silenced_at: Some(AT),
        sensitized_at: Some(AT),
        hides_follows: Some(true),
        attribution_domains: Some(vec!["b.example".into()]),
        tabs: Some(ProfileTabs { media: true, media_replies: false, featured: true }),
        waits: None,
    };
    check("account", &account).unwrap();
    check("account-waiting", &Account { waits: Some(true), ..account }).unwrap();

    let once = OneTime { digest: [7; 32], expires_at: AT };
    let user = User {
        id: Id(7),
        password_hash: "hash".into(),
        email: Some("ana@b.example".into()),
        role: Role::Moderator,
        state: UserState::Pending,
        created_at: AT,
        defaults: PostingDefaults { sensitive: true, ..PostingDefaults::default() },
        reason: Some("birds".into()),
        invited_by: Some(Id(1)),
        app: Some(Id(2)),
        locale: Some("en".into()),
        has_push: true,
        awaits_confirmation: true,
        confirmation: Some(once.clone()),
        reset: Some(once),
        new_email: Some("new@b.example".into()),
    };
    check("user", &user).unwrap();
}
