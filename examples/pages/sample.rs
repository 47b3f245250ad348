//! Made-up people and posts: friendly ones and ones that try to break out.

use askama::Template;
use waxwing::base::Timestamp;
use waxwing::edge::web::assets;
use waxwing::edge::web::pages::*;
use waxwing::edge::web::view::*;
use waxwing::model::{NotificationKind, Registration, Visibility};
use waxwing::wire::text::escape;

const NOW: &str = "2026-11-23T10:00:00Z";
/// What somebody would write who wants to run a script on the page.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>";

pub(crate) fn when(iso: &str) -> When {
    let parse = |text| Timestamp::parse_rfc3339(text).expect("a constant date");
    When::new(parse(iso), parse(NOW))
}

/// The default picture in other colours, so that people can be told apart.
fn plumage(id: u64) -> String {
    const COLOURS: [(&str, &str, &str); 3] = [
        ("%23dfe3d0", "%237f8f6a", "%23566645"),
        ("%23d8dfe4", "%236f8796", "%23475c6a"),
        ("%23ecd5cc", "%23a86b58", "%23774636"),
    ];
    let svg = include_str!("../../assets/avatar.svg").replace('\n', "").replace('"', "'").replace('#', "%23");
    match id {
        1 => assets::url("avatar.svg").to_owned(),
        id => {
            let (sky, feather, crest) = COLOURS[(id % 3) as usize];
            let svg = svg.replace("%23e6d8c6", sky).replace("%23b28a66", feather).replace("%238f6c4e", crest);
            format!(
                "data:image/svg+xml,{}",
                svg.replace('<', "%3C").replace('>', "%3E").replace("//", "%2F%2F")
            )
        }
    }
}

fn person(id: u64, name: &str, acct: &str) -> PersonView {
    PersonView {
        id: id.to_string(),
        name: name.to_owned(),
        name_html: escape(name),
        acct: acct.to_owned(),
        path: format!("/@{acct}"),
        avatar: plumage(id),
        is_bot: acct.contains("bot"),
    }
}

fn post(id: u64, author: &PersonView, at: &str, html: &str) -> PostView {
    PostView {
        id: id.to_string(),
        entry_id: id.to_string(),
        path: format!("{}/{id}", author.path),
        remote_url: author.acct.contains('@').then(|| "https://far.example/p/1".to_owned()),
        activity_url: None,
        author: author.clone(),
        boosted_by: None,
        reply_to: None,
        created: when(at),
        edited: None,
        visibility: Visibility::Public,
        spoiler: String::new(),
        spoiler_html: String::new(),
        content_html: html.to_owned(),
        content_text: "Seven waxwings in the rowan this morning.".to_owned(),
        language: "en".to_owned(),
        is_sensitive: false,
        poll: None,
        media: Vec::new(),
        quote: None,
        card: None,
        leave: QuoteLeave::Yes,
        quotes: 0,
        replies: 0,
        boosts: 0,
        likes: 0,
        is_liked: false,
        is_boosted: false,
        is_bookmarked: false,
        is_pinned: false,
        is_thread_muted: false,
        is_mine: false,
        is_focus: false,
    }
}

pub(crate) fn picture(alt: &str) -> MediaView {
    let url = assets::url("header.svg").to_owned();
    MediaView {
        kind: MediaKind::Image,
        url: url.clone(),
        preview_url: url,
        alt: alt.to_owned(),
        size: Some((640, 360)),
    }
}

fn poll(first: &str) -> PollView {
    let choice = |title: &str, percent: u64| ChoiceView {
        title: title.to_owned(),
        title_html: escape(title),
        percent: Some(percent * 100),
        is_mine: percent > 50,
    };
    PollView {
        choices: vec![choice(first, 75), choice("Juniper", 25)],
        multiple: false,
        can_vote: true,
        votes: 4,
        is_over: false,
        ends: Some(when("2026-11-24T10:00:00Z")),
    }
}

