//! Typed tables and the encoding of their values.

use std::marker::PhantomData;

use super::key::Key;
use crate::base::Id;

/// A value that could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueError {
    /// Written by a newer program: its version.
    Newer(u8),
    /// The bytes are not such a value.
    Damaged(String),
}

/// How a value is kept as bytes.
pub trait Value: Sized {
    /// The bytes to keep.
    fn to_bytes(&self) -> Vec<u8>;
    /// Reads kept bytes.
    ///
    /// # Errors
    /// When they are damaged or from a newer program.
    fn from_bytes(bytes: &[u8]) -> Result<Self, ValueError>;
}

/// A structured value: one version byte, then CBOR with numbered fields.
///
/// Adding an optional field (a new number) needs no new version: old rows
/// decode without it and old programs skip it. Anything else raises
/// `VERSION` and teaches [`Record::upgrade`] to read what was before.
pub trait Record: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()> {
    /// The version this program writes.
    const VERSION: u8 = 1;

    /// Reads a row of an older version.
    ///
    /// # Errors
    /// When there never was such a version.
    fn upgrade(version: u8, _bytes: &[u8]) -> Result<Self, ValueError> {
        Err(ValueError::Damaged(format!("no version {version} of this record ever existed")))
    }
}

impl<T: Record> Value for T {
    fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![T::VERSION];
        minicbor::encode(self, &mut out).expect("writing to memory cannot fail");
        out
    }

    fn from_bytes(bytes: &[u8]) -> Result<T, ValueError> {
        let (&version, body) =
            bytes.split_first().ok_or_else(|| ValueError::Damaged("the row is empty".into()))?;
        if version > T::VERSION {
            return Err(ValueError::Newer(version));
        }
        if version < T::VERSION {
            return T::upgrade(version, body);
        }
        minicbor::decode(body).map_err(|e| ValueError::Damaged(e.to_string()))
    }
}

/// Index rows whose key says everything.
impl Value for () {
    fn to_bytes(&self) -> Vec<u8> {
        Vec::new()
    }

    fn from_bytes(_: &[u8]) -> Result<(), ValueError> {
        Ok(())
    }
}

/// Index rows that point at a record.
impl Value for Id {
    fn to_bytes(&self) -> Vec<u8> {
        self.bytes()
    }

    fn from_bytes(mut bytes: &[u8]) -> Result<Id, ValueError> {
        Id::read(&mut bytes).ok_or_else(|| ValueError::Damaged("an id has 8 bytes".into()))
    }
}

/// Index rows that name a record by text.
impl Value for String {
    fn to_bytes(&self) -> Vec<u8> {
        self.clone().into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Result<String, ValueError> {
        String::from_utf8(bytes.to_vec()).map_err(|_| ValueError::Damaged("the text is not UTF-8".into()))
    }
}

/// Values that carry their own format.
impl Value for Vec<u8> {
    fn to_bytes(&self) -> Vec<u8> {
        self.clone()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Vec<u8>, ValueError> {
        Ok(bytes.to_vec())
    }
}

/// A named map from `K` to `V`.
pub struct Table<K, V> {
    pub(crate) name: &'static str,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Table<K, V> {
    /// A table; its name is for ever.
    pub const fn new(name: &'static str) -> Table<K, V> {
        Table { name, types: PhantomData }
    }

    /// Its name in every backend.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for Table<K, V> {}

/// A named map from `K` to a number that is only ever added to, so that many
/// writers never conflict over it.
pub struct Counter<K> {
    pub(crate) name: &'static str,
    types: PhantomData<fn() -> K>,
}

impl<K> Counter<K> {
    /// A counter table; its name is for ever.
    pub const fn new(name: &'static str) -> Counter<K> {
        Counter { name, types: PhantomData }
    }

    /// Its name in every backend.
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

impl<K> Clone for Counter<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Counter<K> {}
