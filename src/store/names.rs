//! Names of tables that are read from data, kept as long as the program
//! lives, as those in the code are.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use super::StoreError;

/// Most different names; a store has some hundred.
const NAMES_MAX: usize = 4096;

static NAMES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The name; each is kept once.
pub(super) fn keep(name: &str) -> Result<&'static str, StoreError> {
    let mut names = NAMES.lock();
    if let Some(known) = names.get(name) {
        return Ok(known);
    }
    if names.len() >= NAMES_MAX {
        return Err(StoreError::Engine("there are too many tables".into()));
    }
    let kept: &'static str = Box::leak(name.to_owned().into_boxed_str());
    names.insert(kept);
    Ok(kept)
}
