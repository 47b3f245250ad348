//! Posts: writing, editing, what others do with them, pictures, polls.

use std::io::Cursor;

use chrono::{Duration, Utc};
use megalodon::entities::QuotedStatus;
use megalodon::entities::UploadMedia;
use megalodon::entities::quote::QuoteState;
use megalodon::entities::status::StatusVisibility;
use megalodon::megalodon::{
    EditStatusInputOptions, GetAccountStatusesInputOptions, GetStatusContextInputOptions, PollOptions,
    PostStatusInputOptions, UpdateMediaInputOptions, UploadMediaInputOptions,
};
use reqwest::Method;
use serde_json::Value;

use crate::kit::{
    accounts, done, eventually, is_not_in_the_library, is_unreadable, join, plain, refused, statuses,
};

const PNG: &[u8] = include_bytes!("../../../assets/icon-180.png");

fn options() -> PostStatusInputOptions {
    PostStatusInputOptions::default()
}

#[tokio::test]
async fn a_post_is_written_edited_pinned_and_deleted() {
    let ana = join("ana").await;
    let warned = PostStatusInputOptions {
        spoiler_text: Some("care".into()),
        sensitive: Some(true),
        language: Some("en".into()),
        visibility: Some(StatusVisibility::Unlisted),
        ..options()
    };
    let first = ana.post_with("one #cedar", warned).await;
    assert_eq!((first.spoiler_text.as_str(), first.visibility), ("care", StatusVisibility::Unlisted));
    assert_eq!(first.tags[0].name, "cedar");
    let id = || first.id.clone();
    let edit =
        EditStatusInputOptions { status: Some("two".into()), sensitive: Some(false), ..Default::default() };
    assert!(ana.api.edit_status(id(), &edit).await.unwrap().json.edited_at.is_some());
    assert_eq!(ana.api.get_status_source(id()).await.unwrap().json.text, "two");
    // The library has no call for it.
    let (_, history) =
        plain(Method::GET, &format!("/api/v1/statuses/{}/history", id()), Some(&ana.token), Value::Null)
            .await;
    assert_eq!(history.as_array().unwrap().len(), 2);

    assert_eq!(ana.api.pin_status(id()).await.unwrap().json.pinned, Some(true));
    let pinned =
        GetAccountStatusesInputOptions { pinned: Some(true), ..GetAccountStatusesInputOptions::default() };
    assert_eq!(statuses(ana.api.get_account_statuses(ana.id(), Some(&pinned)).await), [id()]);
    assert_eq!(ana.api.unpin_status(id()).await.unwrap().json.pinned, Some(false));
    assert_eq!(ana.api.mute_status(id()).await.unwrap().json.muted, Some(true));
    assert_eq!(ana.api.unmute_status(id()).await.unwrap().json.muted, Some(false));

    let reply =
        ana.post_with("three", PostStatusInputOptions { in_reply_to_id: Some(id()), ..options() }).await;
    let context = GetStatusContextInputOptions::default();
    let context = ana.api.get_status_context(id(), Some(&context)).await.unwrap().json;
    assert_eq!(context.descendants[0].id, reply.id);
    ana.api.delete_status(id()).await.unwrap();
    assert_eq!(refused(ana.api.get_status(id()).await), 404);
}

#[tokio::test]
async fn others_like_keep_and_pass_on() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    let said = ana.post("like me").await;
    let id = || said.id.clone();
    assert_eq!(ben.api.favourite_status(id()).await.unwrap().json.favourited, Some(true));
    assert_eq!(ben.api.bookmark_status(id()).await.unwrap().json.bookmarked, Some(true));
    assert_eq!(ben.api.reblog_status(id()).await.unwrap().json.reblog.unwrap().id, id());
    assert_eq!(statuses(ben.api.get_favourites(None).await), [id()]);
    assert_eq!(statuses(ben.api.get_bookmarks(None).await), [id()]);
    assert_eq!(accounts(ana.api.get_status_favourited_by(id()).await), [ben.id()]);
    assert_eq!(accounts(ana.api.get_status_reblogged_by(id()).await), [ben.id()]);
    assert_eq!(ben.api.unreblog_status(id()).await.unwrap().json.reblogged, Some(false));
    assert_eq!(ben.api.unfavourite_status(id()).await.unwrap().json.favourited, Some(false));
    assert_eq!(ben.api.unbookmark_status(id()).await.unwrap().json.bookmarked, Some(false));
    // Other servers' reactions, of which Mastodon has none.
    assert!(is_not_in_the_library(ben.api.create_emoji_reaction(id(), "🐦".into()).await));
    assert!(is_not_in_the_library(ben.api.delete_emoji_reaction(id(), "🐦".into()).await));
    assert!(is_not_in_the_library(ben.api.get_emoji_reactions(id()).await));
    assert!(is_not_in_the_library(ben.api.get_emoji_reaction(id(), "🐦".into()).await));
}

