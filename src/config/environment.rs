//! What config must know of the machine and the command line, passed in by `app`.

use std::path::PathBuf;

/// Which family of operating systems names the folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux, the BSDs: the XDG base directories.
    Unix,
    /// `~/Library`.
    MacOs,
    /// `%LOCALAPPDATA%`.
    Windows,
}

impl Platform {
    /// The platform this program was built for.
    pub const fn current() -> Platform {
        if cfg!(target_os = "macos") {
            Platform::MacOs
        } else if cfg!(windows) {
            Platform::Windows
        } else {
            Platform::Unix
        }
    }
}

/// What config must know of the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Relative paths of the command line start here; absolute.
    pub current_dir: PathBuf,
    /// The folder for Waxwing's data unless a setting says otherwise; nothing if the machine does not tell.
    pub data_dir: Option<PathBuf>,
}

impl Environment {
    /// Finds the platform's data folder; `variable` looks up an environment variable.
    ///
    /// Linux: `$XDG_DATA_HOME/waxwing`, else `~/.local/share/waxwing` (XDG Base Directory
    /// Specification; a relative `XDG_DATA_HOME` is ignored, as it says). macOS:
    /// `~/Library/Application Support/waxwing`. Windows: `%LOCALAPPDATA%\waxwing`.
    pub fn new(
        platform: Platform,
        current_dir: PathBuf,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Environment {
        let folder = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let data_home = match platform {
            Platform::Unix => folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share"))),
            Platform::MacOs => folder("HOME").map(|home| home.join("Library/Application Support")),
            Platform::Windows => folder("LOCALAPPDATA"),
        };
        Environment { current_dir, data_dir: data_home.map(|home| home.join("waxwing")) }
    }
}

/// What the command line says over the file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overrides {
    /// `--data DIR`, relative to the current folder.
    pub data: Option<String>,
    /// `--listen ADDR`, any number of times.
    pub listen: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn the_data_folder_is_the_platforms() {
        let check = |platform, variables: &[(&str, &str)], expected: Option<&str>| {
            let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
            let environment = Environment::new(platform, PathBuf::from("/"), find);
            assert_eq!(environment.data_dir, expected.map(PathBuf::from));
        };
        let home = ("HOME", "/home/ana");
        check(Platform::Unix, &[home], Some("/home/ana/.local/share/waxwing"));
        check(Platform::Unix, &[home, ("XDG_DATA_HOME", "/data")], Some("/data/waxwing"));
        check(Platform::Unix, &[home, ("XDG_DATA_HOME", "data")], Some("/home/ana/.local/share/waxwing"));
        check(Platform::Unix, &[home, ("XDG_DATA_HOME", "")], Some("/home/ana/.local/share/waxwing"));
        check(Platform::MacOs, &[home], Some("/home/ana/Library/Application Support/waxwing"));
        check(Platform::Windows, &[("LOCALAPPDATA", "/c")], Some("/c/waxwing"));
        check(Platform::Unix, &[], None);
    }
}
