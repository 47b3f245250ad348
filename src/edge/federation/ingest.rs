//! Acting on activities that an inbox accepted: the job behind the 202.
//!
//! Decides what may be believed: an embedded object only of the actor's own
//! host and hand, everything else only as its own server tells it.

use futures_util::FutureExt;
use tracing::debug;

use super::fetch::{self, FetchFailure};
use super::posts;
use super::quotes;
use super::{actors, thread};
use crate::base::{Id, Problem, ProblemKind};
use crate::domain::delivery::{Task, authority_of, enqueue};
use crate::domain::inbox::{self, Outcome, Sender};
use crate::domain::status::News;
use crate::domain::{account, quote, remote};
use crate::edge::AppState;
use crate::model::queue::{Body, Job, Lane};
use crate::model::{Account, Visibility};
use crate::queue::{Attempt, Handler, Report};
use crate::store::{StoreError, WriteTx};
use crate::wire::activitypub::activity::{
    Activity, Announce, Answer, Create, Delete, Flag, Thing, Undo, Undone, Update, Verb,
};
use crate::wire::activitypub::{Object, actor_kind, is_public, uri};
use crate::wire::json;

/// Steps of clearing away a deleted account that one job takes.
const FORGET_STEPS_MAX: usize = 1000;
/// Ids for one activity's transaction.
const IDS: u16 = 16;
/// Ids for a report: each moderator is told.
const FLAG_IDS: u16 = 128;

/// What became of an activity, or why nothing could be done yet.
type Result<T = Outcome> = std::result::Result<T, FetchFailure>;

/// The handler of [`crate::model::queue::JobKind::Ingest`].
pub(super) fn handler(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move { run(&state, &attempt).await }.boxed()
    }
}

async fn run(state: &AppState, attempt: &Attempt) -> Report {
    let Job::Ingest { signer } = &attempt.act.job else { return broken("not an activity") };
    let Ok(body) = attempt.act.body.unpack() else { return broken("the activity is damaged") };
    act_on(state, signer, &body).await
}

/// The handler of [`crate::model::queue::JobKind::IngestThere`].
pub(super) fn handler_there(state: AppState) -> impl Handler {
    move |attempt: Attempt| {
        let state = state.clone();
        async move {
            let Job::IngestThere { signer } = &attempt.act.job else { return broken("not an activity") };
            let Ok(body) = attempt.act.body.unpack() else { return broken("the activity is damaged") };
            let Some(activity) = read(&body) else { return broken("the activity cannot be read") };
            let errand = Errand { signer, body: &body, is_there: true };
            let result = act(&state, &errand, &activity).await;
            thread::report(&state, result.map(drop), &attempt).await
        }
        .boxed()
    }
}

/// Acts on an activity, given as JSON, that the actor `signer` has signed.
pub async fn act_on(state: &AppState, signer: &str, body: &[u8]) -> Report {
    let Some(activity) = read(body) else { return broken("the activity cannot be read") };
    let errand = Errand { signer, body, is_there: false };
    let (kind, result) = (activity.kind.clone(), act(state, &errand, &activity).await);
    report(&kind, result)
}

fn read(body: &[u8]) -> Option<Activity> {
    json::parse(body).ok().as_ref().and_then(Activity::read)
}

/// An activity, and in whose lane it is acted on.
struct Errand<'a> {
    signer: &'a str,
    body: &'a [u8],
    /// In the lane of the server that has to be asked, not of the sender's.
    is_there: bool,
}

impl Errand<'_> {
    /// Leaves it to a job in the lane of the server that has to be asked for
    /// this object, if that is not the sender's own: a slow one must not hold
    /// up what else the sender has to say. Gives whether it did.
    async fn pass_on(&self, state: &AppState, object: &str) -> Result<bool> {
        let host = authority_of(object).filter(|host| authority_of(self.signer).as_ref() != Some(host));
        let Some(host) = host.filter(|_| !self.is_there) else { return Ok(false) };
        let job = Job::IngestThere { signer: self.signer.to_owned() };
        let body = Body::new(self.body.to_vec()).map_err(Problem::internal)?;
        let (task, moment) = (Task { body, ..thread::task(host, Lane::Fresh, job) }, state.moment());
        state.store.write(move |tx| enqueue(tx, &mut moment.clone(), &task)).await?;
        Ok(true)
    }
}

