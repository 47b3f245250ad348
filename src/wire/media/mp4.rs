//! MP4 and QuickTime files: what is in them, and taking out what they tell
//! of the place and the camera. Boxes that do so become free space of the
//! same size, so that nothing else moves (ISO/IEC 14496-12).

use std::ops::Range;

/// Boxes inside boxes that are looked into.
const DEPTH_MAX: usize = 4;
/// Boxes looked at in one file.
const BOXES_MAX: usize = 10_000;
/// The box in which Adobe's programs write XMP.
const XMP: [u8; 16] = *b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";

/// What a film is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Film {
    /// It shows something; otherwise it only sounds.
    pub has_picture: bool,
    /// Pixels as shown, width then height.
    pub size: Option<(u32, u32)>,
    /// How long it plays.
    pub duration_ms: Option<u64>,
}

/// Takes out what is not shown, and tells what is left. Bytes that are no
/// MP4 stay as they are.
pub fn scrub(bytes: &mut [u8]) -> Film {
    let mut scrubber = Scrubber { bytes, film: Film::default(), left: BOXES_MAX };
    let all = 0..scrubber.bytes.len();
    scrubber.walk(all, 0);
    scrubber.film
}

struct Scrubber<'a> {
    bytes: &'a mut [u8],
    film: Film,
    left: usize,
}

impl Scrubber<'_> {
    fn walk(&mut self, within: Range<usize>, depth: usize) {
        let mut at = within.start;
        while let Some((kind, content)) = self.head(at, within.end) {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            match &kind {
                b"udta" | b"meta" => self.blank(at, &content),
                b"uuid" if self.bytes[content.clone()].starts_with(&XMP) => self.blank(at, &content),
                b"mvhd" => self.read_duration(&content),
                b"tkhd" => self.read_size(&content),
                b"hdlr" => self.read_handler(&content),
                b"moov" | b"trak" | b"mdia" if depth < DEPTH_MAX => self.walk(content.clone(), depth + 1),
                _ => {}
            }
            at = content.end;
        }
    }

    /// The kind and content of the box that begins here.
    fn head(&self, at: usize, end: usize) -> Option<([u8; 4], Range<usize>)> {
        let kind: [u8; 4] = self.bytes.get(at + 4..at + 8)?.try_into().ok()?;
        let (length, head) = match self.u32(at)? {
            0 => (end.checked_sub(at)?, 8),
            1 => (usize::try_from(self.u64(at + 8)?).ok()?, 16),
            length => (length as usize, 8),
        };
        let stop = at.checked_add(length)?;
        (length >= head && stop <= end).then(|| (kind, at + head..stop))
    }

    fn blank(&mut self, at: usize, content: &Range<usize>) {
        self.bytes[at + 4..at + 8].copy_from_slice(b"free");
        self.bytes[content.clone()].fill(0);
    }

    fn u32(&self, at: usize) -> Option<u32> {
        Some(u32::from_be_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?))
    }

    fn u64(&self, at: usize) -> Option<u64> {
        Some(u64::from_be_bytes(self.bytes.get(at..at + 8)?.try_into().ok()?))
    }

    fn read_duration(&mut self, content: &Range<usize>) {
        let start = content.start;
        let is_long = self.bytes.get(start) == Some(&1);
        let (scale, length) = if is_long {
            (self.u32(start + 20), self.u64(start + 24))
        } else {
            (self.u32(start + 12), self.u32(start + 16).map(u64::from))
        };
        if let (Some(scale @ 1..), Some(length)) = (scale, length) {
            self.film.duration_ms = length.checked_mul(1000).map(|ms| ms / u64::from(scale));
        }
    }

    /// Of the largest track, turned as it is shown.
    fn read_size(&mut self, content: &Range<usize>) {
        let start = content.start;
        let matrix = start + if self.bytes.get(start) == Some(&1) { 52 } else { 40 };
        let (Some(turn), Some(width), Some(height)) =
            (self.u32(matrix), self.u32(matrix + 36), self.u32(matrix + 40))
        else {
            return;
        };
        // Fixed point, 16.16; the first value of the matrix is 0 where the
        // picture is turned by a quarter.
        let (width, height) = (width >> 16, height >> 16);
        let size = if turn == 0 { (height, width) } else { (width, height) };
        let is_larger = self
            .film
            .size
            .is_none_or(|(w, h)| u64::from(w) * u64::from(h) < u64::from(width) * u64::from(height));
        if width > 0 && height > 0 && is_larger {
            self.film.size = Some(size);
        }
    }

    fn read_handler(&mut self, content: &Range<usize>) {
        let kind = self.bytes.get(content.start + 8..content.start + 12);
        self.film.has_picture |= kind == Some(b"vide");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, content].concat()
    }

    fn film() -> Vec<u8> {
        let mut mvhd = vec![0; 100];
        mvhd[12..16].copy_from_slice(&1000_u32.to_be_bytes());
        mvhd[16..20].copy_from_slice(&2500_u32.to_be_bytes());
        let mut tkhd = vec![0; 84];
        tkhd[76..80].copy_from_slice(&(640_u32 << 16).to_be_bytes());
        tkhd[80..84].copy_from_slice(&(360_u32 << 16).to_be_bytes());
        let hdlr = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0vide\0\0\0\0");
        let trak = boxed(b"trak", &[boxed(b"tkhd", &tkhd), boxed(b"mdia", &hdlr)].concat());
        let place = boxed(b"udta", &boxed(b"\xa9xyz", b"+52.5200+013.4050/"));
        let moov = boxed(b"moov", &[boxed(b"mvhd", &mvhd), trak, place].concat());
        [boxed(b"ftyp", b"isom\0\0\0\0isom"), moov, boxed(b"mdat", b"frames")].concat()
    }

    #[test]
    fn a_film_loses_its_place_and_nothing_else() {
        let before = film();
        let mut after = before.clone();
        let told = scrub(&mut after);
        // The matrix is zero here: turned by a quarter.
        let expected = Film { has_picture: true, size: Some((360, 640)), duration_ms: Some(2500) };
        assert_eq!(told, expected);
        assert_eq!(after.len(), before.len());
        assert!(!after.windows(4).any(|part| part == b"+52."));
        assert!(after.ends_with(b"\0\0\0\x0emdatframes"));
    }

    #[test]
    fn damaged_files_do_no_harm() {
        let whole = film();
        for end in 0..whole.len() {
            scrub(&mut whole[..end].to_vec());
        }
        for wild in
            [&b"\0\0\0\0moov"[..], b"\0\0\0\x01moov\xff\xff\xff\xff\xff\xff\xff\xff", b"\0\0\0\x07moov"]
        {
            scrub(&mut wild.to_vec());
        }
    }
}
