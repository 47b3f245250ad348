//! Pictures, films and sounds as bytes: what they are, and how they are made
//! fit to be shown. Pure: bytes in, bytes out. Must not know where they come
//! from or are kept.

pub mod gif;
pub mod mp4;
pub mod picture;
mod shrink;
mod sniff;

pub use sniff::Format;
