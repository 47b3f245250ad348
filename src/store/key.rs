//! Keys as bytes whose order is the order of the values.

use crate::base::{Id, Timestamp};

/// A value that encodes to bytes in the same order as the values compare.
pub trait Key: Sized {
    /// Appends the encoding.
    fn write(&self, out: &mut Vec<u8>);
    /// Takes the encoding off the front; `None` if it is damaged.
    fn read(input: &mut &[u8]) -> Option<Self>;

    /// The encoding alone.
    fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(24);
        self.write(&mut out);
        out
    }
}

fn take<'a>(input: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = input.split_at_checked(count)?;
    *input = tail;
    Some(head)
}

macro_rules! unsigned_key {
    ($($int:ty),*) => {$(
        impl Key for $int {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn read(input: &mut &[u8]) -> Option<Self> {
                let bytes = take(input, size_of::<$int>())?;
                Some(<$int>::from_be_bytes(bytes.try_into().ok()?))
            }
        }
    )*};
}

unsigned_key!(u8, u16, u32, u64);

impl Key for () {
    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

impl Key for Id {
    fn write(&self, out: &mut Vec<u8>) {
        self.0.write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        u64::read(input).map(Id)
    }
}

impl Key for Timestamp {
    fn write(&self, out: &mut Vec<u8>) {
        // Flipping the sign bit makes negative times sort before positive.
        ((self.as_millis() as u64) ^ (1 << 63)).write(out);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        u64::read(input).map(|raw| Timestamp::from_millis((raw ^ (1 << 63)) as i64))
    }
}

impl<const N: usize> Key for [u8; N] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        take(input, N)?.try_into().ok()
    }
}

/// Text ends with 00 00; a 00 inside it becomes 00 FF. So no text is the
/// beginning of another, and parts after it can be read.
impl Key for String {
    fn write(&self, out: &mut Vec<u8>) {
        for &byte in self.as_bytes() {
            out.push(byte);
            if byte == 0 {
                out.push(0xff);
            }
        }
        out.extend_from_slice(&[0, 0]);
    }

    fn read(input: &mut &[u8]) -> Option<Self> {
        let mut text = Vec::new();
        loop {
            match take(input, 1)?[0] {
                0 => match take(input, 1)?[0] {
                    0 => return String::from_utf8(text).ok(),
                    0xff => text.push(0),
                    _ => return None,
                },
                byte => text.push(byte),
            }
        }
    }
}

macro_rules! tuple_key {
    ($($part:ident . $index:tt),+) => {
        impl<$($part: Key),+> Key for ($($part,)+) {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$index.write(out);)+
            }

            fn read(input: &mut &[u8]) -> Option<Self> {
                Some(($($part::read(input)?,)+))
            }
        }
    };
}

tuple_key!(A.0);
tuple_key!(A.0, B.1);
tuple_key!(A.0, B.1, C.2);
tuple_key!(A.0, B.1, C.2, D.3);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Wide = (String, u64, i64, [u8; 3]);

    fn key(v: &Wide) -> (String, Id, Timestamp, [u8; 3]) {
        (v.0.clone(), Id(v.1), Timestamp::from_millis(v.2), v.3)
    }

    proptest! {
        #[test]
        fn encoding_keeps_order_and_reads_back(
            a in ("[\u{0}a-c]{0,4}", any::<u64>(), any::<i64>(), any::<[u8; 3]>()),
            b in ("[\u{0}a-c]{0,4}", any::<u64>(), any::<i64>(), any::<[u8; 3]>()),
        ) {
            let (x, y) = (key(&a), key(&b));
            prop_assert_eq!(x.bytes().cmp(&y.bytes()), x.cmp(&y));
            let bytes = x.bytes();
            let mut rest = &bytes[..];
            prop_assert_eq!(Key::read(&mut rest), Some(x));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn damaged_bytes_are_refused_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..32)) {
            let _ = <(String, Id, [u8; 3])>::read(&mut &bytes[..]);
        }
    }
}
