//! People, and what they are to one another.

use megalodon::entities::report::Category;
use megalodon::megalodon::GetInstanceDirectoryInputOptions;
use megalodon::megalodon::{
    AccountFollowersInputOptions, CredentialsFieldAttribute, CredentialsSource, FollowAccountInputOptions,
    FollowRequestOutput, GetEndorsementsInputOptions, ReportInputOptions, SearchAccountInputOptions,
    UpdateCredentialsInputOptions,
};
use reqwest::Method;
use serde_json::json;

use crate::kit::{
    accounts, done, eventually, is_not_in_the_library, is_unreadable, join, plain, refused, statuses,
};

#[tokio::test]
async fn a_profile_is_changed_and_found() {
    let ana = join("ana").await;
    let changed = UpdateCredentialsInputOptions {
        display_name: Some("Ana Cedar".into()),
        note: Some("likes #berries".into()),
        bot: Some(true),
        discoverable: Some(true),
        locked: Some(false),
        source: Some(CredentialsSource {
            privacy: Some("unlisted".into()),
            sensitive: Some(true),
            language: Some("de".into()),
        }),
        fields_attributes: Some(vec![CredentialsFieldAttribute {
            name: "home".into(),
            value: "a hedge".into(),
        }]),
        ..UpdateCredentialsInputOptions::default()
    };
    let me = ana.api.update_credentials(Some(&changed)).await.unwrap().json;
    assert_eq!(
        (me.display_name.as_str(), me.bot, me.fields[0].value.as_str()),
        ("Ana Cedar", true, "a hedge")
    );
    let source = me.source.unwrap();
    assert_eq!((source.note.as_str(), source.privacy.as_deref()), ("likes #berries", Some("unlisted")));
    // The library takes no preference it does not know, and Mastodon has more.
    assert!(is_unreadable(ana.api.get_preferences().await));
    let (_, preferences) = plain(Method::GET, "/api/v1/preferences", Some(&ana.token), json!(null)).await;
    assert_eq!(preferences["posting:default:language"], "de");

    let ben = join("ben").await;
    assert!(ben.api.get_account(ana.id()).await.unwrap().json.note.contains("berries"));
    assert_eq!(ben.api.lookup_account(ana.me.acct.clone()).await.unwrap().json.id, ana.id());
    let options = SearchAccountInputOptions { limit: Some(1), ..SearchAccountInputOptions::default() };
    assert_eq!(accounts(ben.api.search_account(ana.me.username.clone(), Some(&options)).await), [ana.id()]);
    assert_eq!(refused(ben.api.lookup_account("nobody".into()).await), 404);
    assert!(ben.api.get_identity_proofs(ana.id()).await.unwrap().json.is_empty());
    ana.post("here I am").await;
    let options =
        GetInstanceDirectoryInputOptions { local: Some(true), limit: Some(80), ..Default::default() };
    assert!(accounts(ben.api.get_instance_directory(Some(&options)).await).contains(&ana.id()));
}

#[tokio::test]
async fn people_follow_and_part() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    let options = FollowAccountInputOptions { reblog: Some(true), notify: None };
    assert!(ana.api.follow_account(ben.id(), Some(&options)).await.unwrap().json.following);
    assert!(ana.api.subscribe_account(ben.id()).await.unwrap().json.notifying);
    assert!(!ana.api.unsubscribe_account(ben.id()).await.unwrap().json.notifying);
    let options = AccountFollowersInputOptions { limit: Some(5), ..AccountFollowersInputOptions::default() };
    assert_eq!(accounts(ana.api.get_account_following(ana.id(), Some(&options)).await), [ben.id()]);
    assert_eq!(accounts(ana.api.get_account_followers(ben.id(), Some(&options)).await), [ana.id()]);
    assert_eq!(
        ana.api.set_account_note(ben.id(), Some("walks".into())).await.unwrap().json.note.unwrap(),
        "walks"
    );

    assert!(ana.api.pin_account(ben.id()).await.unwrap().json.endorsed);
    let options = GetEndorsementsInputOptions::default();
    assert_eq!(accounts(ana.api.get_endorsements(Some(&options)).await), [ben.id()]);
    assert!(!ana.api.unpin_account(ben.id()).await.unwrap().json.endorsed);
    let relations = ana.api.get_relationships(vec![ben.id(), ana.id()]).await.unwrap().json;
    assert_eq!(relations.iter().filter(|relation| relation.following).count(), 1);
    assert!(!ana.api.unfollow_account(ben.id()).await.unwrap().json.following);
    assert!(is_not_in_the_library(ana.api.get_account_favourites(ben.id(), None).await));
}

#[tokio::test]
async fn mutes_and_blocks() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    let muted = ana.api.mute_account(ben.id(), false).await.unwrap().json;
    assert!(muted.muting && !muted.muting_notifications);
    assert_eq!(accounts(ana.api.get_mutes(None).await), [ben.id()]);
    // The library leaves a slash out of the address.
    assert_eq!(refused(ana.api.unmute_account(ben.id()).await), 404);
    let path = format!("/api/v1/accounts/{}/unmute", ben.id());
    assert_eq!(plain(Method::POST, &path, Some(&ana.token), json!({})).await.1["muting"], false);
    assert!(ana.api.get_mutes(None).await.unwrap().json.is_empty());

    assert!(ana.api.block_account(ben.id()).await.unwrap().json.blocking);
    assert_eq!(accounts(ana.api.get_blocks(None).await), [ben.id()]);
    assert_eq!(refused(ben.api.follow_account(ana.id(), None).await), 403);
    assert!(!ana.api.unblock_account(ben.id()).await.unwrap().json.blocking);

    done(ana.api.block_domain("spam.example".into()).await);
    assert_eq!(ana.api.get_domain_blocks(None).await.unwrap().json, ["spam.example"]);
    done(ana.api.unblock_domain("spam.example".into()).await);
    assert!(ana.api.get_domain_blocks(None).await.unwrap().json.is_empty());
}

