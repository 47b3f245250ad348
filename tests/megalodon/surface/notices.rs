//! Notifications, filters and push.

use megalodon::entities::filter::FilterContext;
use megalodon::entities::notification::NotificationType;
use megalodon::megalodon::{
    DataAlerts, FilterInputOptions, GetNotificationsInputOptions, ReadNotificationsInputOptions,
    SubscribePushNotificationInputData, SubscribePushNotificationInputSubscription, SubscriptionKeys,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::kit::{done, is_not_in_the_library, is_unreadable, join, plain, refused};

const P256DH: &str =
    "BNcRdreALRFXTkOOUHK1EtK2wtaz5Ry4YfYCA_0QTpQtUbVlUls0VJXg7A8u-Ts1XbjhazAkj7I99e8QcYP7DkM";
const AUTH: &str = "tBHItJI5svbpez7KI4CCXg";

#[tokio::test]
async fn notifications_are_told_and_dismissed() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    let mine = ana.post("like this").await;
    ben.api.favourite_status(mine.id.clone()).await.unwrap();
    ben.api.follow_account(ana.id(), None).await.unwrap();
    let said = ben.post(&format!("@{} hello", ana.me.acct)).await;
    let told = ana.api.get_notifications(None).await.unwrap().json;
    let kinds: Vec<_> = told.iter().map(|one| one.r#type.clone()).collect();
    let expected = [NotificationType::Mention, NotificationType::Follow, NotificationType::Favourite];
    assert_eq!(kinds, expected);
    assert_eq!(told[0].status.as_ref().unwrap().id, said.id);
    let older = GetNotificationsInputOptions {
        max_id: Some(told[0].id.clone()),
        limit: Some(1),
        account_id: Some(ben.id()),
        ..GetNotificationsInputOptions::default()
    };
    assert_eq!(ana.api.get_notifications(Some(&older)).await.unwrap().json[0].id, told[1].id);
    assert_eq!(ana.api.get_notification(told[1].id.clone()).await.unwrap().json.id, told[1].id);
    ana.api.dismiss_notification(told[1].id.clone()).await.unwrap();
    assert_eq!(ana.api.get_notifications(None).await.unwrap().json.len(), 2);
    ana.api.dismiss_notifications().await.unwrap();
    assert!(ana.api.get_notifications(None).await.unwrap().json.is_empty());
    let read = ReadNotificationsInputOptions::default();
    assert!(is_not_in_the_library(ana.api.read_notifications(&read).await));
}

#[tokio::test]
async fn strangers_wait_in_requests() {
    // The library knows no policy; what it reads obeys it.
    let (ana, ben) = (join("ana").await, join("ben").await);
    let policy = json!({ "for_not_following": "filter" });
    let (_, policy) = plain(Method::PATCH, "/api/v2/notifications/policy", Some(&ana.token), policy).await;
    assert_eq!(policy["for_not_following"], "filter");
    ben.post(&format!("@{} psst", ana.me.acct)).await;
    assert!(ana.api.get_notifications(None).await.unwrap().json.is_empty());
    let (_, requests) =
        plain(Method::GET, "/api/v1/notifications/requests", Some(&ana.token), Value::Null).await;
    assert_eq!(requests[0]["account"]["id"], ben.id());
}

#[tokio::test]
async fn filters_hide_words() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    let options =
        FilterInputOptions { irreversible: Some(true), whole_word: Some(true), expires_in: Some(3600) };
    let contexts = vec![FilterContext::Home, FilterContext::Notifications];
    let filter = ana.api.create_filter("hawk".into(), contexts, Some(&options)).await.unwrap().json;
    assert!(filter.irreversible && filter.whole_word && filter.expires_at.is_some());
    ben.post(&format!("@{} a hawk", ana.me.acct)).await;
    ben.post(&format!("@{} a wren", ana.me.acct)).await;
    let told = ana.api.get_notifications(None).await.unwrap().json;
    assert_eq!(told.len(), 1, "an irreversible filter drops");
    let options = FilterInputOptions { whole_word: Some(false), ..FilterInputOptions::default() };
    let changed =
        ana.api.update_filter(filter.id.clone(), "hawks".into(), vec![FilterContext::Public], Some(&options));
    assert_eq!(changed.await.unwrap().json.phrase, "hawks");
    assert_eq!(ana.api.get_filter(filter.id.clone()).await.unwrap().json.phrase, "hawks");
    assert_eq!(ana.api.get_filters().await.unwrap().json.len(), 1);
    done(ana.api.delete_filter(filter.id).await);
    assert!(ana.api.get_filters().await.unwrap().json.is_empty());
}

#[tokio::test]
async fn a_device_is_told_of_news() {
    let ana = join("ana").await;
    let endpoint = format!("https://push.example/{}", ana.me.username);
    let keys = SubscriptionKeys { p256h: P256DH.into(), auth: AUTH.into() };
    let wanted = SubscribePushNotificationInputSubscription { endpoint: endpoint.clone(), keys };
    let alerts = DataAlerts { mention: Some(true), ..DataAlerts::default() };
    let data = SubscribePushNotificationInputData { alerts: Some(alerts.clone()) };
    // The library misspells the name of a key.
    assert_eq!(refused(ana.api.subscribe_push_notification(&wanted, Some(&data)).await), 422);
    let wanted = json!({
        "subscription": { "endpoint": endpoint, "keys": { "p256dh": P256DH, "auth": AUTH } },
        "data": { "alerts": { "mention": true } },
    });
    assert_eq!(plain(Method::POST, "/api/v1/push/subscription", Some(&ana.token), wanted).await.0, 200);
    // A subscription's id is a number in Mastodon, which the library cannot read.
    assert!(is_unreadable(ana.api.get_push_subscription().await));
    let alerts = DataAlerts { poll: Some(true), ..alerts };
    let data = SubscribePushNotificationInputData { alerts: Some(alerts) };
    assert!(is_unreadable(ana.api.update_push_subscription(Some(&data)).await));
    let (_, now) = plain(Method::GET, "/api/v1/push/subscription", Some(&ana.token), Value::Null).await;
    assert_eq!((&now["endpoint"], &now["alerts"]["poll"]), (&json!(endpoint), &json!(true)));
    done(ana.api.delete_push_subscription().await);
    assert_eq!(refused(ana.api.get_push_subscription().await), 404);
}
