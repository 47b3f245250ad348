//! The files of the index: opened, made, and what the last change to them
//! said of itself.

use std::fs;
use std::path::Path;

use tantivy::indexer::IndexWriterOptions;
use tantivy::{Index, IndexReader, IndexWriter, ReloadPolicy};
use tracing::warn;

use super::document::{FIELDS, VERSION};
use super::{Place, SearchError};
use crate::base::Id;

/// Bytes of entries that are gathered in memory: the least tantivy takes.
const WRITER_BYTES: usize = 15_000_000;

/// An index that can be asked; cheap to clone.
#[derive(Clone)]
pub(super) struct Shelf {
    place: Place,
    pub(super) index: Index,
    pub(super) reader: IndexReader,
}

/// Kept with each change of the index. Together with the stamp in the store
/// it tells whether both are of the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Of this change.
    pub(super) current: Id,
    /// Of the change before: the store may still have that one, when the
    /// server stopped between the two.
    pub(super) previous: Id,
    /// How far the index has come that is made anew.
    pub(super) walk: Walk,
}

/// What of the store is in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// Posts up to this one.
    Posts(Id),
    /// All posts, and accounts up to this one.
    People(Id),
    /// Everything.
    Done,
}

impl Stamp {
    pub(super) fn write(&self) -> String {
        let walk = match self.walk {
            Walk::Posts(after) => format!("posts {after}"),
            Walk::People(after) => format!("people {after}"),
            Walk::Done => "done 0".to_owned(),
        };
        format!("{VERSION} {} {} {walk}", self.current, self.previous)
    }

    /// `None` for stamps of other versions.
    pub(super) fn read(text: &str) -> Option<Stamp> {
        let parts: Vec<&str> = text.split(' ').collect();
        let [version, current, previous, walk, after] = parts[..] else { return None };
        let after = after.parse().ok()?;
        let walk = match walk {
            "posts" => Walk::Posts(after),
            "people" => Walk::People(after),
            "done" => Walk::Done,
            _ => return None,
        };
        let is_ours = version.parse() == Ok(VERSION);
        is_ours.then_some(Stamp { current: current.parse().ok()?, previous: previous.parse().ok()?, walk })
    }
}

impl Shelf {
    /// The index at a place; an empty one where there is none to be used.
    pub(super) fn open(place: Place) -> Shelf {
        let found = match &place {
            Place::Memory => None,
            Place::Folder(folder) => open(folder),
        };
        match found {
            Some((index, reader)) => Shelf { place, index, reader },
            None => Shelf::anew(&place),
        }
    }

    /// An empty index in place of what was there.
    pub(super) fn anew(place: &Place) -> Shelf {
        if let Place::Folder(folder) = place {
            match make(folder) {
                Ok((index, reader)) => return Shelf { place: place.clone(), index, reader },
                Err(error) => {
                    warn!(folder = %folder.display(), %error, "the search index cannot be kept in `{}`, it is kept in memory", folder.display());
                }
            }
        }
        let index = Index::create_in_ram(FIELDS.schema.clone());
        let reader = reader(&index).expect("an empty index in memory can be read");
        Shelf { place: Place::Memory, index, reader }
    }

    /// The same place with nothing in it.
    pub(super) fn emptied(&self) -> Shelf {
        Shelf::anew(&self.place)
    }

    /// What the last change said; `None` for an index that has none of ours.
    pub(super) fn stamp(&self) -> Option<Stamp> {
        Stamp::read(&self.index.load_metas().ok()?.payload?)
    }

    /// For changes; one at a time.
    pub(super) fn writer(&self) -> Result<IndexWriter, SearchError> {
        let options = IndexWriterOptions::builder()
            .memory_budget_per_thread(WRITER_BYTES)
            .num_worker_threads(1)
            .num_merge_threads(1)
            .build();
        Ok(self.index.writer_with_options(options)?)
    }
}

/// Commits what was added, with its stamp.
pub(super) fn commit(writer: &mut IndexWriter, stamp: &Stamp) -> Result<(), SearchError> {
    let mut prepared = writer.prepare_commit()?;
    prepared.set_payload(&stamp.write());
    prepared.commit()?;
    Ok(())
}

/// `None` when it is missing, damaged or of another version.
fn open(folder: &Path) -> Option<(Index, IndexReader)> {
    if !folder.is_dir() {
        return None;
    }
    let opened = Index::open_in_dir(folder).and_then(|index| Ok((reader(&index)?, index)));
    match opened {
        Ok((reader, index)) if index.schema() == FIELDS.schema => Some((index, reader)),
        Ok(_) => None,
        Err(error) => {
            warn!(%error, "the search index cannot be read; it is made anew");
            None
        }
    }
}

fn make(folder: &Path) -> Result<(Index, IndexReader), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.to_string()),
        _ => {}
    }
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let made =
        Index::create_in_dir(folder, FIELDS.schema.clone()).and_then(|index| Ok((reader(&index)?, index)));
    made.map(|(reader, index)| (index, reader)).map_err(|error| error.to_string())
}

fn reader(index: &Index) -> tantivy::Result<IndexReader> {
    index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()
}
