//! Jobs, their rows, and what becomes of them.

use std::time::Duration;

use minicbor::{Decode, Encode};

use super::{Body, DestinationId, InboxId, Lane, Letter, OrderKey, Outgoing};
use crate::base::{Id, Timestamp};
use crate::model::WebhookEvent;
use crate::store::Record;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// What happened to a post that is to be told to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Verb {
    /// It was published.
    #[n(0)]
    Create,
    /// It was edited.
    #[n(1)]
    Update,
    /// It was deleted, or a boost undone. The post's last record is the body.
    #[n(2)]
    Delete,
    /// Something changed that is no edit: votes in its poll, leave to quote.
    #[n(3)]
    Tally,
}

/// One variant for each kind of background work. Adding one: a variant with
/// the next number here, one in [`JobKind`], one handler.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Job {
    /// Post the body to the inbox, signed by the act's actor.
    #[n(0)]
    Deliver,
    /// Put a post into home timelines and enqueue its deliveries.
    #[n(1)]
    FanOut {
        /// The post or boost.
        #[n(0)]
        status: Id,
        /// What happened to it.
        #[n(1)]
        verb: Verb,
    },
    /// Act on an activity that one of our inboxes accepted; it is the body.
    #[n(2)]
    Ingest {
        /// ActivityPub id of the actor whose signature was verified.
        #[n(0)]
        signer: String,
    },
    /// Fetch or refresh a remote account.
    #[n(3)]
    FetchAccount {
        /// Its ActivityPub id.
        #[n(0)]
        uri: String,
    },
    /// Fetch a remote post and what it answers to.
    #[n(4)]
    FetchThread {
        /// ActivityPub id of the post.
        #[n(0)]
        uri: String,
        /// It came just now: whoever follows its author may have missed it,
        /// as an answer to a stranger.
        #[n(1)]
        #[cbor(default)]
        is_news: bool,
        /// Posts that were fetched on the way from where somebody began.
        #[n(2)]
        #[cbor(default)]
        climbed: u8,
    },
    /// Post this to the inbox, written as ActivityPub, signed by the act's actor.
    #[n(5)]
    Say(#[n(0)] Outgoing),
    /// Tell the followers of a local account that its profile changed.
    #[n(6)]
    ShareProfile {
        /// The account.
        #[n(0)]
        account: Id,
    },
    /// Make an uploaded picture fit to be shown.
    #[n(10)]
    ProcessMedia {
        /// The upload.
        #[n(0)]
        media: Id,
    },
    /// Tell of new votes in a poll, or of its end, whichever is due.
    #[n(15)]
    TendPoll {
        /// The post with the poll.
        #[n(0)]
        status: Id,
    },
    /// End the follows of an account that was shut out.
    #[n(20)]
    SeverFollows {
        /// The account.
        #[n(0)]
        account: Id,
        /// Also those by people here.
        #[n(1)]
        both: bool,
        /// The blocked server of which it is; `None` where the account alone
        /// was suspended.
        #[n(2)]
        #[cbor(default)]
        domain: Option<String>,
    },
    /// Bring the accounts of a server in line with what is decided about it.
    #[n(21)]
    SettleServer {
        /// Its name.
        #[n(0)]
        domain: String,
        /// When the decision was made that no longer holds.
        #[n(1)]
        was: Option<Timestamp>,
    },
    /// Delete an account for good.
    #[n(22)]
    EraseAccount {
        /// The account.
        #[n(0)]
        account: Id,
    },
    /// Publish a post whose time has come.
    #[n(16)]
    PublishScheduled {
        /// Its author.
        #[n(0)]
        account: Id,
        /// Which.
        #[n(1)]
        scheduled: Id,
    },
    /// End the follows between a local account and a domain that it blocks.
    #[n(30)]
    SeverDomain {
        /// The account.
        #[n(0)]
        account: Id,
        /// The domain.
        #[n(1)]
        domain: String,
    },
    /// Remove files of an account that is gone.
    #[n(40)]
    RemoveFiles {
        /// Their names in the place of files.
        #[n(0)]
        names: Vec<String>,
    },
    /// Find out which apps are to be told of notifications, and tell them.
    #[n(25)]
    Push {
        /// Accounts with the notification of each.
        #[n(0)]
        told: Vec<(Id, Id)>,
    },
    /// Tell one app of one notification.
    #[n(26)]
    PushTo(#[n(0)] PushTo),
    /// Read the page behind a link for its preview card.
    #[n(27)]
    FetchCard {
        /// The link.
        #[n(0)]
        url: String,
    },
    /// Give a destination that is back what it was left out of.
    #[n(35)]
    CatchUp {
        /// Which.
        #[n(0)]
        destination: DestinationId,
        /// The first act that it may be about.
        #[n(1)]
        from: Id,
    },
    /// Render an event for the webhooks that want to hear of it.
    #[n(28)]
    Webhook {
        /// What happened.
        #[n(0)]
        event: WebhookEvent,
        /// To which accounts, reports or posts.
        #[n(1)]
        objects: Vec<Id>,
    },
    /// Tell one webhook of an event; the message is the body.
    #[n(29)]
    WebhookTo {
        /// Which.
        #[n(0)]
        webhook: Id,
        /// What happened.
        #[n(1)]
        event: WebhookEvent,
        /// To which account, report or post.
        #[n(2)]
        object: Id,
    },
    /// Send a mail.
    #[n(31)]
    Mail(#[n(0)] Letter),
    /// Fetch a picture or sound of another server that somebody wants to see.
    #[n(32)]
    FetchFile {
        /// Its address.
        #[n(0)]
        url: String,
    },
    /// Act on an activity for which another server than its sender's has to be
    /// asked, in the lane of that one.
    #[n(45)]
    IngestThere {
        /// ActivityPub id of the actor that signed it.
        #[n(0)]
        signer: String,
    },
    /// Look whether a post of another server may quote what it quotes.
    #[n(46)]
    SettleQuote {
        /// ActivityPub id of the quoting post.
        #[n(0)]
        uri: String,
    },
    /// Fetch what answers a post of another server, and the post itself where
    /// it is one of these answers.
    #[n(47)]
    FetchReplies {
        /// ActivityPub id of the post.
        #[n(0)]
        uri: String,
        /// How far it is below the post that somebody looked at.
        #[n(1)]
        depth: u8,
    },
}

/// One notification for one subscription.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PushTo {
    /// Digest of the token that the subscription belongs to.
    #[n(0)]
    #[cbor(with = "minicbor::bytes")]
    pub token: [u8; 32],
    /// Which of the subscriptions that it had.
    #[n(1)]
    pub number: u32,
    /// Whose.
    #[n(2)]
    pub account: Id,
    /// Which notification.
    #[n(3)]
    pub notification: Id,
}

impl Job {
    /// Which handler it is for.
    pub fn kind(&self) -> JobKind {
        match self {
            Job::Deliver | Job::Say(_) => JobKind::Deliver,
            Job::ShareProfile { .. } => JobKind::ShareProfile,
            Job::ProcessMedia { .. } => JobKind::ProcessMedia,
            Job::TendPoll { .. } => JobKind::TendPoll,
            Job::PublishScheduled { .. } => JobKind::PublishScheduled,
            Job::FanOut { .. } => JobKind::FanOut,
            Job::SeverDomain { .. } => JobKind::SeverDomain,
            Job::RemoveFiles { .. } => JobKind::RemoveFiles,
            Job::Ingest { .. } => JobKind::Ingest,
            Job::Push { .. } => JobKind::Push,
            Job::PushTo(_) => JobKind::PushTo,
            Job::FetchAccount { .. } => JobKind::FetchAccount,
            Job::FetchThread { .. } => JobKind::FetchThread,
            Job::FetchCard { .. } => JobKind::FetchCard,
            Job::CatchUp { .. } => JobKind::CatchUp,
            Job::Webhook { .. } => JobKind::Webhook,
            Job::WebhookTo { .. } => JobKind::WebhookTo,
            Job::Mail(_) => JobKind::Mail,
            Job::FetchFile { .. } => JobKind::FetchFile,
            Job::IngestThere { .. } => JobKind::IngestThere,
            Job::SettleQuote { .. } => JobKind::SettleQuote,
            Job::FetchReplies { .. } => JobKind::FetchReplies,
            Job::SeverFollows { .. } | Job::SettleServer { .. } | Job::EraseAccount { .. } => {
                JobKind::Moderate
            }
        }
    }
}

/// The kind of a [`Job`], to look up its handler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum JobKind {
    /// See [`Job::Deliver`] and [`Job::Say`].
    #[n(0)]
    Deliver,
    /// See [`Job::FanOut`].
    #[n(1)]
    FanOut,
    /// See [`Job::Ingest`].
    #[n(2)]
    Ingest,
    /// See [`Job::FetchAccount`].
    #[n(3)]
    FetchAccount,
    /// See [`Job::FetchThread`].
    #[n(4)]
    FetchThread,
    /// See [`Job::ShareProfile`].
    #[n(5)]
    ShareProfile,
    /// See [`Job::ProcessMedia`].
    #[n(10)]
    ProcessMedia,
    /// See [`Job::TendPoll`].
    #[n(15)]
    TendPoll,
    /// See [`Job::SeverFollows`], [`Job::SettleServer`] and [`Job::EraseAccount`].
    #[n(20)]
    Moderate,
    /// See [`Job::PublishScheduled`].
    #[n(16)]
    PublishScheduled,
    /// See [`Job::SeverDomain`].
    #[n(30)]
    SeverDomain,
    /// See [`Job::RemoveFiles`].
    #[n(40)]
    RemoveFiles,
    /// See [`Job::Push`].
    #[n(25)]
    Push,
    /// See [`Job::PushTo`].
    #[n(26)]
    PushTo,
    /// See [`Job::FetchCard`].
    #[n(27)]
    FetchCard,
    /// See [`Job::CatchUp`].
    #[n(35)]
    CatchUp,
    /// See [`Job::Webhook`].
    #[n(28)]
    Webhook,
    /// See [`Job::WebhookTo`].
    #[n(29)]
    WebhookTo,
    /// See [`Job::Mail`].
    #[n(31)]
    Mail,
    /// See [`Job::FetchFile`].
    #[n(32)]
    FetchFile,
    /// See [`Job::IngestThere`].
    #[n(45)]
    IngestThere,
    /// See [`Job::SettleQuote`].
    #[n(46)]
    SettleQuote,
    /// See [`Job::FetchReplies`].
    #[n(47)]
    FetchReplies,
}

