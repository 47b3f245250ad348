//! Fills the instance that is measured: people who follow each other as
//! people do (a few are followed by nearly everybody, most by few), posts and
//! answers, and people of other servers. By the rules of the domain, many to
//! a transaction; the queue then does what it does after every post.

use std::time::Duration;

use crate::base::{Chance, FixedChance, Id, Problem, ProblemKind};
use crate::bench::order::{Order, Person, Post, Ready, Sender};
use crate::domain::relation::{self, FollowOptions, Followed, Follower};
use crate::domain::{delivery, oauth, password, remote, secret, status, user};
use crate::edge::AppState;
use crate::model::{Account, App, Role, Visibility};
use crate::store::StoreError;

/// Everybody's password.
const PASSWORD: &str = "cedar and juniper";
/// The salt of its hash: it keeps no secret.
const SALT: [u8; 16] = *b"waxwing's bench!";
const SCOPES: &str = "read write follow push profile";
const TOKEN_BYTES: usize = 24;
/// People, follows or posts in one transaction.
const PEOPLE_AT_ONCE: usize = 32;
const FOLLOWS_AT_ONCE: usize = 256;
const POSTS_AT_ONCE: usize = 64;
/// Ids that one of each may take.
const SIGN_UP_IDS: usize = user::SIGN_UP_IDS as usize + 1;
const FOLLOW_IDS: usize = 3;
const POST_IDS: usize = 10;
/// People and posts that the parent is told of.
const TOLD_MAX: usize = 500;
/// One post of so many answers another.
const ANSWERS_EVERY: u64 = 3;
/// How long the queue may take to do what the posts left for it.
const SETTLE_MAX: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Fills an empty server as it is ordered.
///
/// # Errors
/// When a step is refused, which is a fault of ours.
pub(super) async fn fill(state: &AppState, order: &Order) -> Result<Ready, Problem> {
    let began = state.clock.monotonic();
    let seeder = Seeder { state, chance: FixedChance::new(order.seed) };
    let app = seeder.app().await?;
    let people = seeder.people(&app, order.people.max(2)).await?;
    let follows = seeder.follows(&people, order.follows).await?;
    // The last one is followed by the fake destinations, and by few others.
    let announcer = people.last().cloned().unwrap_or_default();
    seeder.destinations(&announcer, &order.destinations).await?;
    seeder.senders(&order.senders).await?;
    let statuses = seeder.posts(&people, order.posts).await?;
    seeder.settle(order.destinations.len()).await?;
    let seeded_s = state.clock.monotonic().saturating_sub(began).as_secs_f64();
    Ok(Ready {
        people: people.iter().take(TOLD_MAX).map(|one| one.told(state)).collect(),
        announcer: Some(announcer.told(state)),
        password: PASSWORD.to_owned(),
        statuses: statuses.iter().rev().take(TOLD_MAX).map(|post| told(state, *post)).collect(),
        seeded_s,
        follows,
        ..Ready::default()
    })
}

#[derive(Clone, Default)]
struct Member {
    id: Id,
    name: String,
    token: String,
}

impl Member {
    fn told(&self, state: &AppState) -> Person {
        Person {
            name: self.name.clone(),
            id: self.id.to_string(),
            actor: state.site.actor(self.id),
            token: self.token.clone(),
        }
    }
}

struct Seeder<'a> {
    state: &'a AppState,
    chance: FixedChance,
}

