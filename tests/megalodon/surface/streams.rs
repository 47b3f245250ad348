//! Every stream the library knows, over WebSocket.

use std::time::{Duration, Instant};

use megalodon::Streaming;
use megalodon::entities::status::StatusVisibility;
use megalodon::megalodon::{EditStatusInputOptions, PostStatusInputOptions};
use megalodon::streaming::Message;
use tokio::sync::mpsc;

use crate::kit::{Person, join};

const HEARD_MAX: Duration = Duration::from_secs(20);
const BETWEEN_ACTS: Duration = Duration::from_millis(400);

/// Does something until the stream has brought what fits; until it is open
/// nobody hears.
async fn hears(
    stream: Box<dyn Streaming + Send + Sync>,
    fits: impl Fn(&Message) -> bool,
    act: impl AsyncFn(),
) {
    let (tell, mut heard) = mpsc::unbounded_channel();
    let listening = tokio::spawn(async move {
        let callback = move |message| {
            let _ = tell.send(message);
            Box::pin(async {}) as std::pin::Pin<Box<dyn Future<Output = ()> + Send>>
        };
        stream.listen(Box::new(callback)).await;
    });
    let begin = Instant::now();
    'found: loop {
        assert!(begin.elapsed() < HEARD_MAX, "it was not heard");
        act().await;
        while let Ok(message) = tokio::time::timeout(BETWEEN_ACTS, heard.recv()).await {
            if fits(&message.expect("the stream is open")) {
                break 'found;
            }
        }
    }
    listening.abort();
}

fn brings(text: &'static str) -> impl Fn(&Message) -> bool {
    move |message| matches!(message, Message::Update(status) if status.content.contains(text))
}

async fn pair() -> (Person, Person) {
    let (ana, ben) = (join("ana").await, join("ben").await);
    ana.api.follow_account(ben.id(), None).await.unwrap();
    (ana, ben)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_stream_tells_of_everything_at_home() {
    let (ana, ben) = pair().await;
    hears(ana.api.user_streaming().await, brings("news"), async || drop(ben.post("news").await)).await;
    let to_ana = format!("@{} ding", ana.me.acct);
    let is_mention = |message: &Message| matches!(message, Message::Notification(_));
    hears(ana.api.user_streaming().await, is_mention, async || drop(ben.post(&to_ana).await)).await;
    let is_edit = |message: &Message| matches!(message, Message::StatusUpdate(_));
    let said = ben.post("once").await;
    hears(ana.api.user_streaming().await, is_edit, async || {
        let edit =
            EditStatusInputOptions { status: Some(format!("{:?}", Instant::now())), ..Default::default() };
        ben.api.edit_status(said.id.clone(), &edit).await.unwrap();
    })
    .await;
    let is_deletion = |message: &Message| matches!(message, Message::Delete(_));
    hears(ana.api.user_streaming().await, is_deletion, async || {
        let gone = ben.post("gone").await;
        ben.api.delete_status(gone.id).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn public_local_and_tag_streams() {
    let (ana, ben) = (join("ana").await, join("ben").await);
    hears(ana.api.public_streaming().await, brings("hear ye"), async || drop(ben.post("hear ye").await))
        .await;
    hears(ana.api.local_streaming().await, brings("hear me"), async || drop(ben.post("hear me").await)).await;
    hears(ana.api.tag_streaming("towncrier".into()).await, brings("oyez"), async || {
        drop(ben.post("oyez #towncrier").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn list_and_direct_streams() {
    let (ana, ben) = pair().await;
    let list = ana.api.create_list("few".into()).await.unwrap().json;
    let _ = ana.api.add_accounts_to_list(list.id.clone(), vec![ben.id()]).await;
    hears(ana.api.list_streaming(list.id).await, brings("few"), async || drop(ben.post("few").await)).await;
    let quietly = format!("@{} quietly", ana.me.acct);
    let is_talk = |message: &Message| matches!(message, Message::Conversation(_));
    hears(ana.api.direct_streaming().await, is_talk, async || {
        let direct =
            PostStatusInputOptions { visibility: Some(StatusVisibility::Direct), ..Default::default() };
        drop(ben.post_with(&quietly, direct).await);
    })
    .await;
}