impl JobKind {
    /// All.
    pub const ALL: [JobKind; 23] = [
        JobKind::Deliver,
        JobKind::FanOut,
        JobKind::Ingest,
        JobKind::Push,
        JobKind::PushTo,
        JobKind::FetchAccount,
        JobKind::FetchThread,
        JobKind::FetchCard,
        JobKind::CatchUp,
        JobKind::Webhook,
        JobKind::WebhookTo,
        JobKind::Mail,
        JobKind::FetchFile,
        JobKind::ShareProfile,
        JobKind::RemoveFiles,
        JobKind::ProcessMedia,
        JobKind::TendPoll,
        JobKind::Moderate,
        JobKind::PublishScheduled,
        JobKind::SeverDomain,
        JobKind::IngestThere,
        JobKind::SettleQuote,
        JobKind::FetchReplies,
    ];

    /// From its name.
    pub fn from_name(name: &str) -> Option<JobKind> {
        JobKind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it adds many jobs that nobody waits for: such work is put off
    /// while there are too many.
    pub const fn adds_much(self) -> bool {
        matches!(self, JobKind::ShareProfile | JobKind::TendPoll | JobKind::CatchUp)
    }

    /// Its name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            JobKind::Deliver => "deliver",
            JobKind::FanOut => "fan_out",
            JobKind::Ingest => "ingest",
            JobKind::Push => "push",
            JobKind::PushTo => "push_to",
            JobKind::FetchAccount => "fetch_account",
            JobKind::FetchThread => "fetch_thread",
            JobKind::FetchCard => "fetch_card",
            JobKind::CatchUp => "catch_up",
            JobKind::Webhook => "webhook",
            JobKind::WebhookTo => "webhook_to",
            JobKind::Mail => "mail",
            JobKind::FetchFile => "fetch_file",
            JobKind::ShareProfile => "share_profile",
            JobKind::ProcessMedia => "process_media",
            JobKind::TendPoll => "tend_poll",
            JobKind::Moderate => "moderate",
            JobKind::PublishScheduled => "publish_scheduled",
            JobKind::SeverDomain => "sever_domain",
            JobKind::RemoveFiles => "remove_files",
            JobKind::IngestThere => "ingest_there",
            JobKind::SettleQuote => "settle_quote",
            JobKind::FetchReplies => "fetch_replies",
        }
    }
}

