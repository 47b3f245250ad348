//! What people read when the file cannot be used, and who may read the file.

use std::fs;
use std::path::{Path, PathBuf};

use waxwing::store::{STORE_VERSION, Scan, Store, StoreError};

use crate::child::{self, LEFT, Writer};
use crate::home::{Fail, read, write};

fn place(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("waxwing.redb")
}

fn refusal(path: &Path) -> StoreError {
    match Store::open_redb(path) {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

async fn some_rows(path: &Path) {
    let store = Store::open_redb(path).unwrap();
    write(&store, |tx| {
        for key in 0..500 {
            tx.put(LEFT, &key, &vec![key as u8; 500]);
        }
        Ok(())
    })
    .await;
}

#[test]
fn a_store_in_use_by_another_process_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::start(child::command(folder.path()));
    writer.next("ack ").unwrap();
    let error = refusal(&place(&folder));
    assert!(matches!(error, StoreError::Held(_)), "{error}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    writer.kill();
    Store::open_redb(place(&folder)).unwrap();
}

#[test]
fn a_file_of_something_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for content in [&b""[..], b"# my notes\n", &[0; 100_000], b"redb\x1A\x0A\xA9\x0D\x0A"] {
        fs::write(place(&folder), content).unwrap();
        let error = refusal(&place(&folder));
        assert!(matches!(error, StoreError::Damaged(_)), "{error}");
        assert!(error.to_string().contains("waxwing.redb"), "{error}");
        assert_eq!(fs::read(place(&folder)).unwrap(), content);
    }
    let error = refusal(folder.path());
    assert!(matches!(error, StoreError::Engine(_)), "{error}");
}

#[test]
fn a_redb_file_of_another_program_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(redb::Database::create(place(&folder)).unwrap());
    let error = refusal(&place(&folder));
    assert!(error.to_string().contains("was not made by Waxwing"), "{error}");
}

#[test]
fn a_store_of_a_newer_program_is_refused() {
    const META: redb::TableDefinition<'_, &str, u32> = redb::TableDefinition::new("waxwing-store");
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open_redb(place(&folder)).unwrap());
    let database = redb::Database::open(place(&folder)).unwrap();
    let tx = database.begin_write().unwrap();
    tx.open_table(META).unwrap().insert("version", STORE_VERSION + 1).unwrap();
    tx.commit().unwrap();
    drop(database);
    let error = refusal(&place(&folder));
    assert!(matches!(error, StoreError::Newer(_)), "{error}");
    assert!(error.to_string().contains("run that version or a later one"), "{error}");
}

#[tokio::test]
async fn a_file_cut_short_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    some_rows(&place(&folder)).await;
    let whole = fs::read(place(&folder)).unwrap();
    for keep in [1, 8, 100, 4096, whole.len() / 2, whole.len() - 4096, whole.len() - 1] {
        fs::write(place(&folder), &whole[..keep]).unwrap();
        let error = match Store::open_redb(place(&folder)) {
            Err(error) => error,
            // The end may be free space; then everything must be there.
            Ok(store) => match store.read(|tx| Ok::<_, Fail>(tx.scan(LEFT, Scan::all())?.len())).await {
                Ok(rows) => {
                    assert_eq!(rows, 500, "{keep} of {} bytes", whole.len());
                    continue;
                }
                Err(Fail::Store(error)) => error,
                Err(Fail::Refused) => unreachable!("nobody refuses"),
            },
        };
        assert!(matches!(error, StoreError::Damaged(_)), "{keep} of {} bytes: {error:?}", whole.len());
    }
}

#[tokio::test]
async fn damaged_pages_never_crash_the_program() {
    let folder = tempfile::tempdir().unwrap();
    some_rows(&place(&folder)).await;
    let whole = fs::read(place(&folder)).unwrap();
    let mut refused = 0;
    for at in (0..whole.len()).step_by(whole.len() / 40) {
        let mut damaged = whole.clone();
        let end = damaged.len().min(at + 64);
        damaged[at..end].fill(0xa5);
        fs::write(place(&folder), &damaged).unwrap();
        let Ok(store) = Store::open_redb(place(&folder)) else {
            refused += 1;
            continue;
        };
        let _ = store.read(|tx| Ok::<_, Fail>(tx.scan(LEFT, Scan::all())?.len())).await;
        let _ = store
            .write(|tx| {
                tx.put(LEFT, &1, &vec![1]);
                Ok::<_, Fail>(())
            })
            .await;
    }
    assert!(refused > 0, "a damaged header is refused");
}

