//! GIF files that keep moving and say nothing besides: comments, texts, XMP
//! and whatever follows the end are left out; frames and their timing stay
//! as they are (GIF89a specification, sections 18 to 27).

/// The extensions by which an animation says how often it repeats.
const LOOPS: [&[u8]; 2] = [b"NETSCAPE2.0", b"ANIMEXTS1.0"];

/// The file without what is not shown; `None` if it is no GIF with at least
/// one frame.
pub fn strip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut reader = Reader { bytes, at: 0 };
    let mut out = Vec::with_capacity(bytes.len());
    let head = reader.take(13)?;
    if !head.starts_with(b"GIF8") {
        return None;
    }
    out.extend_from_slice(head);
    out.extend_from_slice(reader.take(palette_bytes(head[10]))?);
    let mut frames = 0_usize;
    // Each round takes at least one byte, so this ends.
    while let Some(block) = reader.block() {
        match block {
            Block::Frame(bytes) => {
                frames += 1;
                out.extend_from_slice(bytes);
            }
            Block::Kept(bytes) => out.extend_from_slice(bytes),
            Block::Dropped => {}
            Block::End => break,
        }
    }
    out.push(0x3b);
    (frames > 0).then_some(out)
}

fn palette_bytes(flags: u8) -> usize {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

enum Block<'a> {
    Frame(&'a [u8]),
    Kept(&'a [u8]),
    Dropped,
    End,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let part = self.bytes.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(part)
    }

    /// The next block; `None` where the file is cut or damaged.
    fn block(&mut self) -> Option<Block<'a>> {
        let start = self.at;
        match self.take(1)?[0] {
            0x3b => Some(Block::End),
            0x2c => {
                let flags = self.take(9)?[8];
                // The palette, and the code size before the data.
                self.take(palette_bytes(flags) + 1)?;
                self.skip_parts()?;
                Some(Block::Frame(&self.bytes[start..self.at]))
            }
            0x21 => {
                let label = self.take(1)?[0];
                let length = usize::from(*self.bytes.get(self.at)?);
                let name = self.bytes.get(self.at + 1..self.at + 1 + length)?;
                self.skip_parts()?;
                // 0xf9: how long a frame stays, and what of it is clear.
                let is_kept = label == 0xf9 || (label == 0xff && LOOPS.contains(&name));
                Some(if is_kept { Block::Kept(&self.bytes[start..self.at]) } else { Block::Dropped })
            }
            _ => None,
        }
    }

    /// Skips data in parts, each with its length, up to an empty one.
    fn skip_parts(&mut self) -> Option<()> {
        loop {
            match self.take(1)?[0] {
                0 => return Some(()),
                length => self.take(usize::from(length))?,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::gif::{GifDecoder, GifEncoder, Repeat};
    use image::{AnimationDecoder, Delay, Frame, RgbaImage};
    use std::io::Cursor;

    fn animation() -> Vec<u8> {
        let mut out = Vec::new();
        {
            let mut encoder = GifEncoder::new(&mut out);
            encoder.set_repeat(Repeat::Infinite).unwrap();
            for shade in [0, 100, 200] {
                let picture = RgbaImage::from_pixel(4, 4, image::Rgba([shade, 0, 0, 255]));
                let delay = Delay::from_numer_denom_ms(50, 1);
                encoder.encode_frame(Frame::from_parts(picture, 0, 0, delay)).unwrap();
            }
        }
        out
    }

    #[test]
    fn an_animation_keeps_its_frames_and_loses_what_is_said_besides() {
        let whole = animation();
        let palette = 13 + palette_bytes(whole[10]);
        let comment = b"\x21\xfe\x06secret\0";
        let xmp = b"\x21\xff\x0bXMP DataXMP\x03xml\0";
        let told =
            [&whole[..palette], comment, xmp, &whole[palette..], b"<script>alert(1)</script>"].concat();
        let stripped = strip(&told).unwrap();
        assert_eq!(stripped, whole);
        let frames = GifDecoder::new(Cursor::new(&stripped)).unwrap().into_frames();
        assert_eq!(frames.collect_frames().unwrap().len(), 3);
        assert!(stripped.windows(11).any(|part| part == b"NETSCAPE2.0"));
    }

    #[test]
    fn what_is_damaged_is_refused_or_cut_at_the_damage() {
        let whole = animation();
        for bad in [&b""[..], b"GIF89a", b"GIF89a\0\0\0\0\0\0\0\x3b", b"<html>aaaaaaaaaaaaaaaaa"] {
            assert_eq!(strip(bad), None);
        }
        // Cutting anywhere never panics.
        for end in 0..whole.len() {
            let _ = strip(&whole[..end]);
        }
    }
}
