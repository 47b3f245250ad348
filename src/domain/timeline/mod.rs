//! Timelines: pages of posts, each with everything that is shown of it.
//!
//! Knows which rows belong into a timeline and who may see them; must not
//! know how they look in an answer.

mod account;
mod home;
mod list;
mod loaded;
mod marked;
mod merge;
mod public;
mod rows;
#[cfg(test)]
mod tests;

pub use account::{Only, account_statuses, pinned};
pub(super) use home::{forget_tag, insert as insert_home, insert_tagged, wants};
pub use home::{home, trim, unmerge};
pub use list::list;
pub(super) use list::{insert as insert_list, unmerge as unmerge_list, wants as list_wants};
pub use loaded::{
    Counts, Loaded, Marks, Person, PollMarks, QuoteView, load, load_everybody, load_one, load_people,
    load_rows,
};
pub use marked::{bookmarks, favourited_by, favourites, reblogged_by};
pub use merge::merge;
pub(super) use merge::{clear_home, merge_list};
pub use public::{Listing, Tags, linked, public, tagged};
pub(super) use rows::insert_direct;
