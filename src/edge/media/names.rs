//! Names of kept files: `<32 hex digits>.<extension>`, with `-small` before
//! the dot for a small version. Chosen here, never by who uploads.

use crate::base::Chance;
use crate::wire::media::Format;

/// Random bytes in a name: nobody can guess another file's.
const STEM_BYTES: usize = 16;
/// Marks the small version of a picture.
const SMALL: &str = "-small";
/// Where uploads wait that are not made ready yet. Nothing serves them.
const INCOMING: &str = "incoming";
/// Where files of other servers are kept.
const CACHE: &str = "cache";

/// What all names of one upload begin with.
pub(super) fn stem(chance: &dyn Chance) -> String {
    let mut random = [0; STEM_BYTES];
    chance.fill(&mut random);
    random.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name of the file itself.
pub(super) fn original(stem: &str, format: Format) -> String {
    format!("{stem}.{}", format.extension())
}

/// The name of its small version.
pub(super) fn small(stem: &str, format: Format) -> String {
    format!("{stem}{SMALL}.{}", format.extension())
}

/// Where it waits as it came in.
pub(super) fn incoming(stem: &str) -> String {
    format!("{INCOMING}/{stem}")
}

/// A file of another server.
pub(super) fn cached(stem: &str, format: Format) -> String {
    format!("{CACHE}/{}", original(stem, format))
}

/// The folder of all that wait.
pub(super) fn incoming_folder() -> &'static str {
    INCOMING
}

/// Every name that an upload of this stem can have left behind before it was
/// ready.
pub(super) fn possible(stem: &str) -> Vec<String> {
    let originals = Format::all().map(|format| original(stem, format));
    let previews = [Format::Jpeg, Format::Png].map(|format| small(stem, format));
    originals.chain(previews).chain([incoming(stem)]).collect()
}

/// What a name of ours holds; `None` for any other text.
pub(super) fn format(name: &str) -> Option<Format> {
    let (stem, extension) = name.split_once('.')?;
    let stem = stem.strip_suffix(SMALL).unwrap_or(stem);
    let is_ours = stem.len() == 2 * STEM_BYTES && stem.bytes().all(|b| b.is_ascii_hexdigit());
    Format::of_extension(extension).filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_looked_up() {
        let stem = "0a".repeat(16);
        assert_eq!(format(&original(&stem, Format::Png)), Some(Format::Png));
        assert_eq!(format(&small(&stem, Format::Jpeg)), Some(Format::Jpeg));
        for bad in
            ["", "a.png", "../config.png", &format!("{stem}.svg"), &format!("{stem}.png/x"), &incoming(&stem)]
        {
            assert_eq!(format(bad), None, "{bad}");
        }
    }
}