fn broken(detail: &str) -> Report {
    crate::queue::Outcome::Broken { detail: detail.to_owned() }.into()
}

/// What other servers cannot give us now is tried again; all else is done.
fn report(kind: &str, result: Result) -> Report {
    let outcome = match result {
        Ok(Outcome::Done) => "done",
        Ok(Outcome::Ignored(why)) => {
            debug!("an activity of type {kind} does nothing: {why}");
            "ignored"
        }
        Err(FetchFailure::Unreachable(what)) => return later(what.to_owned()),
        Err(FetchFailure::Ours(problem)) if problem.kind == ProblemKind::Unavailable => {
            return later(problem.to_string());
        }
        Err(FetchFailure::Ours(problem)) => return later(format!("{problem:?}")),
        Err(failure) => {
            debug!("an activity of type {kind} leads nowhere: {failure}");
            "dead_end"
        }
    };
    metrics::counter!("waxwing_ingest_total", "outcome" => outcome).increment(1);
    crate::queue::Outcome::Done.into()
}

fn later(detail: String) -> Report {
    crate::queue::Outcome::TryLater { detail }.into()
}

fn ignored(why: &'static str) -> Result {
    Ok(Outcome::Ignored(why))
}

async fn act(state: &AppState, errand: &Errand<'_>, activity: &Activity) -> Result {
    if activity.actor != errand.signer {
        return hint(state, errand, activity).await;
    }
    let Some(sender) = actors::known(state, errand.signer).await? else {
        return ignored("the sender is not known");
    };
    if sender.suspended_at.is_some() || sender.is_local() {
        return ignored("the sender may not act here");
    }
    if sender.deleted_at.is_some() {
        return ignored("the sender is deleted");
    }
    thread::refresh_later(state, &sender).await?;
    match &activity.verb {
        Verb::Follow(follow) => {
            let Some(followed) = local(state, &follow.object).await? else { return ignored("not of here") };
            let Some(id) = activity.id.clone() else { return ignored("a follow needs an id") };
            write(state, sender, move |tx, moment, state, from| {
                inbox::follow(tx, moment, &state.site, from, (followed, &id))
            })
            .await
        }
        Verb::Accept(answer) => answered(state, sender, answer, true).await,
        Verb::Reject(answer) => answered(state, sender, answer, false).await,
        Verb::Undo(undo) => undone(state, sender, undo).await,
        Verb::Create(create) => created(state, sender, create).await,
        Verb::Update(update) => updated(state, sender, update).await,
        Verb::Delete(delete) => deleted(state, sender, delete).await,
        Verb::Like(like) => {
            let (object, id) = (like.object.clone(), activity.id.clone());
            write(state, sender, move |tx, moment, _, from| {
                inbox::like(tx, moment, from, (&object, id.as_deref()))
            })
            .await
        }
        Verb::Announce(announce) => announced(state, sender, errand, (activity, announce)).await,
        Verb::Block(block) => {
            let Some(blocked) = local(state, &block.object).await? else { return ignored("not of here") };
            let id = activity.id.clone().unwrap_or_default();
            write(state, sender, move |tx, moment, _, from| inbox::block(tx, moment, from, (blocked, &id)))
                .await
        }
        Verb::Flag(flag) => flagged(state, sender, activity, flag).await,
        Verb::QuoteRequest(request) => {
            let Some(id) = activity.id.as_deref() else { return ignored("a request needs an id") };
            match quotes::requested(state, &sender, (id, request)).await? {
                true => Ok(Outcome::Done),
                false => ignored("the quote is not allowed"),
            }
        }
        Verb::Other => ignored("nothing is known to be done"),
    }
}

/// A report about somebody here.
async fn flagged(state: &AppState, sender: Account, activity: &Activity, flag: &Flag) -> Result {
    let Some(uri) = activity.id.clone() else { return ignored("a report needs an id") };
    let flag = flag.clone();
    write_with(state, sender, FLAG_IDS, move |tx, moment, state, from| {
        let (objects, comment) = (&flag.objects, &*flag.content);
        inbox::flag(tx, moment, &state.site, from, inbox::Flagged { uri: &uri, objects, comment })
    })
    .await
}

/// One rule in one transaction.
async fn write(
    state: &AppState,
    sender: Account,
    rule: impl Fn(
        &mut WriteTx<'_>,
        &mut crate::base::Moment,
        &AppState,
        Sender<'_>,
    ) -> std::result::Result<Outcome, StoreError>
    + Send
    + 'static,
) -> Result {
    write_with(state, sender, IDS, rule).await
}

