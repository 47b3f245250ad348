//! Quoting posts with their authors' consent (FEP-044f, as Mastodon has it):
//! a policy says who may quote, a stamp that a quote was allowed, and taking
//! the stamp back takes the quote back.

use crate::base::{Id, Moment};
use crate::domain::delivery::{Targets, Task, enqueue, say};
use crate::domain::notification::{News, notify};
use crate::domain::page::{Page, Paged, fill};
use crate::domain::status::{StatusError, seen};
use crate::domain::timeline::{Loaded, load};
use crate::domain::visibility::Viewer;
use crate::model::queue::{Job, OrderKey, Outgoing, Verb};
use crate::model::tables::{ACCOUNT, COUNT, QUOTE_BY_STAMP, QUOTES, RELATION, STATUS, count};
use crate::model::{
    Account, NotificationKind, Quote, QuotePermission, QuotePolicy, QuoteState, Site, Status, Visibility,
};
use crate::store::{ReadTx, Scan, StoreError, WriteTx};

/// Ends the id of the request for a quote, which begins with the quoting
/// post's id.
pub const REQUEST_MARK: &str = "#quote-request";
/// Quotes of one post that are told of its edit, or cleaned up with it.
const TOLD_MAX: usize = 100;

/// The post that a new one of a local author quotes, and what its author
/// says to that.
///
/// # Errors
/// [`StatusError::QuoteNotFound`] when it may not be seen or not be quoted.
pub(in crate::domain) fn begin(
    tx: &ReadTx<'_>,
    moment: &Moment,
    author: Id,
    quoted: Id,
) -> Result<(Quote, Status), StatusError> {
    let found = match seen(tx, Viewer::account(author, moment.now), quoted) {
        Err(StatusError::NotFound) => return Err(StatusError::QuoteNotFound),
        other => other?,
    };
    let (status, quoted_author) = found;
    let state = match permission(tx, author, &status)? {
        QuotePermission::Denied | QuotePermission::Unknown => return Err(StatusError::QuoteNotFound),
        _ if quoted_author.is_local() => QuoteState::Accepted,
        _ => QuoteState::Pending,
    };
    let (uri, account) = (status.uri.clone(), Some(status.account));
    Ok((Quote { uri, status: Some(status.id), account, state, approval: None }, status))
}

/// Whether somebody may quote a post that they may see.
///
/// # Errors
/// Only the store's.
pub fn permission(tx: &ReadTx<'_>, who: Id, status: &Status) -> Result<QuotePermission, StoreError> {
    if status.visibility == Visibility::Direct || status.is_reblog() {
        return Ok(QuotePermission::Denied);
    }
    if status.account == who {
        return Ok(QuotePermission::Automatic);
    }
    let pairs = [(who, status.account), (status.account, who)];
    let mut rows = tx.get_many(RELATION, &pairs)?.into_iter().map(Option::unwrap_or_default);
    let (there, back) = (rows.next().unwrap_or_default(), rows.next().unwrap_or_default());
    if there.block.is_some() || back.block.is_some() || status.visibility == Visibility::Private {
        return Ok(QuotePermission::Denied);
    }
    let policy = status.quote_policy.clone().unwrap_or_default();
    Ok(policy.permits(there.follow.is_some()))
}

/// What follows when a post was published that quotes: its author is asked,
/// or told. `status` is kept already. Takes up to three ids.
///
/// # Errors
/// Only the store's.
pub(in crate::domain) fn published(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    status: &Status,
) -> Result<(), StoreError> {
    let Some(quote) = status.quote.clone() else { return Ok(()) };
    if quote.state == QuoteState::Accepted {
        return accept(tx, moment, site, status);
    }
    let Some(author) = quote.account.map(|id| tx.get(ACCOUNT, &id)).transpose()?.flatten() else {
        return Ok(());
    };
    let request = Outgoing::QuoteRequest {
        id: format!("{}{REQUEST_MARK}", status.uri),
        actor: site.actor(status.account),
        object: quote.uri.clone(),
        instrument: status.uri.clone(),
    };
    // In order with the post itself, which is fetched to answer this.
    tell(tx, moment, (status.account, &author), request, OrderKey::of(status.id))
}

