//! The conversation around a post: what it answers, and what answers it. One
//! scan reads the shape of the thread, one batch the posts that are shown.

use std::collections::HashMap;

use super::timeline::{Loaded, load};
use super::visibility::Viewer;
use crate::base::Id;
use crate::base::limits::ANCESTORS_MAX;
use crate::model::FilterContext;
use crate::model::tables::{STATUS, STATUS_BY_THREAD};
use crate::store::{ReadTx, Scan, StoreError};

/// Rows of a thread that are read.
const THREAD_MAX_ROWS: usize = 4000;
/// Answers shown to somebody who is logged in.
const DESCENDANTS_MAX: usize = 1000;
/// Answers shown to anybody else (Mastodon: 60).
const DESCENDANTS_PUBLIC_MAX: usize = 60;
/// Answers upon answers that are followed down.
const DEPTH_MAX: usize = 100;

/// The posts before and after a post in its thread.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// From the first post of the thread down to the one that is answered.
    pub ancestors: Vec<Loaded>,
    /// Answers, each followed by its own.
    pub descendants: Vec<Loaded>,
}

/// The conversation around a post; `None` if the viewer may not see it.
///
/// # Errors
/// Only the store's.
pub fn context(tx: &ReadTx<'_>, viewer: Viewer, status: Id) -> Result<Option<Context>, StoreError> {
    let Some(status) = tx.get(STATUS, &status)? else { return Ok(None) };
    let status = status.shown();
    let Some(shown) = tx.get(STATUS, &status)? else { return Ok(None) };
    let rows = tx.scan(STATUS_BY_THREAD, Scan::prefix(&(shown.thread,)).limit(THREAD_MAX_ROWS))?;
    let mut parents: HashMap<Id, Id> = HashMap::new();
    let mut children: HashMap<Id, Vec<Id>> = HashMap::new();
    for ((_, id), entry) in &rows {
        if let Some(parent) = entry.in_reply_to {
            parents.insert(*id, parent);
            children.entry(parent).or_default().push(*id);
        }
    }
    let above = ancestors(&parents, status);
    let most = if viewer.id.is_some() { DESCENDANTS_MAX } else { DESCENDANTS_PUBLIC_MAX };
    let below = descendants(&children, status, most);

    let wanted: Vec<Id> = above.iter().chain([&status]).chain(&below).copied().collect();
    let mut loaded = load(tx, viewer, &wanted)?;
    let after = loaded.split_off(above.len() + 1);
    if loaded.pop().flatten().is_none() {
        return Ok(None);
    }
    let is_wanted = |l: &Loaded| !l.is_silenced && !l.is_hidden(FilterContext::Thread);
    let shown = |loaded: Vec<Option<Loaded>>| {
        let is_strange = |l: &Loaded| l.is_limited_to(viewer) && !l.between.follows();
        let is_kept = |l: &Loaded| is_wanted(l) && !is_strange(l) || viewer.is(l.status.account);
        loaded.into_iter().flatten().filter(is_kept).collect()
    };
    Ok(Some(Context { ancestors: shown(loaded), descendants: shown(after) }))
}

/// First post first. Parents are older than their answers, but foreign
/// servers may say otherwise, so the walk is bounded.
fn ancestors(parents: &HashMap<Id, Id>, of: Id) -> Vec<Id> {
    let mut above: Vec<Id> = Vec::new();
    let mut at = of;
    while let Some(parent) = parents.get(&at) {
        if above.len() == ANCESTORS_MAX || *parent == of || above.contains(parent) {
            break;
        }
        above.push(*parent);
        at = *parent;
    }
    above.reverse();
    above
}

/// Depth first, older answers first.
fn descendants(children: &HashMap<Id, Vec<Id>>, of: Id, most: usize) -> Vec<Id> {
    let answers = |id: Id, depth: usize| {
        let ids = children.get(&id).map(Vec::as_slice).unwrap_or_default();
        ids.iter().rev().map(move |id| (*id, depth))
    };
    let mut found: Vec<Id> = Vec::new();
    let mut seen = std::collections::HashSet::from([of]);
    let mut open: Vec<(Id, usize)> = answers(of, 1).collect();
    while let Some((id, depth)) = open.pop() {
        if found.len() == most {
            break;
        }
        if !seen.insert(id) {
            continue;
        }
        found.push(id);
        if depth < DEPTH_MAX {
            open.extend(answers(id, depth + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(raw: &[u64]) -> Vec<Id> {
        raw.iter().map(|id| Id(*id)).collect()
    }

    #[test]
    fn a_thread_is_read_depth_first() {
        let children = HashMap::from([(Id(1), ids(&[2, 5])), (Id(2), ids(&[3, 4]))]);
        assert_eq!(descendants(&children, Id(1), 9), ids(&[2, 3, 4, 5]));
        assert_eq!(descendants(&children, Id(1), 2), ids(&[2, 3]));
        let parents = HashMap::from([(Id(2), Id(1)), (Id(3), Id(2))]);
        assert_eq!(ancestors(&parents, Id(3)), ids(&[1, 2]));
    }

    #[test]
    fn a_thread_that_bites_its_tail_ends() {
        let parents = HashMap::from([(Id(1), Id(2)), (Id(2), Id(3)), (Id(3), Id(1))]);
        assert_eq!(ancestors(&parents, Id(1)), ids(&[3, 2]));
        let children = HashMap::from([(Id(1), ids(&[2])), (Id(2), ids(&[1, 2]))]);
        assert_eq!(descendants(&children, Id(1), 9), ids(&[2]));
    }
}
