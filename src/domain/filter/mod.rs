//! What people do not want to read: their filters, and which posts match.
//!
//! A matching post carries its matches ([`crate::domain::timeline::Loaded`]);
//! lists leave out what a filter hides in their context. Must not know how a
//! match looks in an answer.

mod edit;
mod matcher;
mod text;

pub use edit::{
    Change, Draft, FilterError, KEYWORD_CHARACTERS_MAX, KeywordChange, OnlyKeyword, TITLE_CHARACTERS_MAX,
    add_keyword, add_status, change_keyword, change_only_keyword, create, delete, delete_keyword,
    delete_status, update,
};
pub use matcher::{Match, Matcher};

use crate::base::Id;
use crate::model::tables::FILTERS;
use crate::model::{Filter, Filters};
use crate::store::{ReadTx, StoreError};

/// All filters of somebody, oldest first, those that ended too.
///
/// # Errors
/// Only the store's.
pub fn list(tx: &ReadTx<'_>, owner: Id) -> Result<Vec<Filter>, StoreError> {
    Ok(tx.get(FILTERS, &owner)?.unwrap_or_else(Filters::default).all)
}