/// Counts an accepted quote and tells a local author of the quoted post; the
/// stamp of one that is quoted here is made up.
fn accept(tx: &mut WriteTx<'_>, moment: &mut Moment, site: &Site, status: &Status) -> Result<(), StoreError> {
    let Some(quote) = status.quote.clone() else { return Ok(()) };
    let (Some(quoted), Some(account)) = (quote.status, quote.account) else { return Ok(()) };
    let is_ours = site.owns(&quote.uri);
    let made = (is_ours && account != status.account).then(|| site.quote_stamp(account, status.id));
    let approval = quote.approval.clone().or(made);
    let is_new = tx.get(QUOTES, &(quoted, status.id))?.is_none();
    if let Some(stamp) = &approval {
        tx.put(QUOTE_BY_STAMP, stamp, &status.id);
    }
    Status::save_quote(tx, status, Quote { state: QuoteState::Accepted, approval, ..quote });
    if !is_new {
        return Ok(());
    }
    tx.put(QUOTES, &(quoted, status.id), &status.account);
    tx.add(COUNT, &(count::QUOTES, quoted), 1);
    let news = News { kind: NotificationKind::Quote, from: status.account, status: Some(status.id) };
    notify(tx, moment, account, news)?;
    Ok(())
}

/// Takes an accepted quote out of the lists.
fn withdraw(tx: &mut WriteTx<'_>, status: &Status) -> Result<(), StoreError> {
    let Some(quote) = &status.quote else { return Ok(()) };
    if let Some(stamp) = &quote.approval {
        tx.delete(QUOTE_BY_STAMP, stamp);
    }
    if let Some(quoted) = quote.status
        && tx.get(QUOTES, &(quoted, status.id))?.is_some()
    {
        tx.delete(QUOTES, &(quoted, status.id));
        tx.add(COUNT, &(count::QUOTES, quoted), -1);
    }
    Ok(())
}

/// Forgets the quotes by and of a post that is removed.
pub(in crate::domain) fn forget(tx: &mut WriteTx<'_>, status: &Status) -> Result<(), StoreError> {
    withdraw(tx, status)?;
    for (key, _) in tx.scan(QUOTES, Scan::prefix(&(status.id,)).limit(TOLD_MAX))? {
        tx.delete(QUOTES, &key);
    }
    tx.forget(COUNT, &(count::QUOTES, status.id));
    Ok(())
}

/// Tells local people who quoted a post that it was edited: of their quote.
pub(in crate::domain) fn quoted_edited(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    status: &Status,
) -> Result<(), StoreError> {
    for ((_, quoting), author) in tx.scan(QUOTES, Scan::prefix(&(status.id,)).limit(TOLD_MAX))? {
        if moment.ids.left() == 0 {
            break;
        }
        let news = News { kind: NotificationKind::QuotedUpdate, from: status.account, status: Some(quoting) };
        notify(tx, moment, author, news)?;
    }
    Ok(())
}

/// A page of the posts that quote a post, as far as the viewer may see them.
/// Check before that they may see the post.
///
/// # Errors
/// Only the store's.
pub fn quotes(tx: &ReadTx<'_>, viewer: Viewer, status: Id, page: &Page) -> Result<Paged<Loaded>, StoreError> {
    fill(
        page,
        |span| {
            let rows = tx.scan(QUOTES, span.scan(Scan::prefix(&(status,)), |id| (status, id)))?;
            Ok(rows.into_iter().map(|((_, quoting), author)| (quoting, author)).collect())
        },
        |rows| load(tx, viewer, &rows.iter().map(|(quoting, _)| *quoting).collect::<Vec<_>>()),
    )
}

/// Takes back the leave to quote one's own post. Takes up to four ids.
///
/// # Errors
/// [`StatusError::NotFound`] when the post is not theirs, or the other does
/// not quote it.
pub fn revoke(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    author: Id,
    (quoted, quoting): (Id, Id),
) -> Result<(), StatusError> {
    let own = tx.get(STATUS, &quoted)?.filter(|status| status.account == author);
    let row = tx.get(QUOTES, &(quoted, quoting))?;
    let (Some(_), Some(_), Some(status)) = (own, row, tx.get(STATUS, &quoting)?) else {
        return Err(StatusError::NotFound);
    };
    withdraw(tx, &status)?;
    let Some(quote) = status.quote.clone() else { return Err(StatusError::NotFound) };
    let stamp = quote.approval.clone();
    let revoked =
        Status::save_quote(tx, &status, Quote { state: QuoteState::Revoked, approval: None, ..quote });
    if let (Some(stamp), Some(other)) = (stamp, tx.get(ACCOUNT, &status.account)?) {
        let gone = Outgoing::DeleteStamp {
            id: format!("{stamp}#delete"),
            actor: site.actor(author),
            stamp,
            to: other.uri.clone(),
        };
        tell(tx, moment, (author, &other), gone, OrderKey::of_pair(author, quoting))?;
    }
    if revoked.is_local {
        share(tx, moment, &revoked)?;
    }
    Ok(())
}