fn card(title: &str) -> CardView {
    CardView {
        url: "https://far.example/rowan".to_owned(),
        title: title.to_owned(),
        description: title.to_owned(),
        provider: "far.example".to_owned(),
        author: title.to_owned(),
        picture: Some(assets::url("header.svg").to_owned()),
        picture_alt: title.to_owned(),
        is_wide: true,
    }
}

/// A page of posts of many kinds.
pub(crate) fn posts() -> Vec<PostView> {
    let (ana, ben) = (person(1, "Ana Vireo", "ana"), person(2, "Ben Okafor", "ben"));
    let mia = person(3, "Mia Lindqvist 🐦", "mia@fågelby.example");
    let bot = person(4, "Rowan watch", "rowanbot@birds.example");
    let mut all = vec![
        PostView {
            is_liked: true,
            likes: 12,
            boosts: 3,
            replies: 4,
            is_mine: true,
            ..post(
                101,
                &ana,
                "2026-11-23T09:56:00Z",
                "<p>Seven waxwings in the rowan this morning. They pass berries along the branch, beak to beak, until one of them is hungry enough.</p><p><a href=\"/tags/birds\" class=\"mention hashtag\" rel=\"tag\">#<span>birds</span></a> <a href=\"/tags/november\" rel=\"tag\">#<span>november</span></a></p>",
            )
        },
        PostView {
            media: vec![picture("A branch with red berries before soft hills")],
            boosts: 41,
            likes: 1290,
            is_boosted: true,
            boosted_by: Some(ben.clone()),
            entry_id: "9102".into(),
            ..post(
                102,
                &mia,
                "2026-11-23T07:12:00Z",
                "<p>The light was like this for about four minutes.</p>",
            )
        },
        PostView {
            spoiler: "Spoilers for the heron book".into(),
            spoiler_html: "Spoilers for the heron book".into(),
            replies: 2,
            ..post(103, &ben, "2026-11-22T19:00:00Z", "<p>It was the coot all along.</p>")
        },
        PostView {
            reply_to: Some(ReplyTo { acct: "ana".into(), path: Some("/@ana/101".into()) }),
            visibility: Visibility::Private,
            edited: Some(when(NOW)),
            ..post(
                104,
                &ben,
                "2026-11-21T12:00:00Z",
                "<p><a href=\"/@ana\" class=\"u-url mention\">@<span>ana</span></a> does it count as sharing if they are standing in line?</p><blockquote><p>They pass berries along the branch</p></blockquote><p>Read <a href=\"https://example.com/a/long/path\" rel=\"nofollow noopener\"><span class=\"invisible\">https://</span><span class=\"ellipsis\">example.com/a/long</span><span class=\"invisible\">/path</span></a></p>",
            )
        },
        PostView {
            media: vec![picture("One"), picture("Two"), picture("Three"), picture("Four")],
            is_sensitive: true,
            is_bookmarked: true,
            ..post(105, &bot, "2026-11-02T12:00:00Z", "<p>Rowan, hawthorn, juniper, mistletoe.</p>")
        },
        PostView {
            visibility: Visibility::Direct,
            language: "ar".into(),
            ..post(106, &mia, "2025-05-02T12:00:00Z", "<p>صباح الخير يا آنا، رأيت طائرًا جميلًا اليوم.</p>")
        },
    ];
    let mut hostile = post(107, &person(7, HOSTILE, "eve@evil.example"), NOW, "<p>clean</p>");
    hostile.spoiler = HOSTILE.to_owned();
    hostile.spoiler_html = escape(HOSTILE);
    hostile.poll = Some(poll(HOSTILE));
    hostile.card = Some(card(HOSTILE));
    hostile.quote = Some(QuotedView { why: HOSTILE.to_owned(), post: Some(Box::new(all[0].clone())) });
    hostile.content_text = HOSTILE.to_owned();
    hostile.media = vec![picture(HOSTILE)];
    hostile.author.name = format!("{HOSTILE}{}", "very-long-name".repeat(12));
    all.push(hostile);
    all
}

