//! Where uploaded and cached files are kept: a folder, an S3 bucket, or
//! memory. One way to all of them; who uses it does not know which it is.
//!
//! Names are paths of a few plain segments that this program chooses; what
//! people call their files never gets here.

mod s3;

use std::ops::Range;
use std::path::Path as Folder;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload};

use crate::base::{Problem, ProblemKind, Timestamp};
use crate::config::MediaChoice;

/// Files listed at once.
const LISTED_MAX: usize = 10_000;

/// Files by name; cheap to clone.
#[derive(Debug, Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
}

/// A file, or the part of it that was asked for.
pub struct File {
    /// Bytes of the whole file.
    pub size: u64,
    /// The part that comes.
    pub range: Range<u64>,
    /// Its bytes.
    pub bytes: BoxStream<'static, Result<Bytes, Error>>,
}

/// A name in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The file's name.
    pub name: String,
    /// When it was written.
    pub written: Timestamp,
    /// Its bytes.
    pub size: u64,
}

impl Files {
    /// Files at the place that the configuration names.
    ///
    /// # Errors
    /// When the folder cannot be made, or the bucket's settings are wrong.
    pub fn open(choice: &MediaChoice, extra_roots_pem: &[u8]) -> Result<Files, Problem> {
        match choice {
            MediaChoice::Folder(folder) => Files::in_folder(folder),
            MediaChoice::Memory => Ok(Files { store: Arc::new(InMemory::new()) }),
            MediaChoice::S3(settings) => Ok(Files { store: s3::open(settings, extra_roots_pem)? }),
        }
    }

    fn in_folder(folder: &Folder) -> Result<Files, Problem> {
        let refused = |why: &dyn std::fmt::Display| {
            let detail = format!("the folder for media `{}` cannot be used: {why}", folder.display());
            Problem::new(ProblemKind::Unavailable, detail)
                .hint("name another one with `media`, or mend its permissions")
        };
        std::fs::create_dir_all(folder).map_err(|error| refused(&error))?;
        let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| refused(&error))?;
        Ok(Files { store: Arc::new(store) })
    }

    /// Keeps a file; one of the same name is replaced. It is there whole or
    /// not at all.
    ///
    /// # Errors
    /// When the place fails.
    pub async fn put(&self, name: &str, bytes: impl Into<Bytes>) -> Result<(), Problem> {
        let payload = PutPayload::from_bytes(bytes.into());
        self.store.put(&Path::from(name), payload).await.map_err(failed)?;
        Ok(())
    }

    /// A file, or a part of it; `None` where there is none of that name. The
    /// part must lie within the file.
    ///
    /// # Errors
    /// When the place fails.
    pub async fn get(&self, name: &str, range: Option<Range<u64>>) -> Result<Option<File>, Problem> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = match self.store.get_opts(&Path::from(name), options).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let (size, range) = (found.meta.size, found.range.clone());
        Ok(Some(File { size, range, bytes: found.into_stream() }))
    }

    /// A file's bytes, at most `bytes_max` of them; `None` where there is
    /// none of that name.
    ///
    /// # Errors
    /// When the place fails, or the file is larger.
    pub async fn read(&self, name: &str, bytes_max: u64) -> Result<Option<Bytes>, Problem> {
        let Some(mut file) = self.get(name, None).await? else { return Ok(None) };
        if file.size > bytes_max {
            return Err(Problem::internal(std::io::Error::other("a kept file is larger than it may be")));
        }
        let mut whole = Vec::with_capacity(usize::try_from(file.size).unwrap_or(0));
        while let Some(part) = file.bytes.try_next().await.map_err(failed)? {
            whole.extend_from_slice(&part);
        }
        Ok(Some(whole.into()))
    }

    /// Bytes of a file; `None` where there is none of that name.
    ///
    /// # Errors
    /// When the place fails.
    pub async fn size(&self, name: &str) -> Result<Option<u64>, Problem> {
        match self.store.head(&Path::from(name)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Removes a file; it is no error when there is none.
    ///
    /// # Errors
    /// When the place fails.
    pub async fn delete(&self, name: &str) -> Result<(), Problem> {
        match self.store.delete(&Path::from(name)).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// The files whose names begin with `folder/`, a bounded number of them.
    ///
    /// # Errors
    /// When the place fails.
    pub async fn list(&self, folder: &str) -> Result<Vec<Listed>, Problem> {
        let found = self.store.list(Some(&Path::from(folder))).take(LISTED_MAX);
        let listed = found.map_ok(|meta| Listed {
            name: meta.location.to_string(),
            written: Timestamp::from_millis(meta.last_modified.timestamp_millis()),
            size: meta.size,
        });
        listed.try_collect().await.map_err(failed)
    }
}

fn failed(error: Error) -> Problem {
    Problem::new(ProblemKind::Unavailable, "Files cannot be reached at the moment").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(files: &Files) {
        files.put("a/one.png", &b"0123456789"[..]).await.unwrap();
        let part = files.get("a/one.png", Some(2..5)).await.unwrap().unwrap();
        assert_eq!((part.size, part.range.clone()), (10, 2..5));
        let bytes: Vec<Bytes> = part.bytes.try_collect().await.unwrap();
        assert_eq!(bytes.concat(), b"234");
        assert_eq!(files.read("a/one.png", 10).await.unwrap().unwrap(), &b"0123456789"[..]);
        assert!(files.read("a/one.png", 9).await.is_err());
        assert_eq!(files.size("a/one.png").await.unwrap(), Some(10));
        files.put("a/one.png", &b"x"[..]).await.unwrap();
        assert_eq!(files.read("a/one.png", 10).await.unwrap().unwrap(), &b"x"[..]);
        let names: Vec<String> = files.list("a").await.unwrap().into_iter().map(|l| l.name).collect();
        assert_eq!(names, ["a/one.png"]);
        files.delete("a/one.png").await.unwrap();
        files.delete("a/one.png").await.unwrap();
        assert!(files.get("a/one.png", None).await.unwrap().is_none());
        assert_eq!(files.size("a/one.png").await.unwrap(), None);
    }

    #[tokio::test]
    async fn files_are_kept_in_a_folder_and_in_memory_alike() {
        let folder = tempfile::tempdir().unwrap();
        let at = MediaChoice::Folder(folder.path().join("media"));
        check(&Files::open(&at, b"").unwrap()).await;
        check(&Files::open(&MediaChoice::Memory, b"").unwrap()).await;
    }

    #[tokio::test]
    async fn a_name_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), "x").unwrap();
        let files = Files::open(&MediaChoice::Folder(folder.path().join("media")), b"").unwrap();
        for name in ["../secret", "a/../../secret", "/etc/hostname"] {
            assert!(!matches!(files.get(name, None).await, Ok(Some(_))), "{name}");
        }
    }
}