/// Sets who may quote one's own post, and tells other servers. Posts that
/// are not open are quoted by their author alone. Takes one id.
///
/// # Errors
/// [`StatusError::NotFound`] when it is not theirs.
pub fn set_policy(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    author: Id,
    status: Id,
    policy: &QuotePolicy,
) -> Result<(), StatusError> {
    let old = tx.get(STATUS, &status)?.filter(|status| status.account == author && !status.is_reblog());
    let old = old.ok_or(StatusError::NotFound)?;
    let policy = Some(bounded(old.visibility, policy.clone()));
    if policy != old.quote_policy {
        let new = Status { quote_policy: policy, ..old };
        tx.put(STATUS, &new.id, &new);
        share(tx, moment, &new)?;
    }
    Ok(())
}

/// The policy that a post of this visibility can have.
pub(in crate::domain) fn bounded(visibility: Visibility, policy: QuotePolicy) -> QuotePolicy {
    if visibility.is_open() { policy } else { QuotePolicy::default() }
}

/// Leaves the job that shares a change which is no edit.
fn share(tx: &mut WriteTx<'_>, moment: &mut Moment, status: &Status) -> Result<(), StoreError> {
    let job = Job::FanOut { status: status.id, verb: Verb::Tally };
    let order = OrderKey::of_pair(status.id, status.account);
    enqueue(tx, moment, &Task::local(job, status.account).order(order))?;
    Ok(())
}

fn tell(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    (from, to): (Id, &Account),
    said: Outgoing,
    order: OrderKey,
) -> Result<(), StoreError> {
    if to.is_local() {
        return Ok(());
    }
    let mut targets = Targets::new();
    targets.add(&to.inbox, None);
    say(tx, moment, from, said, order, &targets)?;
    Ok(())
}

/// A request of another server to let one of its posts quote one of ours.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Its ActivityPub id.
    pub id: &'a str,
    /// The post of ours.
    pub object: &'a str,
    /// The post that quotes, known here.
    pub instrument: Id,
}

/// Answers a request to quote, as the policy says; gives whether it was
/// accepted. A post that the sender may not see is not there: even a refusal
/// would say that it is. Takes up to four ids.
///
/// # Errors
/// Only the store's.
pub fn requested(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    sender: &Account,
    request: Request<'_>,
) -> Result<bool, StoreError> {
    let quoting = tx.get(STATUS, &request.instrument)?.filter(|status| status.account == sender.id);
    let quoted = crate::domain::status::by_uri(tx, request.object)?.filter(|status| status.is_local);
    let (Some(quoting), Some(quoted)) = (quoting, quoted) else { return Ok(false) };
    match seen(tx, Viewer::account(sender.id, moment.now), quoted.id) {
        Ok(_) => {}
        Err(StatusError::Store(cause)) => return Err(cause),
        Err(_) => return Ok(false),
    }
    let names_it = quoting.quote.as_ref().is_some_and(|quote| quote.uri == quoted.uri);
    let is_taken_back = quoting.quote.as_ref().is_some_and(|quote| quote.state == QuoteState::Revoked);
    let may = names_it && !is_taken_back;
    let is_accepted = may && permission(tx, sender.id, &quoted)? == QuotePermission::Automatic;
    let (id, actor) = (site.activity(quoted.account, moment.id()), site.actor(quoted.account));
    let (to, request_id) = (sender.uri.clone(), request.id.to_owned());
    let (object, instrument) = (quoted.uri.clone(), quoting.uri.clone());
    let answer = if is_accepted {
        let quote = quoting.quote.clone().unwrap_or_default();
        let (status, account) = (Some(quoted.id), Some(quoted.account));
        let quote = Quote { status, account, approval: None, ..quote };
        let quoting = Status { quote: Some(quote), ..quoting };
        accept(tx, moment, site, &quoting)?;
        let result = site.quote_stamp(quoted.account, quoting.id);
        Outgoing::AcceptQuote { id, actor, to, request: request_id, object, instrument, result }
    } else {
        Outgoing::RejectQuote { id, actor, to, request: request_id, object, instrument }
    };
    tell(
        tx,
        moment,
        (quoted.account, sender),
        answer,
        OrderKey::of_pair(quoted.account, request.instrument),
    )?;
    Ok(is_accepted)
}

