//! How many files and sockets this process may have open.

/// Takes as many as the system lets it. Many systems begin with 1024, for
/// programs that still use `select`; a server has a socket for each open app.
#[cfg(unix)]
pub fn allow_many() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum
        && let Err(error) =
            setrlimit(Resource::Nofile, rustix::process::Rlimit { current: limit.maximum, ..limit })
    {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// There is nothing to ask for.
#[cfg(not(unix))]
pub fn allow_many() {}
