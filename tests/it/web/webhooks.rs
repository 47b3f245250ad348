use super::browser::{Browser, Page};
use crate::kit::TestApp;
use waxwing::domain::webhook;
use waxwing::model::{Role, Webhook};
use waxwing::store::StoreError;

const PAGE: &str = "/settings/webhooks";

async fn all(app: &TestApp) -> Vec<Webhook> {
    app.state.store.read(webhook::list).await.unwrap_or_else(|error: StoreError| panic!("{error}"))
}

#[tokio::test]
async fn an_admin_makes_changes_and_removes_webhooks() {
    let app = TestApp::start().await;
    app.person_with("boss", Role::Admin, "read").await;
    let mut boss = Browser::of(&app, "boss").await;
    let url = "https://hooks.example/waxwing?key=1";
    let fields = [("url", url), ("events[]", "report.created"), ("events[]", "account.created")];
    let made = boss.submit(PAGE, &fields).await;
    let [hook] = all(&app).await.try_into().unwrap();
    assert_eq!((hook.url.as_str(), hook.events.len(), hook.is_enabled), (url, 2, true));
    assert_eq!((made.status.as_u16(), made.head("cache-control")), (200, "no-store"));
    assert!(made.text().contains(&hook.secret));
    let page = boss.get(PAGE).await.text();
    assert!(page.contains("https://hooks.example/waxwing?key") && !page.contains(&hook.secret), "{page}");
    let path = |act: &str| format!("{PAGE}/{}/{act}", hook.id);
    assert_eq!(boss.submit(&path("disable"), &[]).await.leads_to(), PAGE);
    assert!(!all(&app).await[0].is_enabled);
    assert_eq!(boss.submit(&path("enable"), &[]).await.leads_to(), PAGE);
    assert!(all(&app).await[0].is_enabled);
    let rotated = boss.submit(&path("secret"), &[]).await.text();
    let secret = all(&app).await[0].secret.clone();
    assert!(rotated.contains(&secret) && secret != hook.secret);
    let fields = [("url", "https://other.example/"), ("events[]", "status.created")];
    assert_eq!(boss.submit(&path("change"), &fields).await.leads_to(), PAGE);
    assert_eq!(all(&app).await[0].url, "https://other.example/");
    assert_eq!(boss.submit(&path("remove"), &[]).await.leads_to(), PAGE);
    assert!(all(&app).await.is_empty());
    assert_eq!(boss.submit(&path("enable"), &[]).await.status, 404);
}

#[tokio::test]
async fn a_webhook_that_cannot_be_is_shown_again_with_the_reason() {
    let app = TestApp::start().await;
    app.person_with("boss", Role::Admin, "read").await;
    let mut boss = Browser::of(&app, "boss").await;
    for (url, event, why) in [
        ("https://10.0.0.1/hook", "status.created", "not a valid URL of a public server"),
        ("https://hooks.example/", "status.deleted", "Events is invalid"),
        ("https://hooks.example/", "", "Events is invalid"),
    ] {
        let refused = boss.submit(PAGE, &[("url", url), ("events[]", event)]).await;
        assert_eq!(refused.status, 422, "{url} {event}");
        let page = refused.text();
        assert!(page.contains(why) && page.contains(&format!(r#"value="{url}""#)), "{page}");
    }
    let refused = boss.submit(PAGE, &[("url", "https://hooks.example/")]).await;
    assert!(refused.status == 422 && refused.text().contains("Events can"));
    assert!(all(&app).await.is_empty());
    app.person_with("mod", Role::Moderator, "read").await;
    assert_eq!(Browser::of(&app, "mod").await.get(PAGE).await.status, 404);
}
