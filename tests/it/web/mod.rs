//! The pages, as a browser without scripts asks for them. What scripts do is
//! tested in `tests/browser`.

pub mod browser;
mod compose;
mod forms;
mod live;
mod media;
mod ordering;
mod quotes;
mod reading;
mod record;
mod sessions;
mod tags;
mod webhooks;
