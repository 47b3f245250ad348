//! Messages of real servers, as files: each is read, and what was understood
//! is compared with the file beside it. `BLESS=1` writes those anew; look at
//! the difference before you keep it.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use waxwing::model::{Account, Picture};
use waxwing::wire::activitypub::activity::{Activity, Thing, Verb};
use waxwing::wire::activitypub::{Actor, Object};
use waxwing::wire::json;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/wire");

/// What we understand of a document, whatever it is.
fn understood(document: &Value) -> Value {
    match Actor::read(document) {
        Ok(actor) => return json!({ "actor": of_actor(&actor) }),
        Err(error)
            if waxwing::wire::activitypub::actor_kind(document["type"].as_str().unwrap_or("")).is_some() =>
        {
            return json!({ "refused": error.to_string() });
        }
        Err(_) => {}
    }
    if let Some(object) = Object::read(document) {
        return json!({ "post": of_post(&object) });
    }
    match Activity::read(document) {
        Some(activity) => json!({ "activity": of_activity(&activity) }),
        None => json!({ "refused": "neither actor, post nor activity" }),
    }
}

fn of_actor(actor: &Actor) -> Value {
    let Account { fields, avatar, header, .. } = &actor.account;
    let picture = |picture: &Option<Picture>| match picture {
        Some(Picture::Remote(url)) => json!(url),
        Some(Picture::Local(_)) => json!("local"),
        None => Value::Null,
    };
    json!({
        "id": actor.account.uri, "kind": format!("{:?}", actor.account.kind), "username": actor.account.username,
        "webfinger": actor.webfinger, "name": actor.account.display_name, "note": actor.account.note_html,
        "url": actor.account.url, "inbox": actor.account.inbox, "shared_inbox": actor.account.shared_inbox,
        "followers": actor.account.followers_uri, "outbox": actor.account.outbox_uri,
        "featured": actor.account.featured_uri,
        "fields": fields.iter().map(|f| json!([f.name, f.value_html])).collect::<Vec<_>>(),
        "avatar": picture(avatar), "header": picture(header), "created": actor.account.created_at.rfc3339(),
        "locked": actor.account.is_locked, "discoverable": actor.account.is_discoverable,
        "aliases": actor.account.also_known_as,
        "keys": actor.keys.iter().map(|key| key.id.clone()).collect::<Vec<_>>(),
        "emojis": actor.account.emojis.iter().flatten().map(|e| e.shortcode.clone()).collect::<Vec<_>>(),
    })
}

fn of_post(post: &Object) -> Value {
    let mut seen = of_plain_post(post);
    if let Some(poll) = &post.poll {
        seen["poll"] = json!({
            "options": poll.options.iter().map(|o| json!([o.title, o.votes])).collect::<Vec<_>>(),
            "multiple": poll.multiple, "ends": poll.expires_at.map(|at| at.rfc3339()), "voters": poll.voters,
        });
    }
    if let Some(quoted) = &post.quote {
        seen["quote"] = json!([quoted, post.quote_approval]);
    }
    if let Some(policy) = &post.quote_policy {
        seen["quotable"] = json!([policy.automatic, policy.manual]);
    }
    seen
}

fn of_plain_post(post: &Object) -> Value {
    let followers = post.cc.iter().chain(&post.to).find(|address| address.ends_with("/followers"));
    json!({
        "id": post.id, "kind": post.kind, "author": post.attributed_to,
        "visibility": post.visibility(followers.map_or("", String::as_str)).word(),
        "published": post.published.map(|at| at.rfc3339()), "updated": post.updated.map(|at| at.rfc3339()),
        "content": post.content_html, "warning": post.spoiler_text, "sensitive": post.sensitive,
        "language": post.language, "answers": post.in_reply_to, "url": post.url, "vote": post.vote(),
        "mentions": post.tags.mentions.iter().map(|m| m.href.clone()).collect::<Vec<_>>(),
        "hashtags": post.tags.hashtags,
        "emojis": post.tags.emojis.iter().map(|e| json!([e.shortcode, e.url])).collect::<Vec<_>>(),
        "attachments": post.attachments.iter().map(|a| json!({
            "kind": format!("{:?}", a.kind), "url": a.remote_url, "alt": a.description,
            "size": [a.width, a.height], "focus": a.focus,
        })).collect::<Vec<_>>(),
    })
}

fn of_thing(thing: &Thing) -> Value {
    match thing {
        Thing::Id(id) => json!(id),
        Thing::Embedded(object) => understood(object),
    }
}

fn of_activity(activity: &Activity) -> Value {
    let verb = match &activity.verb {
        Verb::Follow(follow) => json!({ "follow": follow.object }),
        Verb::Accept(answer) => json!({ "accept": [answer.follow, answer.follower, answer.followed] }),
        Verb::Reject(answer) => json!({ "reject": [answer.follow, answer.follower, answer.followed] }),
        Verb::Undo(undo) => {
            json!({ "undo": [format!("{:?}", undo.undone), undo.id, undo.actor, undo.object] })
        }
        Verb::Create(create) => json!({ "create": create.objects.iter().map(of_thing).collect::<Vec<_>>() }),
        Verb::Update(update) => json!({ "update": of_thing(&update.object) }),
        Verb::Delete(delete) => json!({ "delete": delete.object }),
        Verb::Like(like) => json!({ "like": like.object }),
        Verb::Announce(announce) => json!({ "announce": announce.object }),
        Verb::Block(block) => json!({ "block": block.object }),
        Verb::Flag(flag) => json!({ "flag": flag.objects }),
        Verb::QuoteRequest(request) => {
            json!({ "quote_request": [request.object, of_thing(&request.instrument)] })
        }
        Verb::Other => json!("nothing"),
    };
    json!({ "id": activity.id, "actor": activity.actor, "kind": activity.kind, "does": verb })
}

fn fixtures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(fixtures(&path));
        } else if path.extension().is_some_and(|e| e == "json")
            && !path.to_string_lossy().ends_with(".expected.json")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn messages_of_real_servers_are_understood() {
    let (bless, mut wrong) = (std::env::var_os("BLESS").is_some(), Vec::new());
    let all = fixtures(Path::new(FOLDER));
    assert!(all.len() >= 30, "only {} fixtures were found", all.len());
    for path in all {
        let document = json::parse(&std::fs::read(&path).unwrap()).unwrap();
        let found = understood(&document);
        let beside = path.with_extension("expected.json");
        if bless {
            std::fs::write(&beside, format!("{:#}\n", found)).unwrap();
            continue;
        }
        let expected = std::fs::read(&beside).map(|bytes| json::parse(&bytes).unwrap()).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}\nis understood as {found:#}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
