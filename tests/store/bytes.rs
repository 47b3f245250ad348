//! Records on disk outlive the program that wrote them.

use minicbor::{Decode, Encode};
use waxwing::store::{Record, Table, Value, ValueError, golden};

pub const SAMPLE: Table<u64, Sample> = Table::new("sample");

#[derive(Debug, PartialEq, Encode, Decode)]
pub struct Sample {
    #[n(0)]
    pub name: String,
    #[n(1)]
    pub count: u32,
    /// Came later, so older rows lack it.
    #[n(2)]
    pub note: Option<String>,
}

impl Record for Sample {}

/// As `Sample`, once `name` was split: a change that needed a new version.
#[derive(Debug, PartialEq, Encode, Decode)]
struct Second {
    #[n(0)]
    given: String,
    #[n(1)]
    family: String,
}

impl Record for Second {
    const VERSION: u8 = 2;

    fn upgrade(version: u8, bytes: &[u8]) -> Result<Second, ValueError> {
        assert_eq!(version, 1);
        let old: Sample = minicbor::decode(bytes).map_err(|e| ValueError::Damaged(e.to_string()))?;
        let (given, family) = old.name.split_once(' ').unwrap_or((&old.name, ""));
        Ok(Second { given: given.into(), family: family.into() })
    }
}

#[test]
fn rows_written_by_every_version_still_read() {
    golden::check("store-sample", &Sample { name: "Ana Bo".into(), count: 3, note: None }).unwrap();
    golden::check("store-sample-second", &Second { given: "Ana".into(), family: "Bo".into() }).unwrap();
}

#[test]
fn older_programs_skip_fields_they_do_not_know() {
    #[derive(Debug, PartialEq, Encode, Decode)]
    struct Newer {
        #[n(0)]
        name: String,
        #[n(1)]
        count: u32,
        #[n(3)]
        later: Vec<u8>,
    }
    impl Record for Newer {}
    let bytes = Newer { name: "Ana".into(), count: 1, later: vec![1, 2] }.to_bytes();
    assert_eq!(Sample::from_bytes(&bytes), Ok(Sample { name: "Ana".into(), count: 1, note: None }));
}

#[test]
fn newer_versions_and_damage_are_told_apart() {
    assert_eq!(Sample::from_bytes(&[2, 0x80]), Err(ValueError::Newer(2)));
    for bytes in [&[][..], &[0, 0x80], &[1], &[1, 0x82, 0x61]] {
        assert!(matches!(Sample::from_bytes(bytes), Err(ValueError::Damaged(_))), "{bytes:?}");
    }
}