async fn write_with(
    state: &AppState,
    sender: Account,
    ids: u16,
    rule: impl Fn(
        &mut WriteTx<'_>,
        &mut crate::base::Moment,
        &AppState,
        Sender<'_>,
    ) -> std::result::Result<Outcome, StoreError>
    + Send
    + 'static,
) -> Result {
    let (moment, own) = (state.moment_with(ids), state.clone());
    Ok(state.store.write(move |tx| rule(tx, &mut moment.clone(), &own, Sender(&sender))).await?)
}

/// The local account behind one of our actor ids.
async fn local(state: &AppState, actor: &str) -> Result<Option<Id>> {
    if !state.site.owns(actor) {
        return Ok(None);
    }
    let (site, actor) = (state.site.clone(), actor.to_owned());
    let found = state.store.read(move |tx| remote::accounts_by_uri(tx, &site, &[actor])).await?;
    Ok(found.into_iter().next().flatten())
}

async fn answered(state: &AppState, sender: Account, answer: &Answer, is_accept: bool) -> Result {
    if let Some(request) = answer.follow.as_ref().filter(|id| id.ends_with(quote::REQUEST_MARK)) {
        return quote_answered(state, sender, (request, answer.result.as_deref()), is_accept).await;
    }
    // Only a follow of the sender itself is the sender's to answer.
    if answer.followed.as_ref().is_some_and(|followed| *followed != sender.uri) {
        return ignored("the follow is somebody else's");
    }
    let follower = match &answer.follower {
        Some(actor) => local(state, actor).await?,
        None => None,
    };
    let follow = answer.follow.clone();
    write(state, sender, move |tx, moment, _, from| {
        let answer = inbox::Answer { follow: follow.as_deref(), follower };
        if is_accept { inbox::accept(tx, moment, from, answer) } else { inbox::reject(tx, from, answer) }
    })
    .await
}

/// A stamp counts only from the sender's own server.
async fn quote_answered(
    state: &AppState,
    sender: Account,
    (request, result): (&str, Option<&str>),
    is_accept: bool,
) -> Result {
    let stamp = result.filter(|stamp| uri::is_same_host(stamp, &sender.uri)).map(str::to_owned);
    if is_accept && stamp.is_none() {
        return ignored("the leave to quote has no stamp");
    }
    let (request, stamp) = (request.to_owned(), stamp.filter(|_| is_accept));
    write(state, sender, move |tx, moment, state, from| {
        let known = quote::answered(tx, moment, &state.site, from.0.id, (&request, stamp.as_deref()))?;
        Ok(if known { Outcome::Done } else { Outcome::Ignored("nobody here asked for it") })
    })
    .await
}

async fn undone(state: &AppState, sender: Account, undo: &Undo) -> Result {
    if undo.actor.as_ref().is_some_and(|actor| *actor != sender.uri) {
        return ignored("it was somebody else's");
    }
    let kind = match undo.undone {
        Undone::Follow => inbox::Undone::Follow,
        Undone::Like => inbox::Undone::Like,
        Undone::Announce => inbox::Undone::Announce,
        Undone::Block => inbox::Undone::Block,
        Undone::Accept => inbox::Undone::Accept,
        Undone::Unknown => inbox::Undone::Unknown,
    };
    let undo = undo.clone();
    write(state, sender, move |tx, moment, state, from| {
        let undo = inbox::Undo { undone: kind, id: undo.id.as_deref(), object: undo.object.as_deref() };
        inbox::undo(tx, moment, &state.site, from, undo)
    })
    .await
}

async fn created(state: &AppState, sender: Account, create: &Create) -> Result {
    let mut last = Outcome::Ignored("there was no object");
    for thing in &create.objects {
        last = created_one(state, sender.clone(), thing).await?;
    }
    Ok(last)
}

