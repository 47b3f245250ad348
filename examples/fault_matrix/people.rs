//! Local people with real keys.

use std::sync::Arc;

use tokio::sync::OnceCell;
use waxwing::base::{Clock, Id, IdGenerator, Moment};
use waxwing::domain::{password, user};
use waxwing::model::tables::ACCOUNT_KEY;
use waxwing::model::{KeyPair, Role, Site};
use waxwing::store::{Store, StoreError};
use waxwing::wire::http_signature::{PrivateKey, PublicKey};

use crate::Failure;
use crate::fleet::Fleet;

/// Keys made in advance: making one takes long in an unoptimised program.
const KEYS: usize = 4;

static PEOPLE: OnceCell<Vec<KeyPair>> = OnceCell::const_new();
static SERVER: OnceCell<KeyPair> = OnceCell::const_new();

/// The key pair of the server itself, the same in all worlds of this process.
pub(crate) async fn key_pair() -> Result<KeyPair, Failure> {
    let made = SERVER.get_or_try_init(async || tokio::task::spawn_blocking(new_key_pair).await?);
    made.await.cloned()
}

/// Those of people, the same in all worlds, too.
async fn key_pairs() -> Result<&'static Vec<KeyPair>, Failure> {
    let make = || (0..KEYS).map(|_| new_key_pair()).collect::<Result<Vec<_>, _>>();
    PEOPLE.get_or_try_init(async || tokio::task::spawn_blocking(make).await?).await
}

fn new_key_pair() -> Result<KeyPair, Failure> {
    let key = PrivateKey::generate()?;
    Ok(KeyPair { private_der: key.to_pkcs8()?, public_pem: key.public_pem()? })
}

/// So many people, who joined as everybody does; the store may know them already.
pub(crate) async fn join(
    store: &Store,
    site: &Site,
    clock: &dyn Clock,
    ids: &IdGenerator,
    count: usize,
) -> Result<Vec<Id>, Failure> {
    let keys = key_pairs().await?;
    let hash = password::hash("cedar and juniper", [7; 16]);
    let mut people = Vec::new();
    for number in 0..count {
        let new = user::NewUser {
            username: format!("bird{number}"),
            email: None,
            password_hash: hash.clone(),
            keys: keys[number % KEYS].clone(),
            reason: None,
            invite: None,
            app: None,
            locale: None,
        };
        let now = clock.now();
        let (site, moment) = (site.clone(), Moment { now, ids: ids.reserve(now, 64) });
        let joined = store.write(move |tx| {
            user::sign_up(tx, &mut moment.clone(), &site, user::Entry::Given(Role::User), &new)
                .map(|account| account.id)
                .map_err(|refusal| StoreError::Engine(format!("{refusal:?}")))
        });
        people.push(joined.await?);
    }
    Ok(people)
}

/// Lets the fleet know their keys, by the names that are used in signatures.
pub(crate) async fn introduce(
    store: &Store,
    site: &Site,
    people: &[Id],
    fleet: &Fleet,
) -> Result<(), Failure> {
    let asked = people.to_vec();
    let keys: Vec<Option<KeyPair>> = store.read(move |tx| tx.get_many(ACCOUNT_KEY, &asked)).await?;
    for (id, keys) in people.iter().zip(keys) {
        let keys = keys.ok_or("a person without a key")?;
        let public = PublicKey::from_pem(&keys.public_pem).map_err(|_| "a damaged key")?;
        fleet.shared.keys.lock().insert(format!("{}#main-key", site.actor(*id)), Arc::new(public));
    }
    Ok(())
}
