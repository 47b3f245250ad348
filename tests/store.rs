//! One suite for every storage engine.

use waxwing::store::{Counter, Scan, Store, StoreError, Table};

const ROW: Table<u64, Vec<u8>> = Table::new("row");
const SUM: Counter<u64> = Counter::new("sum");

#[tokio::test]
async fn redb_keeps_everything_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/waxwing.redb");
    {
        let store = Store::open_redb(&path).unwrap();
        store
            .write(|tx| {
                tx.put(ROW, &1, &b"one".to_vec());
                tx.add(SUM, &7, 3);
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
    }
    let store = Store::open_redb(&path).unwrap();
    let (rows, sum) =
        store.read(|tx| Ok::<_, StoreError>((tx.scan(ROW, Scan::all())?, tx.count(SUM, &7)?))).await.unwrap();
    assert_eq!(rows, vec![(1, b"one".to_vec())]);
    assert_eq!(sum, 3);
}
