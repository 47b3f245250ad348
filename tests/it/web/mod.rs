//! The pages, as a browser without scripts asks for them. What scripts do is
//! tested in `tests/browser`.

mod browser;
mod forms;
mod live;
mod media;
mod reading;
mod sessions;
mod tags;