async fn created_one(state: &AppState, sender: Account, thing: &Thing) -> Result {
    let Some(object) = own_post(state, &sender, thing).await? else {
        return ignored("the object is not a post of the sender's");
    };
    if let (Some(answer), Some(question)) = (object.vote(), &object.in_reply_to) {
        let (question, answer) = (question.clone(), answer.to_owned());
        return write(state, sender, move |tx, moment, _, from| {
            inbox::vote(tx, moment, from, (&question, &answer))
        })
        .await;
    }
    let arrived = posts::arrived(&state.site, &object, &sender);
    let (site, asked) = (state.site.clone(), arrived.clone());
    if !state.store.read(move |tx| remote::is_wanted(tx, &site, &asked)).await? {
        return ignored("nobody here has to do with it");
    }
    let uri = arrived.uri.clone();
    let ids = arrived.ids_needed();
    let outcome = write_with(state, sender, ids, move |tx, moment, state, from| {
        inbox::create(tx, moment, &state.site, from, &arrived)
    })
    .await?;
    // What it answers and quotes is another server's to tell, in its own lane.
    thread::settle_later(state, &uri).await?;
    thread::complete_later(state, &uri, News::Fresh).await?;
    Ok(outcome)
}

/// The post that the sender sends: embedded, if it is of the sender's host
/// and by the sender, else as its own server gives it.
async fn own_post(state: &AppState, sender: &Account, thing: &Thing) -> Result<Option<Object>> {
    let Some(id) = thing.id() else { return Ok(None) };
    if !uri::is_same_host(id, &sender.uri) {
        return Ok(None);
    }
    let fetched;
    let document = match thing.embedded() {
        Some(embedded) => embedded,
        None => {
            fetched = fetch::document(state, id).await?;
            &fetched
        }
    };
    Ok(Object::read(document).filter(|object| object.attributed_to == sender.uri))
}

async fn updated(state: &AppState, sender: Account, update: &Update) -> Result {
    let is_actor = update.object.id() == Some(&sender.uri);
    if is_actor {
        // The document is the sender's own word about itself; its key was
        // verified. It is fetched all the same, so that there is one way in.
        actors::fetch(state, &sender.uri).await?;
        return Ok(Outcome::Done);
    }
    if actor_kind(update.object.kind()).is_some() {
        return ignored("the actor is not the sender");
    }
    let Some(object) = own_post(state, &sender, &update.object).await? else {
        return ignored("the object is not a post of the sender's");
    };
    let arrived = posts::arrived(&state.site, &object, &sender);
    let (ids, uri) = (arrived.ids_needed(), arrived.uri.clone());
    let outcome = write_with(state, sender, ids, move |tx, moment, state, from| {
        inbox::update(tx, moment, &state.site, from, &arrived)
    })
    .await?;
    thread::settle_later(state, &uri).await?;
    Ok(outcome)
}

async fn deleted(state: &AppState, sender: Account, delete: &Delete) -> Result {
    if delete.object == sender.uri {
        return account_deleted(state, sender.id).await;
    }
    if !uri::is_same_host(&delete.object, &sender.uri) {
        return ignored("the object is of another host");
    }
    let object = delete.object.clone();
    write(state, sender, move |tx, moment, _, from| {
        if quote::stamp_deleted(tx, moment, from.0.id, &object)? {
            return Ok(Outcome::Done);
        }
        inbox::delete(tx, moment, from, &object)
    })
    .await
}

/// Marks the account, so that nothing of it shows any more, and then clears
/// away in steps what it left.
async fn account_deleted(state: &AppState, id: Id) -> Result {
    let moment = state.moment();
    state.store.write(move |tx| remote::set_gone(tx, &mut moment.clone(), id)).await?;
    for _ in 0..FORGET_STEPS_MAX {
        let moment = state.moment();
        let has_more =
            state.store.write(move |tx| remote::forget_account(tx, &mut moment.clone(), id)).await?;
        if !has_more {
            return Ok(Outcome::Done);
        }
    }
    Err(FetchFailure::Unreachable("the account has more posts than one job takes"))
}

async fn announced(
    state: &AppState,
    sender: Account,
    errand: &Errand<'_>,
    (activity, announce): (&Activity, &Announce),
) -> Result {
    let Some(id) = activity.id.clone() else { return ignored("a boost needs an id") };
    let is_local = state.site.owns(&announce.object);
    let booster = sender.id;
    let is_wanted = state.store.read(move |tx| inbox::is_boost_wanted(tx, booster, is_local)).await?;
    if !is_wanted {
        return ignored("nobody here has to do with it");
    }
    let is_strange = !is_local && posts::known(state, &announce.object).await?.is_none();
    if is_strange && errand.pass_on(state, &announce.object).await? {
        return Ok(Outcome::Done);
    }
    let original = match is_strange {
        true => posts::with_company(state, &announce.object).await?,
        false => posts::by_uri(state, &announce.object).await?,
    };
    let (published, visibility) = (activity.published, boost_visibility(activity, &sender));
    write(state, sender, move |tx, moment, _, from| {
        inbox::announce(tx, moment, from, inbox::Boost { uri: &id, original, visibility, published })
    })
    .await
}

