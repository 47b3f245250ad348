//! From a path, or from none, to a config.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use super::complaint::{Complaint, Complaints, Fault};
use super::draft::{Draft, Entry, Place, Word};
use super::environment::{Environment, Overrides};
use super::resolve::resolve;
use super::settings::Config;
use super::{caddyfile, toml_file};

/// Bytes of a config file; a larger one is some other file.
pub const CONFIG_MAX_BYTES: usize = 1024 * 1024;

/// The address when there is no file.
const LOCAL_ADDRESS: &str = "https://localhost";

/// Reads the config file, or without one makes the config for `https://localhost`.
///
/// # Errors
/// Everything that is wrong with the file and with the command line, at once.
pub fn load(
    path: Option<&Path>,
    environment: &Environment,
    overrides: &Overrides,
) -> Result<Config, Complaints> {
    let Some(path) = path else {
        let name = Arc::from("no config file");
        let address = Entry::single("address", LOCAL_ADDRESS, Place::whole(&name));
        let draft = Draft { is_toml: false, entries: vec![address] };
        return finish(&name, Path::new(""), (draft, Vec::new()), environment, overrides);
    };
    let bytes = read_bounded(path)?;
    parse(path, &bytes, environment, overrides)
}

/// Reads a config file whose bytes are already there. Its path tells the spelling
/// (`.toml`, or Caddyfile-like), and where relative paths start.
///
/// # Errors
/// As [`load`].
pub fn parse(
    path: &Path,
    bytes: &[u8],
    environment: &Environment,
    overrides: &Overrides,
) -> Result<Config, Complaints> {
    let name: Arc<str> = Arc::from(path.display().to_string());
    if bytes.len() > CONFIG_MAX_BYTES {
        return Err(too_large(&name).into());
    }
    let text = as_text(&name, bytes)?;
    let is_toml = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"));
    let read = if is_toml { toml_file::read(&name, text) } else { caddyfile::read(&name, text) };
    let folder = path.parent().unwrap_or(Path::new(""));
    finish(&name, folder, read, environment, overrides)
}

fn finish(
    name: &Arc<str>,
    folder: &Path,
    (mut draft, complaints): (Draft, Vec<Complaint>),
    environment: &Environment,
    overrides: &Overrides,
) -> Result<Config, Complaints> {
    let argument = |name: &str| Place::whole(&Arc::from(name));
    let mut replace = |name: &str, place: Place, values: Vec<Word>| {
        draft.entries.retain(|entry| entry.name != name);
        draft.entries.push(Entry { name: name.to_owned(), place, values });
    };
    if let Some(data) = &overrides.data {
        let data = match data.as_str() {
            // An empty path is refused below; joined, it would mean the current folder.
            "" => String::new(),
            data => environment.current_dir.join(data).display().to_string(),
        };
        replace("data", argument("--data"), vec![Word::bare(&data, argument("--data"))]);
    }
    if !overrides.listen.is_empty() {
        let words = overrides.listen.iter().map(|addr| Word::bare(addr, argument("--listen"))).collect();
        replace("listen", argument("--listen"), words);
    }
    let folder = environment.current_dir.join(folder);
    resolve(name, &folder, &draft, complaints, environment)
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, Complaints> {
    let name: Arc<str> = Arc::from(path.display().to_string());
    let cannot = |error: std::io::Error| {
        let (why, fix) = match error.kind() {
            std::io::ErrorKind::NotFound => (
                "there is no such file".to_owned(),
                "check the name, or run without a file for `https://localhost`",
            ),
            std::io::ErrorKind::PermissionDenied => {
                ("this user may not read it".to_owned(), "change the file's owner or mode")
            }
            std::io::ErrorKind::IsADirectory => {
                ("it is a folder".to_owned(), "name the file in it; for a data folder use `--data`")
            }
            _ => (error.to_string(), "check the file"),
        };
        Complaints::from(Fault::new("the config file cannot be read", why, fix).at(&Place::whole(&name)))
    };
    let file = File::open(path).map_err(cannot)?;
    let length = file.metadata().map_err(cannot)?.len();
    if length > CONFIG_MAX_BYTES as u64 {
        return Err(too_large(&name).into());
    }
    // A pipe has no length, so the reading is bounded too.
    let mut bytes = Vec::new();
    file.take(CONFIG_MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    Ok(bytes)
}

fn too_large(name: &Arc<str>) -> Complaint {
    let what = format!("the file has more than {} MiB", CONFIG_MAX_BYTES / (1024 * 1024));
    let why = "no config is that long, so it is probably another file";
    Fault::new(what, why, "check the name").at(&Place::whole(name))
}

fn as_text<'a>(name: &Arc<str>, bytes: &'a [u8]) -> Result<&'a str, Complaints> {
    let why = "a config file is UTF-8 text";
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let fault = Fault::new("the file is UTF-16", why, "save it as UTF-8 in your editor");
        return Err(fault.at(&Place::whole(name)).into());
    }
    match std::str::from_utf8(bytes) {
        // Some editors begin UTF-8 with a byte order mark.
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let line_start = good.rfind('\n').map_or(0, |at| at + 1);
            let line = good.matches('\n').count() + 1;
            let column = good[line_start..].chars().count() + 1;
            // The file has at most a million bytes, so neither number can overflow.
            let place = Place { file: Arc::clone(name), line: line as u32, column: column as u32 };
            let fault = Fault::new("this byte is not UTF-8", why, "save the file as UTF-8 in your editor");
            Err(fault.at(&place).into())
        }
    }
}