pub(crate) fn shell(title: &str, here: &str, theme: Theme) -> Shell {
    Shell {
        title: title.to_owned(),
        site: Site {
            title: "Rowan Street".to_owned(),
            host: "rowan.example".to_owned(),
            origin: "https://rowan.example".to_owned(),
            description: "A quiet server for people who look out of the window.".to_owned(),
            sign_ups: Registration::Approval,
            users: 128,
            posts: 54_321,
        },
        viewer: Some(Viewer {
            person: person(1, "Ana Vireo", "ana"),
            unread: 3,
            follow_requests: 1,
            is_owner: true,
            is_moderator: true,
        }),
        here: here.to_owned(),
        csrf: "csrf-token".to_owned(),
        theme,
        notice: None,
        head: Head {
            description: Some(HOSTILE.to_owned()),
            canonical: Some(format!("https://rowan.example{here}")),
            activity_url: Some("https://rowan.example/ap/users/1".to_owned()),
            og_type: Some("website"),
            ..Head::default()
        },
    }
}

fn visitor(title: &str, here: &str, theme: Theme, sign_ups: Registration) -> Shell {
    let mut shell = shell(title, here, theme);
    shell.viewer = None;
    shell.site.sign_ups = sign_ups;
    shell
}

fn compose(reply_to: &str) -> ComposeForm {
    ComposeForm {
        text: if reply_to.is_empty() { String::new() } else { "@ben ".to_owned() },
        spoiler: String::new(),
        visibility: Visibility::Public,
        language: "en".to_owned(),
        reply_to: reply_to.to_owned(),
        key: "key".to_owned(),
        is_sensitive: false,
        attached: Vec::new(),
        poll: PollForm::default(),
        has_poll: false,
        edits: String::new(),
        later: String::new(),
        quoted: None,
        quote_policy: "public".to_owned(),
        faults: Faults::none(),
        characters_max: 500,
    }
}

/// A whole profile.
fn account() -> AccountView {
    AccountView {
        person: person(2, "Ben Okafor", "ben"),
        full_acct: "ben@rowan.example".to_owned(),
        header: assets::url("header.svg").to_owned(),
        note_html: "<p>Carpenter. Counts birds on Sundays, badly. <a href=\"/tags/rowan\">#rowan</a></p>"
            .to_owned(),
        note_text: HOSTILE.to_owned(),
        fields: vec![
            FieldView {
                name: "Site".to_owned(),
                value_html: "<a href=\"https://ben.example\" rel=\"me nofollow noopener\">ben.example</a>"
                    .to_owned(),
                verified: Some(when("2026-10-01T00:00:00Z")),
            },
            FieldView { name: HOSTILE.to_owned(), value_html: "he/him".to_owned(), verified: None },
        ],
        posts: 1_204,
        followers: 1,
        following: 87,
        is_locked: true,
        joined: when("2025-04-01T00:00:00Z"),
        remote_url: None,
        activity_url: Some("https://rowan.example/ap/users/2".to_owned()),
        relation: Some(RelationView { is_follower: true, ..RelationView::default() }),
    }
}

pub(crate) fn people() -> Vec<PersonRow> {
    let relation = |is_following, is_requested| {
        Some(RelationView {
            is_following,
            is_requested,
            is_follower: !is_requested,
            ..RelationView::default()
        })
    };
    vec![
        PersonRow { person: person(2, "Ben Okafor", "ben"), relation: relation(true, false), until: None },
        PersonRow {
            person: person(3, "Mia Lindqvist 🐦", "mia@fågelby.example"),
            relation: relation(false, false),
            until: None,
        },
        PersonRow {
            person: person(7, HOSTILE, "eve@evil.example"),
            relation: relation(false, true),
            until: Some(when(NOW)),
        },
    ]
}