/// The author of a quoted post answers one of our requests. `stamp` is of
/// their own server; `None` is a refusal. Gives whether it was awaited.
///
/// # Errors
/// Only the store's.
pub fn answered(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    sender: Id,
    (request, stamp): (&str, Option<&str>),
) -> Result<bool, StoreError> {
    let Some(uri) = request.strip_suffix(REQUEST_MARK) else { return Ok(false) };
    let status = crate::domain::status::by_uri(tx, uri)?.filter(|status| status.is_local);
    let Some(status) = status else { return Ok(false) };
    let Some(quote) = status.quote.clone().filter(|quote| quote.account == Some(sender)) else {
        return Ok(false);
    };
    let new = match stamp {
        Some(stamp) => {
            let quote = Quote { approval: Some(stamp.to_owned()), ..quote };
            let status = Status { quote: Some(quote), ..status };
            accept(tx, moment, site, &status)?;
            status
        }
        None => {
            withdraw(tx, &status)?;
            Status::save_quote(tx, &status, Quote { state: QuoteState::Rejected, approval: None, ..quote })
        }
    };
    share(tx, moment, &new)?;
    Ok(true)
}

/// The author of a quoted post takes a stamp back. Gives whether it was one
/// of theirs.
///
/// # Errors
/// Only the store's.
pub fn stamp_deleted(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    sender: Id,
    stamp: &str,
) -> Result<bool, StoreError> {
    let Some(id) = tx.get(QUOTE_BY_STAMP, &stamp.to_owned())? else { return Ok(false) };
    let Some(status) = tx.get(STATUS, &id)? else { return Ok(false) };
    let Some(quote) = status.quote.clone().filter(|quote| quote.account == Some(sender)) else {
        return Ok(false);
    };
    withdraw(tx, &status)?;
    let new = Status::save_quote(tx, &status, Quote { state: QuoteState::Revoked, approval: None, ..quote });
    if new.is_local {
        share(tx, moment, &new)?;
    }
    Ok(true)
}

/// What is to be found out of a quote by another server's post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// The quoting post.
    pub status: Id,
    /// Its ActivityPub id.
    pub uri: String,
    /// Its author.
    pub author: Id,
    /// The quote as far as it is known.
    pub quote: Quote,
}

/// The quote of a post of another server that still waits for its proof.
///
/// # Errors
/// Only the store's.
pub fn unsettled(tx: &ReadTx<'_>, uri: &str) -> Result<Option<Unsettled>, StoreError> {
    let status = crate::domain::status::by_uri(tx, uri)?.filter(|status| !status.is_local);
    Ok(status.and_then(|status| {
        let quote = status.quote.clone().filter(|quote| quote.state == QuoteState::Pending)?;
        Some(Unsettled { status: status.id, uri: status.uri, author: status.account, quote })
    }))
}

/// The quoted post is known, and its author's stamp was seen to hold (or the
/// author quotes themselves).
///
/// # Errors
/// Only the store's.
pub fn settle(
    tx: &mut WriteTx<'_>,
    moment: &mut Moment,
    site: &Site,
    (quoting, quoted): (Id, Id),
    is_proven: bool,
) -> Result<(), StoreError> {
    let mut found = tx.get_many(STATUS, &[quoting, quoted])?.into_iter();
    let (Some(Some(status)), Some(Some(quoted))) = (found.next(), found.next()) else { return Ok(()) };
    let Some(quote) = status.quote.clone().filter(|quote| quote.state == QuoteState::Pending) else {
        return Ok(());
    };
    let quote = Quote { status: Some(quoted.id), account: Some(quoted.account), ..quote };
    let status = Status::save_quote(tx, &status, quote);
    let is_quotable = quoted.visibility != Visibility::Direct;
    if is_quotable && (is_proven || quoted.account == status.account) {
        accept(tx, moment, site, &status)?;
    }
    Ok(())
}

/// The two posts of a stamp of ours, quoting then quoted, while it holds.
///
/// # Errors
/// Only the store's.
pub fn stamped(tx: &ReadTx<'_>, stamp: &str) -> Result<Option<(String, String)>, StoreError> {
    let Some(id) = tx.get(QUOTE_BY_STAMP, &stamp.to_owned())? else { return Ok(None) };
    let quote = tx.get(STATUS, &id)?.and_then(|status| status.quote.map(|quote| (status.uri, quote)));
    let held = quote.filter(|(_, quote)| quote.state == QuoteState::Accepted);
    Ok(held.map(|(uri, quote)| (uri, quote.uri)))
}
