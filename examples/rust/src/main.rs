//! A bot that answers every mention: start `waxwing sandbox`, then
//! `cargo run --manifest-path examples/rust/Cargo.toml -- http://localhost:3000 TOKEN`.

use std::sync::Arc;

use megalodon::entities::notification::NotificationType;
use megalodon::megalodon::PostStatusInputOptions;
use megalodon::streaming::Message;
use megalodon::{SNS, generator};

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (url, token) = (arguments.next().expect("the server's address"), arguments.next());
    let api = Arc::new(generator(SNS::Mastodon, url, token, None).expect("an address that can be used"));
    let answer = api.clone();
    api.user_streaming()
        .await
        .listen(Box::new(move |message| {
            let api = answer.clone();
            Box::pin(async move {
                let Message::Notification(told) = message else { return };
                let (NotificationType::Mention, Some(status), Some(from)) = (told.r#type, told.status, told.account)
                else {
                    return;
                };
                let reply = PostStatusInputOptions {
                    in_reply_to_id: Some(status.id),
                    visibility: Some(status.visibility),
                    ..PostStatusInputOptions::default()
                };
                if let Err(error) = api.post_status(format!("@{} Chirp!", from.acct), Some(&reply)).await {
                    eprintln!("the answer was not taken: {error}");
                }
            })
        }))
        .await;
}