fn notifications() -> Vec<NotificationView> {
    let all = posts();
    let from = person(2, "Ben Okafor", "ben");
    let item = |n: usize, kind, post: Option<PostView>| NotificationView {
        id: n.to_string(),
        kind,
        from: from.clone(),
        created: when("2026-11-23T09:40:00Z"),
        post,
        detail: None,
        is_new: n < 3,
    };
    vec![
        item(1, NotificationKind::Favourite, Some(all[0].clone())),
        item(2, NotificationKind::Mention, Some(all[3].clone())),
        item(3, NotificationKind::FollowRequest, None),
        item(4, NotificationKind::Reblog, Some(all[0].clone())),
        item(5, NotificationKind::Follow, None),
        item(6, NotificationKind::Reblog, Some(all[6].clone())),
    ]
}

fn sign_up_form(invite: &str, faults: Faults) -> SignUpForm {
    SignUpForm { username: HOSTILE.to_owned(), invite: invite.to_owned(), faults, ..SignUpForm::default() }
}

fn sign_up(title: &str, theme: Theme, mode: Registration, is_invited: bool) -> SignUpPage {
    SignUpPage {
        shell: visitor(title, "/signup", theme, mode),
        form: sign_up_form("abc", Faults::none()),
        is_invited,
        password_min: 8,
    }
}

fn decision(by: &str, deed: &str, note: &str) -> DecisionView {
    DecisionView {
        by: by.into(),
        deed: deed.into(),
        name: "eve@evil.example".into(),
        note: note.into(),
        at: when(NOW),
    }
}

pub(crate) fn html(page: &impl Template) -> String {
    page.render().expect("templates print into memory")
}

/// Every page: its name and its HTML.
pub(crate) fn pages(theme: Theme) -> Vec<(&'static str, String)> {
    let mut pages = reading(theme);
    pages.extend(people_pages(theme));
    pages.extend(account_pages(theme));
    pages.extend(crate::own::pages(theme));
    pages
}

/// A post that is on its way still; a host that somebody chose to look like a tag.
fn reach() -> ReachView {
    let failure = |host: &str, reason| FailureView { host: host.to_owned(), reason, at: when(NOW) };
    ReachView {
        path: "/posts/1/reach".to_owned(),
        is_moving: true,
        unit: ("server", "servers"),
        delivered: 1204,
        pending: 1,
        failed: 2,
        failures: vec![
            failure("gone.example", "They refused it"),
            failure("<script>alert(3)</script>", "Every retry failed"),
        ],
    }
}

