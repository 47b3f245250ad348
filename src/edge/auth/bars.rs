//! Network addresses that moderators shut out.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;

use super::ClientIp;
use crate::base::Problem;
use crate::domain::moderation::barred;
use crate::edge::AppState;
use crate::model::{IpSeverity, Registration};

/// Ranges with how far they are shut out.
pub(crate) type Bars = Arc<Vec<(IpNet, IpSeverity)>>;

/// How far an address is shut out, at most some seconds old.
///
/// # Errors
/// When the store fails.
pub(crate) async fn severity(state: &AppState, ip: IpAddr) -> Result<Option<IpSeverity>, Problem> {
    let bars = match state.gates().bars.get(&()) {
        Some(bars) => bars,
        None => read(state).await?,
    };
    Ok(bars.iter().filter(|(range, _)| range.contains(&ip)).map(|(_, severity)| *severity).max())
}

async fn read(state: &AppState) -> Result<Bars, Problem> {
    let now = state.now();
    let rows = state.store.read(move |tx| barred::current_ip(tx, now)).await?;
    let parsed = rows.into_iter().filter_map(|(range, severity)| Some((range.parse().ok()?, severity)));
    let bars: Bars = Arc::new(parsed.collect());
    state.gates().bars.insert((), bars.clone());
    Ok(bars)
}

/// The registration that holds for an address.
///
/// # Errors
/// 403 when nobody may sign up from there.
pub(crate) async fn registration(state: &AppState, ip: ClientIp) -> Result<Registration, Problem> {
    let usual = state.config.registration;
    match severity(state, ip.0).await? {
        Some(IpSeverity::NoAccess | IpSeverity::NoSignUp) => {
            Err(Problem::forbidden("This action is not allowed"))
        }
        Some(IpSeverity::SignUpNeedsApproval) if usual == Registration::Open => Ok(Registration::Approval),
        _ => Ok(usual),
    }
}

/// Middleware: nobody gets in from addresses without access.
pub(crate) async fn refuse(
    State(state): State<AppState>,
    ip: ClientIp,
    request: Request,
    next: Next,
) -> Response {
    match severity(&state, ip.0).await {
        Ok(Some(IpSeverity::NoAccess)) => Problem::forbidden("This address is shut out here").into_response(),
        // Where the bars cannot be read, nothing else can either.
        _ => next.run(request).await,
    }
}
