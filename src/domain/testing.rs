//! A small world in memory for tests of the rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::{Clock, Id, IdGenerator, ManualClock, Moment, Timestamp};
use crate::domain::fan_out::{self, Plan};
use crate::domain::page::Page;
use crate::domain::status::{Draft, StatusError, publish};
use crate::domain::timeline;
use crate::domain::visibility::Viewer;
use crate::model::queue::Body;
use crate::model::queue::tables::ACT;
use crate::model::queue::{Job, Verb};
use crate::model::tables::{COUNT, FOLLOWERS, FOLLOWING, RELATION, count};
use crate::model::{Account, Follow, Relation, Site, Status, User, Visibility};
use crate::store::{ReadTx, Scan, Store, StoreError, WriteTx};

/// Accounts, posts and a clock.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: ManualClock,
    pub(crate) site: Site,
    ids: Arc<IdGenerator>,
    names: Arc<AtomicU64>,
}

impl World {
    pub(crate) fn new() -> World {
        World {
            store: Store::memory(),
            clock: ManualClock::at(Timestamp::from_secs(1_800_000_000)),
            site: Site::new("https", "here.example"),
            ids: Arc::new(IdGenerator::new(0)),
            names: Arc::default(),
        }
    }

    /// The next millisecond, with many ids.
    pub(crate) fn moment(&self) -> Moment {
        self.clock.advance(Duration::from_millis(1));
        Moment { now: self.clock.now(), ids: self.ids.reserve(self.clock.now(), 200) }
    }

    pub(crate) fn sees(&self, id: Id) -> Viewer {
        Viewer::account(id, self.clock.now())
    }

    pub(crate) async fn write<T, E>(
        &self,
        mut change: impl FnMut(&mut WriteTx<'_>, &mut Moment) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let moment = self.moment();
        self.store.write(move |tx| change(tx, &mut moment.clone())).await
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.read(look).await.expect("a memory store reads")
    }

    /// An account; on another host if one is given.
    pub(crate) async fn account(&self, host: Option<&str>) -> Id {
        let n = self.names.fetch_add(1, Ordering::Relaxed);
        let (host, site) = (host.map(str::to_owned), self.site.clone());
        self.write(move |tx, moment| {
            let id = moment.id();
            let origin = host.as_ref().map_or(site.origin.clone(), |host| format!("https://{host}"));
            let account = Account {
                id,
                username: format!("user{n}"),
                domain: host.clone(),
                uri: format!("{origin}/ap/users/{id}"),
                url: format!("{origin}/@user{n}"),
                inbox: host.as_ref().map(|_| format!("{origin}/ap/users/{id}/inbox")).unwrap_or_default(),
                shared_inbox: host.as_ref().map(|_| format!("{origin}/inbox")),
                followers_uri: format!("{origin}/ap/users/{id}/followers"),
                ..Account::default()
            };
            Account::save(tx, None, &account);
            if host.is_none() {
                User::save(tx, None, &User { id, ..User::default() });
            }
            Ok::<_, StoreError>(id)
        })
        .await
        .expect("a memory store writes")
    }

    /// Lets one account relate to another as `change` says.
    pub(crate) async fn relate(&self, from: Id, to: Id, change: impl Fn(&mut Relation) + Send + 'static) {
        self.write(move |tx, _| {
            let mut row = tx.get(RELATION, &(from, to))?.unwrap_or_default();
            change(&mut row);
            tx.put(RELATION, &(from, to), &row);
            Ok::<_, StoreError>(())
        })
        .await
        .expect("a memory store writes");
    }

    pub(crate) async fn follow(&self, from: Id, to: Id) {
        self.write(move |tx, moment| {
            let id = moment.id();
            let follow = Follow {
                id,
                uri: String::new(),
                show_reblogs: true,
                notify: false,
                since: moment.now,
                languages: Vec::new(),
            };
            let row = tx.get(RELATION, &(from, to))?.unwrap_or_default();
            tx.put(RELATION, &(from, to), &Relation { follow: Some(follow), ..row });
            tx.put(FOLLOWERS, &(to, id), &from);
            tx.put(FOLLOWING, &(from, id), &to);
            tx.add(COUNT, &(count::FOLLOWERS, to), 1);
            Ok::<_, StoreError>(())
        })
        .await
        .expect("a memory store writes");
    }

    /// A draft with some text.
    pub(crate) fn draft(author: Id, visibility: Visibility) -> Draft {
        let text = "hello".to_owned();
        Draft { author, content_html: format!("<p>{text}</p>"), text, visibility, ..Draft::default() }
    }

    /// Publishes a draft and runs its jobs.
    pub(crate) async fn publish(&self, draft: Draft) -> Result<Id, StatusError> {
        let site = self.site.clone();
        let published = self.write(move |tx, moment| publish(tx, moment, &site, &draft)).await?;
        self.run_jobs().await;
        Ok(published.status)
    }

    pub(crate) async fn post(&self, author: Id, visibility: Visibility) -> Id {
        self.publish(World::draft(author, visibility)).await.expect("the draft is good")
    }

    pub(crate) async fn reply(&self, author: Id, to: Id) -> Id {
        let draft = Draft { in_reply_to: Some(to), ..World::draft(author, Visibility::Public) };
        self.publish(draft).await.expect("the draft is good")
    }

    /// Runs all fan-outs; gives what they had to tell others.
    pub(crate) async fn run_jobs(&self) -> Vec<(Plan, Vec<String>)> {
        self.write(|tx, moment| {
            let mut told = Vec::new();
            for (id, act) in tx.scan(ACT, Scan::all())? {
                let Job::FanOut { status, verb } = act.job else { continue };
                tx.delete(ACT, &id);
                if let Some(plan) = fan_out::plan(tx, status, verb, &act.body)? {
                    told.push((plan.clone(), bring(tx, moment, &plan)?));
                }
            }
            Ok::<_, StoreError>(told)
        })
        .await
        .expect("a memory store writes")
    }

    pub(crate) async fn status(&self, id: Id) -> Option<Status> {
        self.read(move |tx| tx.get(crate::model::tables::STATUS, &id)).await
    }

    /// Ids on the first page of somebody's home timeline.
    pub(crate) async fn home(&self, of: Id) -> Vec<Id> {
        let viewer = self.sees(of);
        let page = self.read(move |tx| timeline::home(tx, viewer, &Page::first(40))).await;
        page.items.into_iter().map(|loaded| loaded.status.id).collect()
    }
}

/// All steps of a fan-out; gives the inboxes it reaches.
fn bring(tx: &mut WriteTx<'_>, moment: &mut Moment, plan: &Plan) -> Result<Vec<String>, StoreError> {
    let (mut targets, mut after) = (plan.targets(), Some(Id::ZERO));
    while let Some(from) = after {
        let step = fan_out::step(tx, moment, plan, from)?;
        for (inbox, shared) in &step.inboxes {
            targets.add(inbox, shared.as_deref());
        }
        after = step.next;
    }
    let mut place = plan.first_tag();
    while let Some(at) = place {
        place = fan_out::step_tags(tx, moment, plan, at)?;
    }
    let body = (plan.verb != Verb::Delete).then(Body::empty);
    fan_out::send(tx, moment, plan, body.as_ref(), &targets)?;
    Ok(if plan.is_told() { targets.urls().map(str::to_owned).collect() } else { Vec::new() })
}
