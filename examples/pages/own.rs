//! Pages on which people order what they see.

use waxwing::edge::web::pages::*;
use waxwing::edge::web::view::*;
use waxwing::model::Visibility;

use crate::sample::{HOSTILE, html, people, picture, posts, shell, when};

fn list(has: bool) -> ListView {
    ListView { id: "7".into(), title: HOSTILE.into(), replies: "followed", is_exclusive: has, has }
}

/// Lists of people.
fn lists(theme: Theme) -> Vec<(&'static str, String)> {
    let shell = |here: &str| shell("Lists", here, theme);
    let all = vec![list(false), list(true)];
    let faults = Faults::one("title", "Give the list a name.");
    vec![
        ("lists", html(&ListsPage { shell: shell("/lists"), lists: all.clone(), form: list(false), faults })),
        (
            "list-edit",
            html(&ListPage {
                shell: shell("/lists/7/edit"),
                form: list(true),
                people: people(),
                older: Some("/lists/7/edit?max_id=1".into()),
                typed: HOSTILE.into(),
                faults: Faults::one("who", "There is nobody of that name here."),
            }),
        ),
        (
            "person-lists",
            html(&PersonListsPage {
                shell: shell("/accounts/2/lists"),
                row: people().remove(0),
                lists: all,
                is_followed: false,
            }),
        ),
    ]
}

/// What is held back, covered and left out.
fn hidden(theme: Theme) -> Vec<(&'static str, String)> {
    let shell = |here: &str| shell("Settings", here, theme);
    let request =
        RequestView { id: "8".into(), row: people().remove(1), count: 3, post: Some(posts().remove(0)) };
    let rule = RuleView { name: "bots", about: "Automated accounts", answer: "filter" };
    let filter = FilterRow {
        id: "5".into(),
        title: HOSTILE.into(),
        words: vec![HOSTILE.into(), "tarantula".into()],
        posts: 1,
        ends: Some(when("2026-12-01T00:00:00Z")),
        is_over: false,
    };
    vec![
        (
            "requests",
            html(&RequestsPage {
                shell: shell("/notifications/requests"),
                requests: vec![request],
                older: None,
                empty: Empty("Nobody is waiting", ""),
            }),
        ),
        (
            "settings-notifications",
            html(&PolicyPage { shell: shell("/settings/notifications"), rules: vec![rule] }),
        ),
        ("settings-filters", html(&FiltersPage { shell: shell("/settings/filters"), filters: vec![filter] })),
        (
            "settings-filter",
            html(&FilterPage {
                shell: shell("/settings/filters/5"),
                form: FilterForm {
                    id: "5".into(),
                    title: HOSTILE.into(),
                    contexts: vec!["home", "thread"],
                    action: "hide",
                    lasts: "keep".into(),
                    has_end: true,
                    keywords: vec![KeywordRow { word: HOSTILE.into(), ..KeywordRow::blank() }],
                },
                faults: Faults::one("", "Choose at least one place where it applies."),
            }),
        ),
        ("mute", html(&MutePage { shell: shell("/accounts/2/mute"), row: people().remove(0) })),
        (
            "settings-servers",
            html(&ServersPage {
                shell: shell("/settings/servers"),
                domains: vec!["evil.example".into(), "worse.example".into()],
                older: None,
                typed: HOSTILE.into(),
                faults: Faults::one("domain", "Give a server's name."),
            }),
        ),
    ]
}

/// Earlier and later versions of posts.
fn times(theme: Theme) -> Vec<(&'static str, String)> {
    let version = VersionView {
        at: when("2026-11-20T10:00:00Z"),
        spoiler: HOSTILE.into(),
        content_html: "<p>Seven waxwings.</p>".into(),
        media: vec![picture(HOSTILE)],
        is_sensitive: false,
        options: vec![HOSTILE.into(), "Juniper".into()],
    };
    let waiting = ScheduledView {
        id: "6".into(),
        at: when("2026-12-01T10:00:00Z"),
        typed: HOSTILE.into(),
        fault: Some("Choose a time more than 5 minutes ahead.".into()),
        text: HOSTILE.into(),
        spoiler: HOSTILE.into(),
        visibility: Visibility::Private,
        media: vec![picture(HOSTILE)],
        options: vec![HOSTILE.into()],
        is_reply: true,
        is_quote: false,
    };
    vec![
        (
            "history",
            html(&HistoryPage {
                shell: shell("What it said before", "/@ana/101/history", theme),
                path: "/@ana/101".into(),
                versions: vec![version.clone(), VersionView { is_sensitive: true, ..version }],
            }),
        ),
        (
            "scheduled",
            html(&ScheduledPage {
                shell: shell("Posts for later", "/scheduled", theme),
                posts: vec![waiting],
                older: None,
                empty: Empty("Nothing is waiting", ""),
            }),
        ),
    ]
}

/// All of them.
pub(crate) fn pages(theme: Theme) -> Vec<(&'static str, String)> {
    [lists(theme), hidden(theme), times(theme)].concat()
}