#[tokio::test]
async fn a_locked_account_asks_first() {
    let (ana, ben, cleo) = (join("ana").await, join("ben").await, join("cleo").await);
    let locked =
        UpdateCredentialsInputOptions { locked: Some(true), ..UpdateCredentialsInputOptions::default() };
    assert!(ana.api.update_credentials(Some(&locked)).await.unwrap().json.locked);
    for person in [&ben, &cleo] {
        assert!(person.api.follow_account(ana.id(), None).await.unwrap().json.requested);
    }
    let asking = ana.api.get_follow_requests(Some(10)).await.unwrap().json;
    let asking: Vec<String> = asking
        .into_iter()
        .map(|one| match one {
            FollowRequestOutput::Account(account) => account.id,
            FollowRequestOutput::FollowRequest(_) => panic!("that is Friendica's"),
        })
        .collect();
    assert_eq!(asking.len(), 2);
    assert!(ana.api.accept_follow_request(ben.id()).await.unwrap().json.followed_by);
    assert!(!ana.api.reject_follow_request(cleo.id()).await.unwrap().json.followed_by);
    assert!(ana.api.get_follow_requests(None).await.unwrap().json.is_empty());
}

#[tokio::test]
async fn lists_hold_whom_one_follows() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    ana.api.follow_account(ben.id(), None).await.unwrap();
    let list = ana.api.create_list("friends".into()).await.unwrap().json;
    // The members' answer is `{}` too, but the library wants the list.
    assert!(is_unreadable(ana.api.add_accounts_to_list(list.id.clone(), vec![ben.id()]).await));
    assert_eq!(accounts(ana.api.get_accounts_in_list(list.id.clone(), None).await), [ben.id()]);
    assert_eq!(ana.api.get_account_lists(ben.id()).await.unwrap().json[0].id, list.id);
    let said = ben.post("for the list").await;
    eventually("the post in the list", async || {
        statuses(ana.api.get_list_timeline(list.id.clone(), None).await).contains(&said.id).then_some(())
    })
    .await;
    assert_eq!(ana.api.update_list(list.id.clone(), "flock".into()).await.unwrap().json.title, "flock");
    assert_eq!(ana.api.get_list(list.id.clone()).await.unwrap().json.title, "flock");
    done(ana.api.delete_accounts_from_list(list.id.clone(), vec![ben.id()]).await);
    assert!(ana.api.get_accounts_in_list(list.id.clone(), None).await.unwrap().json.is_empty());
    done(ana.api.delete_list(list.id).await);
    assert!(ana.api.get_lists().await.unwrap().json.is_empty());
}

#[tokio::test]
async fn tags_are_followed_and_featured() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    let name = format!("tag{}", ana.me.username);
    assert_eq!(ana.api.follow_tag(name.clone()).await.unwrap().json.following, Some(true));
    assert_eq!(ana.api.get_followed_tags().await.unwrap().json[0].name, name);
    let said = ben.post(&format!("see #{name}")).await;
    eventually("the tag's post at home", async || {
        statuses(ana.api.get_home_timeline(None).await).contains(&said.id).then_some(())
    })
    .await;
    assert_eq!(ana.api.get_tag(name.clone()).await.unwrap().json.history.len(), 7);
    assert_eq!(ana.api.unfollow_tag(name.clone()).await.unwrap().json.following, Some(false));

    ana.post(&format!("mine #{name}")).await;
    assert_eq!(ana.api.get_suggested_tags().await.unwrap().json[0].name, name);
    // Its last use is a day in Mastodon, not a moment as the library has it.
    assert!(is_unreadable(ana.api.create_featured_tag(name.clone()).await));
    assert!(is_unreadable(ana.api.get_featured_tags().await));
    let (_, featured) = plain(Method::GET, "/api/v1/featured_tags", Some(&ana.token), json!(null)).await;
    assert_eq!(featured[0]["name"], name.as_str());
    done(ana.api.delete_featured_tag(featured[0]["id"].as_str().unwrap().to_owned()).await);
    assert!(ana.api.get_featured_tags().await.unwrap().json.is_empty());
}

#[tokio::test]
async fn suggestions_are_accounts() {
    let ana = join("ana").await;
    let suggested = accounts(ana.api.get_suggestions(Some(3)).await);
    assert!(suggested.len() <= 3 && !suggested.contains(&ana.id()));
}

#[tokio::test]
async fn a_report_is_filed() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    let bad = ben.post("buy my berries").await;
    let options = ReportInputOptions {
        status_ids: Some(vec![bad.id.clone()]),
        comment: Some("spam".into()),
        forward: Some(false),
        category: Some(Category::Spam),
        rule_ids: None,
    };
    let report = ana.api.report(ben.id(), Some(&options)).await.unwrap().json;
    assert_eq!(
        (report.comment.as_deref(), report.status_ids.as_deref()),
        (Some("spam"), Some(&[bad.id][..]))
    );
    assert_eq!(report.target_account.unwrap().id, ben.id());
}