fn reading(theme: Theme) -> Vec<(&'static str, String)> {
    let all = posts();
    let shell = |title: &str, here: &str| shell(title, here, theme);
    let timeline = |posts: Vec<PostView>, here: &str, live: &str| TimelinePage {
        shell: shell(if here == "/" { "Home" } else { "Local" }, here),
        older: (!posts.is_empty()).then(|| "/?max_id=1".to_owned()),
        newer: None,
        posts,
        compose: Some(compose("")),
        tag: None,
        more: None,
        live: live.to_owned(),
        empty: Empty("A quiet branch", "Follow some people, and what they write will appear here."),
    };
    let mut home = timeline(all.clone(), "/", "home");
    home.shell.notice = Some(Notice::Posted);
    let mut focus = all[0].clone();
    focus.is_focus = true;
    vec![
        (
            "landing",
            html(&LandingPage {
                shell: visitor("Rowan Street", "/", theme, Registration::Open),
                posts: all[..3].to_vec(),
            }),
        ),
        ("home", html(&home)),
        ("home-empty", html(&timeline(Vec::new(), "/", "home"))),
        (
            "local-visitor",
            html(&TimelinePage {
                shell: visitor("Local", "/local", theme, Registration::Invite),
                compose: None,
                ..timeline(all.clone(), "/local", "local")
            }),
        ),
        (
            "tag",
            html(&TimelinePage {
                shell: shell("#birds", "/tags/birds"),
                compose: None,
                tag: Some(TagButton {
                    name: "#birds".into(),
                    path: "/tags/birds".into(),
                    is_following: false,
                }),
                ..timeline(all.clone(), "/tags/birds", "")
            }),
        ),
        (
            "thread",
            html(&ThreadPage {
                shell: shell("Ana Vireo: “Seven waxwings…”", "/@ana/101"),
                above: vec![all[1].clone(), all[2].clone()],
                focus,
                reach: Some(reach()),
                below: vec![all[3].clone(), all[4].clone()],
                compose: Some(compose("101")),
            }),
        ),
        (
            "compose",
            html(&ComposePage {
                shell: shell("Write a reply", "/compose"),
                form: ComposeForm {
                    faults: Faults::one("", "A post needs some text."),
                    spoiler: HOSTILE.into(),
                    text: HOSTILE.into(),
                    attached: vec![AttachedFile { id: "9".into(), shown: picture(HOSTILE) }],
                    ..compose("103")
                },
                answered: Some(all[2].clone()),
            }),
        ),
        (
            "delete",
            html(&DeletePage {
                shell: shell("Delete this post?", "/posts/101/delete"),
                post: all[0].clone(),
            }),
        ),
        (
            "search",
            html(&SearchPage {
                shell: shell("Search", "/search?q=rowan"),
                query: "rowan".into(),
                people: people(),
                posts: all[..1].to_vec(),
                tags: vec!["rowan".into(), "mañana".into()],
                trouble: Some("far.example does not answer.".into()),
            }),
        ),
        (
            "search-nothing",
            html(&SearchPage {
                shell: shell("Search", "/search"),
                query: HOSTILE.into(),
                people: vec![],
                posts: vec![],
                tags: vec![],
                trouble: None,
            }),
        ),
        (
            "notifications",
            html(&NotificationsPage {
                shell: shell("Notifications", "/notifications"),
                items: notifications(),
                only_mentions: false,
                waiting: 2,
                older: None,
            }),
        ),
    ]
}