/// What a delivered activity says; decides how long it stays worth sending,
/// how urgent it is, and what it makes pointless.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ActivityKind {
    /// Not an activity: our own work.
    #[n(0)]
    Internal,
    /// A post is published.
    #[n(1)]
    Create,
    /// A post is edited.
    #[n(2)]
    Update,
    /// A profile is changed.
    #[n(3)]
    UpdateActor,
    /// New tallies of a poll.
    #[n(4)]
    UpdateTally,
    /// An object or account is deleted.
    #[n(5)]
    Delete,
    /// An earlier activity is taken back.
    #[n(6)]
    Undo,
    /// A request to follow.
    #[n(7)]
    Follow,
    /// A follow is accepted.
    #[n(8)]
    Accept,
    /// A follow is rejected or a follower removed.
    #[n(9)]
    Reject,
    /// An account is blocked.
    #[n(10)]
    Block,
    /// A boost.
    #[n(11)]
    Announce,
    /// A like or reaction.
    #[n(12)]
    Like,
    /// An account moved.
    #[n(13)]
    Move,
    /// A report.
    #[n(14)]
    Flag,
    /// Anything else.
    #[n(15)]
    Other,
    /// Not an activity: a notification for an app.
    #[n(16)]
    Push,
    /// Not an activity: an event for a webhook.
    #[n(17)]
    Webhook,
    /// Not an activity: a mail.
    #[n(18)]
    Mail,
    /// Not an activity: something that somebody waits to see.
    #[n(19)]
    Glimpse,
}