impl Seeder<'_> {
    /// Somebody, the first ones far more often: the square of an even number
    /// is dense near nothing.
    fn popular(&self, count: usize) -> usize {
        let even = self.chance.unit();
        ((even * even * even * count as f64) as usize).min(count - 1)
    }

    async fn app(&self) -> Result<App, Problem> {
        let scopes = oauth::scopes::parse(SCOPES).unwrap_or_default();
        let (moment, client_id) = (self.state.moment(), self.state.chance.secret(TOKEN_BYTES));
        let registered = self.state.store.write(move |tx| {
            let new = oauth::NewApp {
                name: "Bench".into(),
                website: None,
                redirect_uris: vec![oauth::OUT_OF_BAND.into()],
                scopes: scopes.clone(),
                client_id: client_id.clone(),
                secret_digest: [0; 32],
            };
            oauth::register(tx, &mut moment.clone(), &new)
        });
        registered.await.map_err(|error| refused(&error))
    }

    /// All have the server's own key: making one for each takes tenths of a
    /// second, and signing with it takes as long as with any other.
    async fn people(&self, app: &App, count: usize) -> Result<Vec<Member>, Problem> {
        let hash = tokio::task::spawn_blocking(|| password::hash(PASSWORD, SALT));
        let hash = hash.await.map_err(Problem::internal)?;
        let mut members: Vec<Member> = (0..count)
            .map(|number| Member {
                id: Id::ZERO,
                name: format!("bird{number}"),
                token: self.state.chance.secret(TOKEN_BYTES),
            })
            .collect();
        for group in members.chunks_mut(PEOPLE_AT_ONCE) {
            let ids = self.join(app, group, &hash).await?;
            group.iter_mut().zip(ids).for_each(|(member, id)| member.id = id);
        }
        Ok(members)
    }

    async fn join(&self, app: &App, group: &[Member], hash: &str) -> Result<Vec<Id>, Problem> {
        let (moment, site) =
            (self.state.moment_with(ids(SIGN_UP_IDS * group.len())), self.state.site.clone());
        let (app, group, hash) = (app.clone(), group.to_vec(), hash.to_owned());
        let keys = self.state.instance_key.clone();
        let joined = self.state.store.write(move |tx| {
            let mut moment = moment.clone();
            let mut ids = Vec::new();
            for member in &group {
                let new = user::NewUser {
                    username: member.name.clone(),
                    email: None,
                    password_hash: hash.clone(),
                    keys: keys.clone(),
                    reason: None,
                    invite: None,
                    app: None,
                    locale: None,
                };
                let id = user::sign_up(tx, &mut moment, &site, user::Entry::Given(Role::User), &new)?.id;
                oauth::issue(
                    tx,
                    &mut moment,
                    secret::digest(&member.token),
                    &app,
                    Some(id),
                    app.scopes.clone(),
                );
                ids.push(id);
            }
            Ok::<_, user::SignUpError>(ids)
        });
        joined.await.map_err(|error| refused(&error))
    }

    async fn follows(&self, people: &[Member], each: usize) -> Result<usize, Problem> {
        let mut pairs = Vec::new();
        for follower in people {
            for _ in 0..each {
                let followed = &people[self.popular(people.len())];
                if followed.id != follower.id {
                    pairs.push((follower.id, followed.id));
                }
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        for group in pairs.chunks(FOLLOWS_AT_ONCE) {
            let (moment, site) =
                (self.state.moment_with(ids(FOLLOW_IDS * group.len())), self.state.site.clone());
            let group = group.to_vec();
            let made = self.state.store.write(move |tx| {
                let mut moment = moment.clone();
                for (follower, followed) in &group {
                    let pair = (Follower(*follower), Followed(*followed));
                    relation::follow(tx, &mut moment, &site, pair, &FollowOptions::default())?;
                }
                Ok::<_, relation::RelationError>(())
            });
            made.await.map_err(|error| refused(&error))?;
        }
        Ok(pairs.len())
    }

    /// Gives author and post of each.
    async fn posts(&self, people: &[Member], count: usize) -> Result<Vec<(Id, Id)>, Problem> {
        let mut all: Vec<(Id, Id)> = Vec::new();
        let numbers: Vec<usize> = (0..count).collect();
        for group in numbers.chunks(POSTS_AT_ONCE) {
            let drafts: Vec<_> = group.iter().map(|number| self.draft(people, *number, &all)).collect();
            let (moment, site) =
                (self.state.moment_with(ids(POST_IDS * drafts.len())), self.state.site.clone());
            let published = self.state.store.write(move |tx| {
                let mut moment = moment.clone();
                let publish = |draft: &status::Draft| {
                    status::publish(tx, &mut moment, &site, draft).map(|made| (draft.author, made.status))
                };
                drafts.iter().map(publish).collect::<Result<Vec<_>, _>>()
            });
            all.extend(published.await.map_err(|error| refused(&error))?);
        }
        Ok(all)
    }

    fn draft(&self, people: &[Member], number: usize, before: &[(Id, Id)]) -> status::Draft {
        let author = &people[self.popular(people.len())];
        let answers = !before.is_empty() && self.chance.below(ANSWERS_EVERY) == 0;
        // Threads are long where posts are new.
        let in_reply_to = answers.then(|| before[before.len() - 1 - self.popular(before.len())].1);
        let text =
            format!("Number {number}: the rowan by the gate is full of #waxwings, passing berries along.");
        status::Draft {
            author: author.id,
            content_html: format!("<p>{text}</p>"),
            text,
            visibility: Visibility::Public,
            tags: vec!["waxwings".into()],
            in_reply_to,
            ..status::Draft::default()
        }
    }

    /// Those who send know everybody here, and are known by their key.
    async fn senders(&self, senders: &[Sender]) -> Result<(), Problem> {
        let accounts = senders.iter().map(|sender| Account {
            key_id: sender.key_id(),
            public_key_pem: sender.public_key_pem.clone(),
            ..stranger(&sender.actor)
        });
        self.keep(accounts.collect(), None).await
    }

    /// Each destination has somebody who follows the announcer.
    async fn destinations(&self, announcer: &Member, inboxes: &[String]) -> Result<(), Problem> {
        let accounts = inboxes.iter().map(|inbox| {
            let origin = inbox.trim_end_matches("/inbox");
            Account {
                inbox: inbox.clone(),
                shared_inbox: Some(inbox.clone()),
                ..stranger(&format!("{origin}/users/reader"))
            }
        });
        self.keep(accounts.collect(), Some(announcer.id)).await
    }

    async fn keep(&self, accounts: Vec<Account>, followed: Option<Id>) -> Result<(), Problem> {
        for group in accounts.chunks(PEOPLE_AT_ONCE) {
            let (moment, site) = (self.state.moment_with(ids(8 * group.len())), self.state.site.clone());
            let group = group.to_vec();
            let kept = self.state.store.write(move |tx| {
                let mut moment = moment.clone();
                for account in &group {
                    let Some(kept) = remote::keep_account(tx, &mut moment, account)? else { continue };
                    if let Some(followed) = followed {
                        let pair = (Follower(kept.id), Followed(followed));
                        let uri = format!("{}/follows/1", account.uri);
                        relation::follow_arrived(tx, &mut moment, &site, pair, &uri)?;
                    }
                }
                Ok::<_, relation::RelationError>(())
            });
            kept.await.map_err(|error| refused(&error))?;
        }
        Ok(())
    }

    /// Waits until the queue has done what can be done: what goes to dead
    /// destinations, one greeting each, may take as long as it likes.
    async fn settle(&self, greetings: usize) -> Result<(), Problem> {
        let end = self.state.clock.monotonic() + SETTLE_MAX;
        while self.state.clock.monotonic() < end {
            let rows = self.state.store.read(delivery::overview).await;
            let rows = rows.map_err(|error: StoreError| Problem::from(error))?;
            if rows.ready.iter().sum::<i64>() <= greetings as i64 {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(())
    }
}

fn told(state: &AppState, (author, status): (Id, Id)) -> Post {
    Post { id: status.to_string(), uri: state.site.status(author, status) }
}

/// Somebody of another server, by their actor id.
fn stranger(actor: &str) -> Account {
    let host = actor.split('/').nth(2).unwrap_or_default();
    Account {
        username: actor.rsplit('/').next().unwrap_or_default().to_owned(),
        domain: Some(host.to_owned()),
        uri: actor.to_owned(),
        url: actor.to_owned(),
        inbox: format!("{actor}/inbox"),
        followers_uri: format!("{actor}/followers"),
        ..Account::default()
    }
}

fn ids(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}

fn refused(error: &dyn std::fmt::Debug) -> Problem {
    // Whoever measures reads it, so the cause is said.
    Problem::new(ProblemKind::Unavailable, format!("the instance cannot be filled: {error:?}"))
}