fn people_pages(theme: Theme) -> Vec<(&'static str, String)> {
    let all = posts();
    let shell = |title: &str, here: &str| shell(title, here, theme);
    let list = |title: &str, people: Vec<PersonRow>, acts| PeoplePage {
        shell: shell(title, "/@ben/followers"),
        back: Some(("/@ben".to_owned(), "Ben Okafor".to_owned())),
        people,
        acts,
        is_setting: false,
        older: None,
        empty: Empty("Nobody yet", "When somebody follows, they will be listed here."),
    };
    let mut mine = account();
    mine.person = person(1, "Ana Vireo", "ana");
    mine.relation = Some(RelationView { is_self: true, ..RelationView::default() });
    vec![
        (
            "profile",
            html(&ProfilePage {
                shell: shell("Ben Okafor (@ben@rowan.example)", "/@ben"),
                account: account(),
                tab: "posts",
                has_media: true,
                pinned: all[..1].to_vec(),
                posts: all[1..4].to_vec(),
                older: Some("/@ben?max_id=1".into()),
            }),
        ),
        (
            "profile-mine",
            html(&ProfilePage {
                shell: shell("Ana Vireo", "/@ana"),
                account: mine.clone(),
                tab: "media",
                has_media: true,
                pinned: vec![],
                posts: vec![],
                older: None,
            }),
        ),
        (
            "profile-visitor",
            html(&ProfilePage {
                shell: visitor("Ben Okafor", "/@ben", theme, Registration::Open),
                account: AccountView { relation: None, ..account() },
                tab: "posts",
                has_media: true,
                pinned: vec![],
                posts: all[..2].to_vec(),
                older: None,
            }),
        ),
        ("followers", html(&list("Followers", people(), RowActs::Follow))),
        ("followers-empty", html(&list("Followers", vec![], RowActs::Follow))),
        ("follow-requests", html(&list("Follow requests", people(), RowActs::Answer))),
        (
            "settings-profile",
            html(&EditProfilePage {
                shell: shell("Settings", "/settings/profile"),
                account: mine,
                form: ProfileForm {
                    name: HOSTILE.into(),
                    note: HOSTILE.into(),
                    fields: vec![
                        ("Site".into(), HOSTILE.into()),
                        Default::default(),
                        Default::default(),
                        Default::default(),
                    ],
                    is_locked: true,
                    faults: Faults::one(
                        "avatar",
                        "This file is not a picture that can be read. Use PNG, JPEG, GIF or WebP.",
                    ),
                    ..ProfileForm::default()
                },
            }),
        ),
        (
            "settings-security",
            html(&SecurityPage {
                shell: shell("Settings", "/settings/security"),
                email: "ana@mail.example".into(),
                new_email: Some("ana@other.example".into()),
                sessions: vec![
                    SessionView {
                        id: "1".into(),
                        browser: "Firefox on Linux".into(),
                        created: when("2026-11-01T00:00:00Z"),
                        seen: when(NOW),
                        is_this: true,
                    },
                    SessionView {
                        id: "2".into(),
                        browser: HOSTILE.into(),
                        created: when("2026-10-01T00:00:00Z"),
                        seen: when("2026-11-20T00:00:00Z"),
                        is_this: false,
                    },
                ],
                faults: Faults::one("current", "That is not your present password."),
            }),
        ),
        (
            "settings-webhooks",
            html(&WebhooksPage {
                shell: shell("Webhooks", "/settings/webhooks"),
                webhooks: vec![WebhookView {
                    id: "3".into(),
                    url: "https://hooks.example/waxwing".into(),
                    host: "hooks.example".into(),
                    events: vec!["report.created".into(), "account.created".into()],
                    is_enabled: true,
                    created: when(NOW),
                }],
                form: WebhookForm {
                    url: HOSTILE.into(),
                    events: vec!["status.created".into()],
                    faults: Faults::one("", "Validation failed: Url is not a valid URL of a public server"),
                },
                secret: Some(WebhookSecret {
                    url: "https://hooks.example/waxwing".into(),
                    secret: "5bZ0l2v".into(),
                }),
            }),
        ),
        (
            "settings-decisions",
            html(&DecisionsPage {
                shell: shell("Decisions", "/settings/decisions"),
                decisions: vec![decision("@moe", "suspended", ""), decision(HOSTILE, "warned", HOSTILE)],
                older: Some("/settings/decisions?max_id=1".into()),
            }),
        ),
        (
            "severed",
            html(&SeveredPage {
                shell: shell("Lost follows", "/severed_relationships"),
                events: vec![SeveredView {
                    id: "7".into(),
                    cause: "This server blocked",
                    target: HOSTILE.into(),
                    loss: "3 followers are".into(),
                    has_followers: true,
                    has_following: true,
                    at: when(NOW),
                }],
                older: None,
            }),
        ),
        (
            "settings-joining",
            html(&JoiningPage {
                shell: shell("Settings", "/settings/joining"),
                pending: vec![PendingView {
                    id: "9".into(),
                    username: "wren".into(),
                    reason: HOSTILE.into(),
                    asked: when("2026-11-23T08:00:00Z"),
                }],
                invites: vec![InviteView {
                    link: "https://rowan.example/invite/k3nT0x".into(),
                    created: when(NOW),
                    expires: Some(when("2026-12-01T00:00:00Z")),
                    uses_left: Some(4),
                }],
            }),
        ),
    ]
}