fn boost_visibility(activity: &Activity, sender: &Account) -> Visibility {
    let has = |list: &[String]| list.iter().any(|address| is_public(address));
    if has(&activity.to) {
        Visibility::Public
    } else if has(&activity.cc) {
        Visibility::Unlisted
    } else if activity.to.iter().chain(&activity.cc).any(|address| *address == sender.followers_uri) {
        Visibility::Private
    } else {
        Visibility::Direct
    }
}

/// An activity that another than its actor brought: nothing of it is
/// believed, but its object is looked at where it lives.
async fn hint(state: &AppState, errand: &Errand<'_>, activity: &Activity) -> Result {
    match &activity.verb {
        Verb::Create(create) => {
            // One: a stranger's word is worth no more than one look.
            if let Some(id) = create.objects.first().and_then(Thing::id) {
                bring(state, errand, id).await?;
            }
            Ok(Outcome::Done)
        }
        Verb::Update(update) => match update.object.id() {
            Some(id) => look_again(state, errand, id).await,
            None => ignored("it names no object"),
        },
        Verb::Delete(delete) => look_whether_gone(state, errand, &delete.object).await,
        _ => ignored("the actor has to sign it"),
    }
}

/// A post that somebody here has to do with, from its own server.
async fn bring(state: &AppState, errand: &Errand<'_>, id: &str) -> Result<()> {
    if state.site.owns(id) || posts::known(state, id).await?.is_some() || errand.pass_on(state, id).await? {
        return Ok(());
    }
    let arrived = posts::fetched(state, id).await?;
    let author = arrived.author;
    let Some(sender) = state.store.read(move |tx| account::get(tx, author)).await? else { return Ok(()) };
    let ids = arrived.ids_needed();
    write_with(state, sender, ids, move |tx, moment, state, from| {
        inbox::create(tx, moment, &state.site, from, &arrived)
    })
    .await?;
    Ok(())
}

async fn look_again(state: &AppState, errand: &Errand<'_>, id: &str) -> Result {
    if posts::known(state, id).await?.is_none() {
        return ignored("the object is not known");
    }
    if errand.pass_on(state, id).await? {
        return Ok(Outcome::Done);
    }
    let arrived = posts::fetched(state, id).await?;
    let (site, moment) = (state.site.clone(), state.moment_with(arrived.ids_needed()));
    let changed =
        state.store.write(move |tx| remote::update_status(tx, &mut moment.clone(), &site, &arrived)).await?;
    Ok(if changed { Outcome::Done } else { Outcome::Ignored("nothing was changed") })
}

/// Gone is what its own server answers with 404, 410 or a Tombstone.
async fn look_whether_gone(state: &AppState, errand: &Errand<'_>, id: &str) -> Result {
    let asked = id.to_owned();
    let Some(known) = state.store.read(move |tx| inbox::shows_when_gone(tx, &asked)).await? else {
        return ignored("the object is not known, ours or private");
    };
    if errand.pass_on(state, id).await? {
        return Ok(Outcome::Done);
    }
    let is_gone = match fetch::document(state, id).await {
        Ok(document) => document["type"] == "Tombstone",
        Err(FetchFailure::Gone) => true,
        Err(other) => return Err(other),
    };
    if !is_gone {
        return ignored("its server still has it");
    }
    let moment = state.moment();
    state
        .store
        .write(move |tx| {
            let Some(post) = tx.get(crate::model::tables::STATUS, &known)? else { return Ok(()) };
            crate::domain::status::remove(tx, &mut moment.clone(), &post)
        })
        .await?;
    Ok(Outcome::Done)
}

impl From<FetchFailure> for Problem {
    fn from(failure: FetchFailure) -> Problem {
        match failure {
            FetchFailure::Ours(problem) => problem,
            FetchFailure::Gone | FetchFailure::Bad(_) | FetchFailure::Own => Problem::not_found(),
            FetchFailure::Unreachable(_) => {
                Problem::new(ProblemKind::Unavailable, "The other server cannot be reached").because(failure)
            }
        }
    }
}