#[tokio::test]
async fn a_quote_is_accepted() {
    let ana = join("ana").await;
    let said = ana.post("quote me").await;
    let quoting = ana
        .post_with("so true", PostStatusInputOptions { quote_id: Some(said.id.clone()), ..options() })
        .await;
    let state = eventually("the quote", async || {
        match ana.api.get_status(quoting.id.clone()).await.unwrap().json.quote {
            Some(QuotedStatus::Quote(quote)) => Some((quote.state, quote.quoted_status?.id)),
            _ => None,
        }
    })
    .await;
    assert!(matches!(state.0, QuoteState::Accepted));
    assert_eq!(state.1, said.id);
}

#[tokio::test]
async fn a_poll_is_asked_and_voted_in() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    let poll = PollOptions {
        options: vec!["juniper".into(), "rowan".into()],
        expires_in: Some(3600),
        multiple: Some(false),
        hide_totals: Some(false),
    };
    let asked = ana.post_with("which?", PostStatusInputOptions { poll: Some(poll), ..options() }).await;
    let id = asked.poll.unwrap().id;
    let voted = ben.api.vote_poll(id.clone(), vec![1], None).await.unwrap().json;
    assert_eq!((voted.voted, voted.options[1].votes_count), (Some(true), Some(1)));
    assert_eq!(refused(ben.api.vote_poll(id.clone(), vec![0], None).await), 422);
    assert_eq!(ana.api.get_poll(id).await.unwrap().json.votes_count, 1);
}

#[tokio::test]
async fn a_post_waits() {
    let ana = join("ana").await;
    let at = Utc::now() + Duration::hours(1);
    let later = PostStatusInputOptions { scheduled_at: Some(at), ..options() };
    // The library wants the number of an app; the ids of Waxwing's are no small numbers, so there is none.
    assert!(is_unreadable(ana.api.post_status("later".into(), Some(&later)).await));
    assert!(is_unreadable(ana.api.get_scheduled_statuses(None).await));
    let (_, waiting) = plain(Method::GET, "/api/v1/scheduled_statuses", Some(&ana.token), Value::Null).await;
    assert_eq!(waiting[0]["params"]["text"], "later");
    let id = || waiting[0]["id"].as_str().unwrap().to_owned();
    assert!(is_unreadable(ana.api.schedule_status(id(), Some(at + Duration::hours(1))).await));
    assert!(is_unreadable(ana.api.get_scheduled_status(id()).await));
    done(ana.api.cancel_scheduled_status(id()).await);
    assert!(ana.api.get_scheduled_statuses(None).await.unwrap().json.is_empty());
}

#[tokio::test]
async fn a_picture_is_uploaded_described_and_shown() {
    let ana = join("ana").await;
    let described =
        UploadMediaInputOptions { description: Some("four dots".into()), focus: Some("0.5,-0.5".into()) };
    let file = Box::new(Cursor::new(PNG.to_vec()));
    let upload =
        ana.api.upload_media_reader(file, Some(&described), Some("dots.png".into())).await.unwrap().json;
    let id = match upload {
        UploadMedia::Attachment(media) => media.id,
        UploadMedia::AsyncAttachment(media) => media.id,
    };
    let media = eventually("the picture", async || ana.api.get_media(id.clone()).await.ok()).await.json;
    assert_eq!(media.description.as_deref(), Some("four dots"));
    assert_eq!(media.meta.unwrap().focus.unwrap().x, 0.5);
    let change = UpdateMediaInputOptions {
        description: Some("two by two".into()),
        ..UpdateMediaInputOptions::default()
    };
    let media = ana.api.update_media(id.clone(), Some(&change)).await.unwrap().json;
    assert_eq!(media.description.as_deref(), Some("two by two"));
    let said = ana
        .post_with("look", PostStatusInputOptions { media_ids: Some(vec![id.clone()]), ..options() })
        .await;
    assert_eq!(said.media_attachments[0].id, id);

    let folder = std::env::temp_dir().join(format!("megalodon-{}.png", std::process::id()));
    std::fs::write(&folder, PNG).unwrap();
    let upload = ana.api.upload_media(folder.display().to_string(), None).await;
    std::fs::remove_file(&folder).unwrap();
    assert!(upload.is_ok(), "{upload:?}");
}
