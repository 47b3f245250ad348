//! The folder that a measurement writes to. It goes with the process; what a
//! process that was killed has left is swept away by the next one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::base::{Problem, ProblemKind};

/// What the names of these folders begin with; the process's number follows.
const PREFIX: &str = "waxwing-bench-";
/// Locked for as long as the process lives.
const LOCK: &str = "lock";
/// Entries of the system's folder for such things that are looked at.
const ENTRIES_MAX: usize = 10_000;

/// A folder that goes with the process.
pub(super) struct Folder {
    path: PathBuf,
    /// The system lets go of it when the process ends, however it ends.
    _lock: File,
}

impl Folder {
    /// A new one, once those of the dead are swept away.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn make(parent: &Path) -> Result<Folder, Problem> {
        sweep(parent);
        let path = parent.join(format!("{PREFIX}{}", std::process::id()));
        let made = make_new(&path).and_then(|()| {
            let lock = File::create(path.join(LOCK))?;
            lock.try_lock()?;
            Ok(lock)
        });
        let lock = made.map_err(|error| {
            let what = format!("the folder `{}` cannot be made: {error}", path.display());
            Problem::new(ProblemKind::Unavailable, what).hint("`TMPDIR=DIR` names another place for it")
        })?;
        Ok(Folder { path, _lock: lock })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed now is swept away by the next one.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folder of an instance, and what it stands in: whoever made
/// that may have been killed.
pub(super) fn remove_instance(folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    if let Some(whole) = folder.parent().filter(|whole| is_ours(whole)) {
        let _ = fs::remove_dir_all(whole);
    }
}

/// Fails where there is something already: it is not ours.
fn make_new(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for path in entries.take(ENTRIES_MAX).flatten().map(|entry| entry.path()).filter(|path| is_ours(path)) {
        // One without a lock is just being made.
        // What is no file, such as a pipe, is not ours, and opening it may wait for ever.
        let lock = path.join(LOCK);
        let is_file = fs::symlink_metadata(&lock).is_ok_and(|meta| meta.is_file());
        let is_dead = is_file && File::open(lock).is_ok_and(|lock| lock.try_lock().is_ok());
        if is_dead {
            // That of another user stays.
            let _ = fs::remove_dir_all(&path);
        }
    }
}

fn is_ours(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_is_swept_away_and_the_living_are_left_alone() {
        let parent = tempfile::tempdir().unwrap();
        let place = |name: &str| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join(LOCK), "").unwrap();
            path
        };
        let (dead, alive, other) = (place("waxwing-bench-1"), place("waxwing-bench-2"), place("else"));
        let lock = File::open(alive.join(LOCK)).unwrap();
        lock.try_lock().unwrap();
        let folder = Folder::make(parent.path()).unwrap();
        assert!(!dead.exists() && alive.exists() && other.exists());
        assert!(folder.path().exists());
        assert!(Folder::make(parent.path()).is_err(), "two in one process");
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn an_instance_takes_its_surroundings_along_if_they_are_ours() {
        let parent = tempfile::tempdir().unwrap();
        for (name, stays) in [("waxwing-bench-7", false), ("home", true)] {
            let whole = parent.path().join(name);
            fs::create_dir_all(whole.join("instance/tls")).unwrap();
            remove_instance(&whole.join("instance"));
            assert_eq!(whole.exists(), stays, "{name}");
            assert!(!whole.join("instance").exists());
        }
    }
}
