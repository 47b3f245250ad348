//! What an account leaves in the place of files when it goes: its own
//! pictures, and our copies of pictures of other servers. The rows go in the
//! transaction that decides, the files in a job that it writes.

use crate::base::{Id, Moment};
use crate::domain::cache;
use crate::domain::delivery::{Task, enqueue};
use crate::domain::secret;
use crate::model::queue::{Job, Lane};
use crate::model::{Account, Picture, Status};
use crate::store::{StoreError, WriteTx};

/// Files that one job removes.
const FILES_PER_JOB: usize = 500;

/// Lets go of an account's avatar and header. Takes one id.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn let_go(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    account: &Account,
) -> Result<(), StoreError> {
    let (mut names, mut copied) = (Vec::new(), Vec::new());
    for picture in [&account.avatar, &account.header].into_iter().flatten() {
        match picture {
            Picture::Local(name) => names.push(name.clone()),
            Picture::Remote(address) => copied.push(address.as_str()),
        }
    }
    names.extend(uncached(tx, &copied)?);
    remove_later(tx, moment, names)
}

/// Lets go of our copies of what posts of another server show. Takes one id.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn let_go_copies(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    posts: &[Status],
) -> Result<(), StoreError> {
    let shown = posts.iter().filter(|post| !post.is_local).flat_map(|post| &post.attachments);
    let copied: Vec<&str> = shown.filter_map(|attachment| attachment.remote_url.as_deref()).collect();
    let names = uncached(tx, &copied)?;
    remove_later(tx, moment, names)
}

/// Takes the copies of these addresses out of the cache; gives their names.
fn uncached(tx: &mut WriteTx<'_>, addresses: &[&str]) -> Result<Vec<String>, StoreError> {
    let keys: Vec<cache::CacheKey> = addresses.iter().map(|address| secret::digest(address)).collect();
    cache::take(tx, &keys)
}

fn remove_later(tx: &mut WriteTx<'_>, moment: &mut Moment, mut names: Vec<String>) -> Result<(), StoreError> {
    names.truncate(FILES_PER_JOB);
    if !names.is_empty() {
        enqueue(tx, moment, &Task::local(Job::RemoveFiles { names }, Id::ZERO).lane(Lane::Bulk))?;
    }
    Ok(())
}
