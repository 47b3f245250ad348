//! What a file is, told from its first bytes. Names and declared types are
//! not believed: what is served under our name is what it looks like here.

use crate::model::AttachmentKind;

/// Bytes of a film's head in which its codecs are named.
const HEAD_BYTES: usize = 64 * 1024;

/// A kind of file that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A photograph.
    Jpeg,
    /// A drawing.
    Png,
    /// A drawing that may move.
    Gif,
    /// A picture of either sort.
    Webp,
    /// A picture that we cannot decode, only pass on.
    Avif,
    /// A film.
    Mp4,
    /// A film of Apple's.
    Mov,
    /// Sound in an MP4 file.
    M4a,
    /// A film.
    Webm,
    /// Sound in a WebM file.
    Weba,
    /// A film.
    Ogv,
    /// Sound.
    Ogg,
    /// Sound.
    Mp3,
    /// Sound.
    Aac,
    /// Sound.
    Flac,
    /// Sound.
    Wav,
}

/// Every format with the end of its files' names and its media type.
const ALL: [(Format, &str, &str); 16] = [
    (Format::Jpeg, "jpg", "image/jpeg"),
    (Format::Png, "png", "image/png"),
    (Format::Gif, "gif", "image/gif"),
    (Format::Webp, "webp", "image/webp"),
    (Format::Avif, "avif", "image/avif"),
    (Format::Mp4, "mp4", "video/mp4"),
    (Format::Mov, "mov", "video/quicktime"),
    (Format::M4a, "m4a", "audio/mp4"),
    (Format::Webm, "webm", "video/webm"),
    (Format::Weba, "weba", "audio/webm"),
    (Format::Ogv, "ogv", "video/ogg"),
    (Format::Ogg, "ogg", "audio/ogg"),
    (Format::Mp3, "mp3", "audio/mpeg"),
    (Format::Aac, "aac", "audio/aac"),
    (Format::Flac, "flac", "audio/flac"),
    (Format::Wav, "wav", "audio/wav"),
];

impl Format {
    /// What these bytes are; `None` for everything that is not kept.
    pub fn of(bytes: &[u8]) -> Option<Format> {
        let is = |at: usize, mark: &[u8]| bytes.get(at..at + mark.len()) == Some(mark);
        match bytes {
            [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
            _ if is(0, b"\x89PNG\r\n\x1a\n") => Some(Format::Png),
            _ if is(0, b"GIF87a") || is(0, b"GIF89a") => Some(Format::Gif),
            _ if is(0, b"RIFF") && is(8, b"WEBP") => Some(Format::Webp),
            _ if is(0, b"RIFF") && is(8, b"WAVE") => Some(Format::Wav),
            _ if is(4, b"ftyp") => iso_media(bytes),
            _ if is(0, b"\x1a\x45\xdf\xa3") => webm(bytes),
            _ if is(0, b"OggS") => Some(if is(28, b"\x80theora") { Format::Ogv } else { Format::Ogg }),
            _ if is(0, b"fLaC") => Some(Format::Flac),
            _ if is(0, b"ID3") => Some(Format::Mp3),
            // MPEG audio, layer III; then ADTS.
            [0xff, second, ..] if second & 0xe6 == 0xe2 => Some(Format::Mp3),
            [0xff, second, ..] if second & 0xf6 == 0xf0 => Some(Format::Aac),
            _ => None,
        }
    }

    /// Every format.
    pub fn all() -> impl Iterator<Item = Format> {
        ALL.into_iter().map(|(format, ..)| format)
    }

    /// The format whose files' names end like this, without the dot.
    pub fn of_extension(extension: &str) -> Option<Format> {
        ALL.iter().find(|(_, end, _)| *end == extension).map(|(format, ..)| *format)
    }

    /// How names of its files end, without the dot.
    pub fn extension(self) -> &'static str {
        self.row().1
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        self.row().2
    }

    fn row(self) -> &'static (Format, &'static str, &'static str) {
        ALL.iter().find(|(format, ..)| *format == self).expect("the table has every format")
    }

    /// What clients call it.
    pub fn kind(self) -> AttachmentKind {
        match self.media_type().split('/').next() {
            Some("image") => AttachmentKind::Image,
            Some("video") => AttachmentKind::Video,
            _ => AttachmentKind::Audio,
        }
    }

    /// Whether we can decode it.
    pub fn is_drawn(self) -> bool {
        matches!(self, Format::Jpeg | Format::Png | Format::Gif | Format::Webp)
    }
}

/// By the brands of ISO base media files (ISO/IEC 14496-12, section 4.3).
fn iso_media(bytes: &[u8]) -> Option<Format> {
    let length = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let end = length.clamp(16, 256).min(bytes.len());
    let brands: Vec<&[u8]> = bytes.get(8..end)?.chunks_exact(4).collect();
    let has = |brand: &[u8]| brands.contains(&brand);
    let major = *brands.first()?;
    match major {
        _ if has(b"avif") || has(b"avis") => Some(Format::Avif),
        // Photographs of telephones, which nothing here decodes.
        _ if has(b"heic") || has(b"heix") || has(b"mif1") || has(b"msf1") => None,
        b"qt  " => Some(Format::Mov),
        b"M4A " | b"M4B " => Some(Format::M4a),
        _ => Some(Format::Mp4),
    }
}

/// WebM, not other Matroska files; a film if a codec of films is named.
fn webm(bytes: &[u8]) -> Option<Format> {
    let head = &bytes[..bytes.len().min(HEAD_BYTES)];
    let has = |mark: &[u8]| head.windows(mark.len()).any(|part| part == mark);
    if !has(b"webm") {
        return None;
    }
    let is_film = has(b"V_VP8") || has(b"V_VP9") || has(b"V_AV1");
    Some(if is_film { Format::Webm } else { Format::Weba })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_bytes() {
        let cases: [(&[u8], Option<Format>); 21] = [
            (b"\xff\xd8\xff\xe0", Some(Format::Jpeg)),
            (b"\x89PNG\r\n\x1a\n", Some(Format::Png)),
            (b"GIF89a", Some(Format::Gif)),
            (b"RIFF\0\0\0\0WEBPVP8 ", Some(Format::Webp)),
            (b"RIFF\0\0\0\0WAVEfmt ", Some(Format::Wav)),
            (b"RIFF\0\0\0\0AVI LIST", None),
            (b"\0\0\0\x18ftypisom\0\0\0\0mp42isom", Some(Format::Mp4)),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Some(Format::Mov)),
            (b"\0\0\0\x14ftypM4A \0\0\0\0M4A ", Some(Format::M4a)),
            (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", Some(Format::Avif)),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", None),
            (b"\x1a\x45\xdf\xa3\x42\x82\x84webm V_VP9", Some(Format::Webm)),
            (b"\x1a\x45\xdf\xa3\x42\x82\x84webm A_OPUS", Some(Format::Weba)),
            (b"\x1a\x45\xdf\xa3\x42\x82\x88matroska", None),
            (b"OggS", Some(Format::Ogg)),
            (b"ID3\x04", Some(Format::Mp3)),
            (b"\xff\xfb\x90\x64", Some(Format::Mp3)),
            (b"\xff\xf1\x50\x80", Some(Format::Aac)),
            (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
            (b"<!doctype html>", None),
            (b"", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(Format::of(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn names_lead_back_to_formats() {
        for (format, extension, media_type) in ALL {
            assert_eq!(Format::of_extension(extension), Some(format));
            assert_eq!(format.media_type(), media_type);
        }
        for bad in ["svg", "html", "json", "", "JPG"] {
            assert_eq!(Format::of_extension(bad), None);
        }
    }
}
