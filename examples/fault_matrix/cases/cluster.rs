//! F24 to F26: several nodes on one PostgreSQL. The issue that builds that
//! store switches them on here; until then they are nobody's success.

use crate::Failure;
use crate::scale::Scale;
use crate::table::Checks;

const STORE: &str = "the PostgreSQL store";

/// F24: a killed node's shards resume within 20 s, nothing is lost, duplicates
/// are at most what it had under way, and no destination is ever asked above its cap.
pub(crate) async fn killed_node(_: Scale) -> Result<Checks, Failure> {
    Ok(Checks::waiting(STORE))
}

/// F25: after SIGSTOP for 30 s an owner's acknowledgements are refused by
/// epoch, and it stops sending within a second of waking.
pub(crate) async fn stale_owner(_: Scale) -> Result<Checks, Failure> {
    Ok(Checks::waiting(STORE))
}

/// F26: sends go on for what is loaded, up to 10 000 acknowledgements wait,
/// then sends stop; nothing is lost.
pub(crate) async fn store_down(_: Scale) -> Result<Checks, Failure> {
    Ok(Checks::waiting(STORE))
}