fn account_pages(theme: Theme) -> Vec<(&'static str, String)> {
    let visitor = |title: &str, here: &str, mode| visitor(title, here, theme, mode);
    let mut faults = Faults::one("username", "That name is taken.");
    faults.add("password", "At least 8 characters, please.");
    let mut refused = sign_up("Sign up", theme, Registration::Open, false);
    refused.form.faults = faults;
    vec![
        ("signup-open", html(&sign_up("Sign up", theme, Registration::Open, false))),
        ("signup-faults", html(&refused)),
        ("signup-approval", html(&sign_up("Sign up", theme, Registration::Approval, false))),
        ("signup-invited", html(&sign_up("Sign up", theme, Registration::Invite, true))),
        ("signup-invite", html(&sign_up("Sign up", theme, Registration::Invite, false))),
        ("signup-closed", html(&sign_up("Sign up", theme, Registration::Closed, false))),
        (
            "setup",
            html(&SetupPage {
                shell: visitor("Welcome", "/setup/x", Registration::Closed),
                form: SignUpForm::default(),
                secret: "secret".into(),
                password_min: 8,
            }),
        ),
        (
            "login",
            html(&LogInPage {
                shell: visitor("Log in", "/login", Registration::Open),
                name: String::new(),
                next: "/".into(),
                has_reset: true,
                faults: Faults::none(),
            }),
        ),
        (
            "password-forgot",
            html(&ForgotPage {
                shell: visitor("A new password", "/password/forgot", Registration::Open),
                email: HOSTILE.into(),
                faults: Faults::one("email", "This is not a mail address."),
            }),
        ),
        (
            "password-reset",
            html(&ResetPage {
                shell: visitor("A new password", "/password/reset", Registration::Open),
                token: HOSTILE.into(),
                password_min: 8,
                faults: Faults::one("password", "It needs at least 8 characters."),
            }),
        ),
        (
            "confirm",
            html(&ConfirmPage {
                shell: visitor("Your mail address", "/confirm", Registration::Open),
                token: HOSTILE.into(),
            }),
        ),
        (
            "login-faults",
            html(&LogInPage {
                shell: visitor("Log in", "/login", Registration::Open),
                name: HOSTILE.into(),
                next: "/".into(),
                has_reset: false,
                faults: Faults::one("", "Name or password is not right."),
            }),
        ),
        (
            "authorize",
            html(&AuthorizePage {
                shell: shell("Let Tusky in?", "/oauth/authorize", theme),
                app_name: "Tusky".into(),
                app_website: Some("https://tusky.app".into()),
                returns_to: "oauth2redirect".into(),
                scopes: vec![
                    ScopeView {
                        name: "read".into(),
                        sentence: "Read your timelines, notifications and profile",
                    },
                    ScopeView { name: "write".into(), sentence: "Write posts and change your profile" },
                ],
                hidden: vec![("state".into(), HOSTILE.into())],
            }),
        ),
        (
            "authorize-code",
            html(&CodePage {
                shell: shell("Your code", "/oauth/authorize", theme),
                app_name: "toot".into(),
                code: "Xo3hE0UJ4zv2mS8s_code-of-some-length".into(),
            }),
        ),
        (
            "about",
            html(&AboutPage {
                shell: visitor("About", "/about", Registration::Open),
                contact: Some("hello@rowan.example".into()),
                rules: vec![HOSTILE.into()],
                texts: Vec::new(),
            }),
        ),
        (
            "message",
            html(&MessagePage {
                shell: visitor("Thank you", "/signup", Registration::Approval),
                text: "Your request is on its way. You can log in as soon as it is granted.".into(),
                next: ("/".into(), "Back".into()),
            }),
        ),
        (
            "error-404",
            html(&ErrorPage {
                shell: visitor("Not found", "/nothing", Registration::Open),
                status: 404,
                detail: "There is nothing at this address.".into(),
                hint: None,
            }),
        ),
        (
            "error-500",
            html(&ErrorPage {
                shell: visitor("Internal error", "/nothing", Registration::Open),
                status: 500,
                detail: "Something went wrong on our side.".into(),
                hint: Some("Try again in a minute.".into()),
            }),
        ),
    ]
}