impl ActivityKind {
    /// Its name for the admin.
    pub const fn name(self) -> &'static str {
        match self {
            ActivityKind::Internal => "internal",
            ActivityKind::Create => "create",
            ActivityKind::Update => "update",
            ActivityKind::UpdateActor => "update_actor",
            ActivityKind::UpdateTally => "update_tally",
            ActivityKind::Delete => "delete",
            ActivityKind::Undo => "undo",
            ActivityKind::Follow => "follow",
            ActivityKind::Accept => "accept",
            ActivityKind::Reject => "reject",
            ActivityKind::Block => "block",
            ActivityKind::Announce => "announce",
            ActivityKind::Like => "like",
            ActivityKind::Move => "move",
            ActivityKind::Flag => "flag",
            ActivityKind::Other => "other",
            ActivityKind::Push => "push",
            ActivityKind::Webhook => "webhook",
            ActivityKind::Mail => "mail",
            ActivityKind::Glimpse => "glimpse",
        }
    }

    /// Whether it is known by what it says, not by which work it is.
    pub const fn is_activity(self) -> bool {
        use ActivityKind::*;
        !matches!(self, Internal | Other | Push | Webhook | Mail | Glimpse)
    }

    /// How long after its creation it is still worth delivering.
    pub const fn ttl(self) -> Duration {
        use ActivityKind::*;
        match self {
            Delete | Undo | Move | Block | Accept | Reject | Flag | Follow => DAY.saturating_mul(7),
            Internal => DAY.saturating_mul(7),
            Create | Update | UpdateActor | Webhook | Other => DAY.saturating_mul(3),
            Announce | Like | Push | Mail => DAY,
            UpdateTally => HOUR.saturating_mul(6),
            Glimpse => HOUR,
        }
    }

    /// The lane it takes unless the caller knows better.
    pub const fn lane(self) -> Lane {
        use ActivityKind::*;
        match self {
            Internal | Undo | Follow | Accept | Reject | Block | Move | Flag | Mail => Lane::Interactive,
            Create | Announce | Update | Like | Delete | Push | Webhook | Glimpse => Lane::Fresh,
            UpdateActor | UpdateTally | Other => Lane::Bulk,
        }
    }

    /// Whether a destination that nobody can reach gets it only once it is
    /// back. Not what is between two people: it is rare, and none of it may
    /// be left out.
    pub const fn may_wait_in_log(self) -> bool {
        use ActivityKind::*;
        matches!(self, Create | Update | UpdateActor | UpdateTally | Delete | Undo | Announce | Other)
    }

    /// Whether an earlier, unfinished activity with the same order key need
    /// not be sent any more once this one is.
    pub fn supersedes(self, earlier: ActivityKind) -> bool {
        use ActivityKind::*;
        match self {
            Delete => true,
            // Not a Block: an Undo of the same pair may be that of a Follow.
            Undo => matches!(earlier, Follow | Like | Announce),
            Update | UpdateActor | UpdateTally => self == earlier,
            _ => false,
        }
    }
}

/// What is to be done, once for all the rows that point at it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Act {
    /// The work.
    #[n(0)]
    pub job: Job,
    /// What goes with it.
    #[n(1)]
    pub body: Body,
    /// The local account that acts ([`Id::ZERO`]: the server itself).
    #[n(2)]
    pub actor: Id,
    /// What it says.
    #[n(3)]
    pub kind: ActivityKind,
    /// What it must stay in order with.
    #[n(4)]
    pub order: OrderKey,
    /// When it was enqueued.
    #[n(5)]
    pub created_at: Timestamp,
    /// When it stops being worth doing.
    #[n(6)]
    pub expires_at: Timestamp,
    /// A later act made it pointless; its rows fall away unsent.
    #[n(7)]
    pub is_superseded: bool,
}