/// A file that may not grow, as on a full disk that gave no warning.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_grow_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    // In units of 512 bytes. Without the trap the system would end the child.
    let mut writer = Writer::start(child::limited_command(folder.path(), "trap '' XFSZ; ulimit -f 4000"));
    let mut acknowledged = 0;
    let mut said = Vec::new();
    while let Some(line) = writer.next("") {
        match line.starts_with("ack ") {
            true => acknowledged += 1,
            false => said.push(line),
        }
    }
    drop(writer);
    let said = |word| said.iter().find_map(|line| line.strip_prefix(word)).unwrap();
    assert!(said("failed ").starts_with("the disk is full"), "{}", said("failed "));
    // The child read them after the failure, without opening the store anew.
    assert!(said("rows ").parse::<usize>().unwrap() >= acknowledged && acknowledged > 0);
    let store = Store::open_redb(place(&folder)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rows = runtime.block_on(read(&store, |tx| Ok(tx.scan(LEFT, Scan::all())?.len())));
    assert!(rows >= acknowledged, "{rows} of {acknowledged}");
}

/// A disk of 12 MiB, where the system lets us make one.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs"])
            .arg(folder.path())
            .stderr(std::process::Stdio::null())
            .status();
        mount.is_ok_and(|status| status.success()).then_some(SmallDisk(folder))
    }

    /// Leaves so much free.
    fn fill(&self, leave_bytes: u64) {
        fs::write(self.filler(), []).unwrap();
        let disk = rustix::fs::statvfs(self.0.path()).unwrap();
        let size = (disk.f_bavail * disk.f_frsize).saturating_sub(leave_bytes);
        fs::write(self.filler(), vec![0; size as usize]).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg(self.0.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_stops_additions_only_until_there_is_space() {
    let Some(disk) = SmallDisk::mount() else {
        println!("not run: this user may not mount a small disk");
        return;
    };
    let store = Store::open_redb(place(&disk.0)).unwrap();
    let put = |key: u64| {
        store.write(move |tx| {
            tx.put(LEFT, &key, &vec![1]);
            Ok::<_, StoreError>(())
        })
    };
    let delete = |key: u64| {
        store.write(move |tx| {
            tx.delete(LEFT, &key);
            Ok::<_, StoreError>(())
        })
    };
    let rows = async || read(&store, |tx| Ok(tx.scan(LEFT, Scan::all())?.len())).await;
    put(1).await.unwrap();
    put(2).await.unwrap();
    disk.fill(5 << 20);
    let error = put(3).await.unwrap_err();
    assert!(error.to_string().contains("needs 9 MiB free and has 5"), "{error}");
    assert_eq!(rows().await, 2);
    delete(1).await.unwrap();
    assert_eq!(rows().await, 1);
    disk.fill(0);
    assert!(matches!(delete(2).await, Err(StoreError::DiskFull(_))));
    assert_eq!(rows().await, 1);
    let error = refusal(&disk.0.path().join("second.redb"));
    assert!(matches!(error, StoreError::DiskFull(_)), "{error}");
    fs::remove_file(disk.filler()).unwrap();
    put(3).await.unwrap();
    assert_eq!(rows().await, 2);
    assert_eq!(fs::read_dir(disk.0.path()).unwrap().count(), 1, "half a store is left");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/waxwing.redb");
    drop(Store::open_redb(&path).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    let names: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["waxwing.redb"]);
}

#[tokio::test]
async fn a_start_that_died_while_making_the_file_is_made_good() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("waxwing.redb.new"), [0; 5000]).unwrap();
    some_rows(&place(&folder)).await;
    assert!(!folder.path().join("waxwing.redb.new").exists());
}
