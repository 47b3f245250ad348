//! What a push says, and its encryption to one app.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::base::Chance;
use crate::domain::notification::Alert;
use crate::model::{PushSubscription, Site};
use crate::wire::mastodon::PushMessage;
use crate::wire::web_push::{BadPush, Encrypted, Fresh, Keys, aes128gcm, aesgcm};

/// Tries for a private key: one in 2³² random numbers is none.
const KEY_TRIES: usize = 4;

/// The message as JSON.
pub(super) fn payload(site: &Site, alert: &Alert) -> Vec<u8> {
    let about = alert.status.as_ref().map(|loaded| &loaded.shown().status);
    let message = PushMessage::new(site, &alert.notification, &alert.from.account, about);
    serde_json::to_vec(&message).expect("text and numbers can always be written")
}

/// Encrypts it; gives the salt too.
pub(super) fn seal(
    payload: &[u8],
    subscription: &PushSubscription,
    chance: &dyn Chance,
) -> Result<(Encrypted, [u8; 16]), BadPush> {
    let keys = Keys { public: &subscription.public_key, auth: &subscription.auth };
    let encrypt = if subscription.standard { aes128gcm } else { aesgcm };
    let mut last = Err(BadPush);
    for _ in 0..KEY_TRIES {
        let mut fresh = Fresh { private: [0; 32], salt: [0; 16] };
        chance.fill(&mut fresh.private);
        chance.fill(&mut fresh.salt);
        last = encrypt(payload, keys, &fresh).map(|sealed| (sealed, fresh.salt));
        if last.is_ok() {
            break;
        }
    }
    last
}

pub(super) fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