impl Record for Act {}

/// An unfinished act in the index of order keys.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct OrderedAct {
    /// What it says.
    #[n(0)]
    pub kind: ActivityKind,
    /// The lane its rows were put in.
    #[n(1)]
    pub lane: Lane,
}

impl Record for OrderedAct {}

/// One act for one inbox.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct JobRow {
    /// Whose fair share it counts to: the acting account, or a signer's host.
    #[n(0)]
    pub sender: Id,
    /// Copied from the act, so that scheduling reads no bodies.
    #[n(1)]
    pub order: OrderKey,
    /// Attempts that the job itself was blamed for.
    #[n(2)]
    pub attempts: u8,
    /// Attempts that panicked.
    #[n(3)]
    pub panics: u8,
    /// When it was enqueued.
    #[n(4)]
    pub created_at: Timestamp,
    /// When it stops being worth doing.
    #[n(5)]
    pub expires_at: Timestamp,
    /// Size of the body.
    #[n(6)]
    pub bytes: u32,
    /// The kind of work.
    #[n(7)]
    pub kind: JobKind,
}

impl Record for JobRow {}

/// What brings a local post to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Reach {
    /// The act.
    #[n(0)]
    pub act: Id,
    /// Inboxes it goes to.
    #[n(1)]
    pub total: u32,
    /// Servers that these are of.
    #[n(2)]
    pub servers: u32,
    /// Inboxes that get it only once their server is back.
    #[n(3)]
    pub asleep: u32,
}

impl Record for Reach {}

/// A job that waits for its retry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeferredRow {
    /// The job.
    #[n(0)]
    pub row: JobRow,
    /// The lane it goes back to.
    #[n(1)]
    pub lane: Lane,
}

impl Record for DeferredRow {}

/// One attempted, unfinished job in [`Held`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct HeldJob {
    /// Its act.
    #[n(0)]
    pub act: Id,
    /// Its inbox.
    #[n(1)]
    pub inbox: InboxId,
}

/// Jobs of one order key that were tried and are to be tried again: later
/// ones of the same key wait for them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Default)]
pub struct Held {
    /// The jobs, at most [`Held::MAX`].
    #[n(0)]
    pub jobs: Vec<HeldJob>,
}

impl Held {
    /// More are not remembered; the chain of one object is a handful.
    pub const MAX: usize = 64;

    /// Whether a job of `act` has to wait.
    pub fn blocks(&self, act: Id) -> bool {
        self.jobs.iter().any(|job| job.act < act)
    }
}

impl Record for Held {}

/// Why a job was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(index_only)]
pub enum DeadReason {
    /// The other side refused it for good.
    #[n(0)]
    Refused,
    /// All retries failed.
    #[n(1)]
    Exhausted,
    /// It took too long to be worth anything.
    #[n(2)]
    Expired,
    /// It made its handler panic twice.
    #[n(3)]
    Poison,
    /// The inbox is gone (410).
    #[n(4)]
    Gone,
}

impl DeadReason {
    /// All.
    pub const ALL: [DeadReason; 5] = [
        DeadReason::Refused,
        DeadReason::Exhausted,
        DeadReason::Expired,
        DeadReason::Poison,
        DeadReason::Gone,
    ];

    /// From its name.
    pub fn from_name(name: &str) -> Option<DeadReason> {
        DeadReason::ALL.into_iter().find(|reason| reason.name() == name)
    }

    /// Its name in metrics and for the admin.
    pub const fn name(self) -> &'static str {
        match self {
            DeadReason::Refused => "refused",
            DeadReason::Exhausted => "exhausted",
            DeadReason::Expired => "expired",
            DeadReason::Poison => "poison",
            DeadReason::Gone => "gone",
        }
    }
}

/// A job that was given up, kept for 14 days.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeadRow {
    /// The job.
    #[n(0)]
    pub row: JobRow,
    /// The lane it was in.
    #[n(1)]
    pub lane: Lane,
    /// Why.
    #[n(2)]
    pub reason: DeadReason,
    /// The last HTTP status, 0 if there was none.
    #[n(3)]
    pub http_status: u16,
    /// What went wrong, at most [`DeadRow::ERROR_MAX_BYTES`].
    #[n(4)]
    pub error: String,
}

impl DeadRow {
    /// Longest kept error text.
    pub const ERROR_MAX_BYTES: usize = 256;
}

impl Record for DeadRow {}
