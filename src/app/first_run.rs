//! What a server needs before it serves: the key of its own actor and, while
//! nobody owns it, the owner's link.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tracing::warn;

use crate::base::{Problem, derived_key};
use crate::domain::secret;
use crate::domain::user;
use crate::edge::AppState;
use crate::model::tables::SETTING;
use crate::model::{KeyPair, Setting};
use crate::store::{Store, StoreError};
use crate::wire::http_signature::PrivateKey;

/// Random bytes in the owner's link.
const OWNER_SECRET_BYTES: usize = 24;
/// Makes the owner's link on several nodes; another use of their secret than
/// TLS is.
const OWNER_PURPOSE: &[u8] = b"waxwing owner link 1";

/// The key of the instance actor; made on the first start.
pub(super) async fn instance_key(store: &Store) -> Result<KeyPair, Problem> {
    if let Some(key) =
        store.read(|tx| tx.get(SETTING, &Setting::INSTANCE_KEY.to_owned())).await.map(as_key)?
    {
        return Ok(key);
    }
    let key = tokio::task::spawn_blocking(new_key).await.map_err(Problem::internal)??;
    let key = store
        .write(move |tx| {
            let name = Setting::INSTANCE_KEY.to_owned();
            // Another node may have been first.
            if let Some(theirs) = as_key(tx.get(SETTING, &name)?) {
                return Ok(theirs);
            }
            tx.put(SETTING, &name, &Setting::InstanceKey(key.clone()));
            Ok::<_, StoreError>(key.clone())
        })
        .await?;
    Ok(key)
}

fn as_key(setting: Option<Setting>) -> Option<KeyPair> {
    match setting {
        Some(Setting::InstanceKey(key)) => Some(key),
        _ => None,
    }
}

/// A fresh RSA key pair. Takes tenths of a second: not for an async thread.
fn new_key() -> Result<KeyPair, Problem> {
    let key = PrivateKey::generate().map_err(Problem::internal)?;
    Ok(KeyPair {
        private_der: key.to_pkcs8().map_err(Problem::internal)?,
        public_pem: key.public_pem().map_err(Problem::internal)?,
    })
}

/// The link that makes the owner's account, while nobody owns the server. It
/// is a new one each start: the old one was shown on a screen long ago. Nodes
/// of one store all show the same: a new one of each would end those that the
/// others show at this moment.
pub(super) async fn owner_link(state: &AppState) -> Result<Option<String>, Problem> {
    let secret = match state.cluster.key() {
        Some(key) => URL_SAFE_NO_PAD.encode(&derived_key(&key.0, OWNER_PURPOSE)[..OWNER_SECRET_BYTES]),
        None => state.chance.secret(OWNER_SECRET_BYTES),
    };
    let digest = secret::digest(&secret);
    let works = state.store.write(move |tx| user::set_owner_link(tx, digest)).await?;
    Ok(works.then(|| format!("{}/setup/{secret}", state.site.origin)))
}

/// Remembers under which address the first things were published, and warns
/// when the server comes up under another one: addresses are for ever, and
/// other servers know the people here by the old ones.
pub(super) async fn check_origin(state: &AppState) -> Result<(), Problem> {
    let now = state.site.origin.clone();
    let before = state
        .store
        .write(move |tx| {
            let name = Setting::ORIGIN.to_owned();
            if let Some(Setting::Origin(before)) = tx.get(SETTING, &name)? {
                return Ok::<_, StoreError>(before);
            }
            tx.put(SETTING, &name, &Setting::Origin(now.clone()));
            Ok(now.clone())
        })
        .await?;
    if before != state.site.origin {
        warn!(
            "this store was made for {before}, but the server is now {}: accounts and posts keep their old \
             addresses, and other servers will not find them; serve {before} again, or set `public_url {before}`",
            state.site.origin
        );
    }
    Ok(())
}
