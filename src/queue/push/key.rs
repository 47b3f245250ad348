//! The server's key for pushes: made once, kept for ever, because every app
//! that subscribed has told its push service to take no other.

use std::sync::Arc;

use crate::model::Setting;
use crate::model::tables::SETTING;
use crate::store::{ReadTx, Store, StoreError};
use crate::wire::web_push::ServerKey;

/// The key; a new one the first time.
///
/// # Errors
/// When the store fails, or holds no key where one should be.
pub async fn server_key(store: &Store) -> Result<Arc<ServerKey>, StoreError> {
    let der = match store.read(kept).await? {
        Some(der) => der,
        None => {
            let fresh =
                ServerKey::generate().map_err(|_| StoreError::Engine("no key could be made".into()))?;
            let keep = move |tx: &mut crate::store::WriteTx<'_>| {
                // Whoever comes second takes what the first has kept.
                if let Some(der) = kept(tx)? {
                    return Ok(der);
                }
                tx.put(SETTING, &Setting::PUSH_KEY.to_owned(), &Setting::PushKey(fresh.clone()));
                Ok::<_, StoreError>(fresh.clone())
            };
            store.write(keep).await?
        }
    };
    let key = ServerKey::from_pkcs8(&der);
    key.map(Arc::new).map_err(|_| StoreError::Engine("the key for pushes is damaged".into()))
}

fn kept(tx: &ReadTx<'_>) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(match tx.get(SETTING, &Setting::PUSH_KEY.to_owned())? {
        Some(Setting::PushKey(der)) => Some(der),
        _ => None,
    })
}
