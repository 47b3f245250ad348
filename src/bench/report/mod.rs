//! What a run found: as data, and as a page with pictures.

pub mod data;
mod page;
mod svg;

pub use page::page;
