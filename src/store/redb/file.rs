//! Opening the file, making it, and refusing what is not ours.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use redb::{Database, DatabaseError, Error, ReadableDatabase, TableDefinition, TableError};

use super::fault::{translate, translate_io};
use super::{Opener, STORE_VERSION};
use crate::store::StoreError;

/// About the file itself; our other tables never have this name.
const META: TableDefinition<'static, &'static str, u32> = TableDefinition::new(META_NAME);
pub(super) const META_NAME: &str = "waxwing-store";
const VERSION: &str = "version";

pub(super) fn make_if_missing(path: &Path) -> Result<(), StoreError> {
    if path.try_exists().map_err(|e| translate_io(path, &e))? { Ok(()) } else { create(path) }
}

pub(super) fn open_plainly(path: &Path, cache_max_bytes: usize) -> Result<Database, DatabaseError> {
    let mut builder = Database::builder();
    builder.set_cache_size(cache_max_bytes);
    builder.set_repair_callback(|repair| {
        if repair.progress() == 0.0 {
            tracing::info!("the store was not closed cleanly; checking it");
        }
    });
    builder.open(path)
}

/// Opens a file that exists, and refuses what is not a store of ours.
pub(super) fn open(path: &Path, opener: &Opener) -> Result<Database, StoreError> {
    // redb may panic over a file that was altered by something else.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let database = opener(path).map_err(|e| translate(path, e.into()))?;
        check_version(path, &database)?;
        Ok(database)
    }));
    opened.unwrap_or_else(|_| Err(StoreError::Damaged(format!("`{}` makes no sense", path.display()))))
}

fn check_version(path: &Path, database: &Database) -> Result<(), StoreError> {
    let foreign =
        || StoreError::Damaged(format!("`{}` is a redb file, but was not made by Waxwing", path.display()));
    let tx = database.begin_read().map_err(|e| translate(path, e.into()))?;
    let meta = match tx.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::TableDoesNotExist(_) | TableError::TableTypeMismatch { .. }) => return Err(foreign()),
        Err(e) => return Err(translate(path, e.into())),
    };
    let version = meta.get(VERSION).map_err(|e| translate(path, e.into()))?.ok_or_else(foreign)?.value();
    match version {
        STORE_VERSION => Ok(()),
        newer if newer > STORE_VERSION => Err(StoreError::Newer(format!(
            "`{}` has store version {newer}, this program knows {STORE_VERSION}",
            path.display()
        ))),
        _ => Err(foreign()),
    }
}

/// Makes an empty store beside the place and moves it there when whole, so
/// that a crash meanwhile leaves nothing that looks damaged.
fn create(path: &Path) -> Result<(), StoreError> {
    let io = |e: std::io::Error| translate_io(path, &e);
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    make_private_folder(&folder).map_err(io)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = folder.join(name);
    // What a crash left of an earlier attempt.
    match fs::remove_file(&fresh) {
        Err(e) if e.kind() != ErrorKind::NotFound => return Err(io(e)),
        _ => {}
    }
    let made = make_private_file(&fresh).map_err(io).and_then(|()| {
        initialise(&fresh).map_err(|e| translate(path, e))?;
        move_without_replacing(&fresh, path).map_err(io)?;
        sync_folder(&folder).map_err(io)
    });
    if made.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    made
}

fn initialise(fresh: &Path) -> Result<(), Error> {
    let database = Database::builder().create(fresh)?;
    let tx = database.begin_write()?;
    tx.open_table(META)?.insert(VERSION, STORE_VERSION)?;
    tx.commit()?;
    database.close()?;
    Ok(())
}

/// Another process may have been quicker; its file stays.
fn move_without_replacing(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => fs::remove_file(from),
        // Some file systems have no hard links.
        Err(_) => fs::rename(from, to),
    }
}

fn make_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn make_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A new name is durable only once its folder is.
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    let _ = folder;
    Ok(())
}
