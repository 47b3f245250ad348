//! The queue's tables. Names and key shapes are for ever.

use super::{
    Act, Asleep, DeadKey, DeadRow, DeferKey, DeferredRow, Destination, DestinationId, Held, History,
    HourStep, Inbox, InboxId, InboxRef, JobKey, JobRow, Logged, OrderKey, OrderedAct, Reach, Steering,
};
use crate::base::{Id, Timestamp};
use crate::store::{Counter, Record, Table};

/// What is to be done, by act id.
pub const ACT: Table<Id, Act> = Table::new("act");
/// Unfinished acts of an order key.
pub const ACT_BY_ORDER: Table<(OrderKey, Id), OrderedAct> = Table::new("act_by_order");
/// How many rows (ready, deferred, dead) point at an act.
pub const ACT_ROWS: Counter<Id> = Counter::new("act_rows");
/// Jobs that are ready, first in first out within destination and lane.
pub const JOB: Table<JobKey, JobRow> = Table::new("job");
/// Jobs that wait for their retry, the next one first.
pub const DEFERRED: Table<DeferKey, DeferredRow> = Table::new("deferred");
/// How many of them each destination has.
pub const DEFERRED_AT: Counter<DestinationId> = Counter::new("deferred_at");
/// Tried and unfinished jobs by destination and order key.
pub const HELD: Table<(DestinationId, OrderKey), Held> = Table::new("held");
/// Jobs that were given up.
pub const DEAD: Table<DeadKey, DeadRow> = Table::new("dead");
/// The same by time, so that the oldest go first.
pub const DEAD_BY_TIME: Table<(Timestamp, DestinationId, Id, InboxId), ()> = Table::new("dead_by_time");
/// The same by act, so that one finds which hosts did not get a post.
pub const DEAD_BY_ACT: Table<(Id, DestinationId, Timestamp, InboxId), ()> = Table::new("dead_by_act");
/// Which act brings a local post to others, by the post's order key.
pub const REACH: Table<OrderKey, Reach> = Table::new("reach");
/// Rows of an act in [`REACH`] that fell away without being sent.
pub const UNSENT: Counter<OrderKey> = Counter::new("reach_unsent");

/// Places that jobs go to.
pub const DESTINATION: Table<DestinationId, Destination> = Table::new("destination");
/// Destinations by class and authority.
pub const DESTINATION_BY_HOST: Table<(u8, String), DestinationId> = Table::new("destination_by_host");
/// How many people of a host (with its port, unless usual) follow people here.
pub const FOLLOWS_BY_HOST: Counter<String> = Counter::new("follows_by_host");
/// What the admin decided about destinations; few have a row.
pub const STEERING: Table<DestinationId, Steering> = Table::new("destination_steering");
/// What happened at destinations that were in trouble.
pub const HISTORY: Table<DestinationId, History> = Table::new("destination_history");
/// Destinations that are dormant or dead.
pub const ASLEEP: Table<DestinationId, Asleep> = Table::new("destination_asleep");
/// Acts that were left out at destinations that were asleep.
pub const LOGGED: Table<Id, Logged> = Table::new("act_logged");
/// The same by the time they stop being worth sending.
pub const LOGGED_BY_EXPIRY: Table<(Timestamp, Id), ()> = Table::new("act_logged_by_expiry");
/// Inboxes by number.
pub const INBOX: Table<InboxId, Inbox> = Table::new("inbox");
/// Inboxes by URL.
pub const INBOX_BY_URL: Table<String, InboxRef> = Table::new("inbox_by_url");
/// Inboxes of a destination; those written by older versions are not in it.
pub const INBOX_BY_DESTINATION: Table<(DestinationId, InboxId), ()> = Table::new("inbox_by_destination");
/// The last number given out: see [`sequence`].
pub const SEQUENCE: Table<u8, Sequence> = Table::new("queue_sequence");

/// Activities seen lately, by the first half of the SHA-256 of their id, with
/// the day (since 1970) they were seen on.
pub const SEEN: Table<[u8; 16], SeenOn> = Table::new("activity_seen");
/// The same by day, so that old ones are found.
pub const SEEN_BY_DAY: Table<(u32, [u8; 16]), ()> = Table::new("activity_seen_by_day");

/// What local accounts sent in the last minute, so that one that floods takes
/// the slow lane.
pub const SENDER: Table<Id, SenderRate> = Table::new("queue_sender");

/// What each node's queue did in the last hour, where several share a store,
/// by node number and place in a ring of steps.
pub const HOUR: Table<(u8, u32), HourStep> = Table::new("queue_hour");

/// How many rows there are: see [`rows`].
pub const ROWS: Counter<u8> = Counter::new("queue_rows");

/// Keys of [`ROWS`]; the lanes' own numbers are those of ready jobs.
pub mod rows {
    /// Deferred jobs.
    pub const DEFERRED: u8 = 3;
    /// Dead letters.
    pub const DEAD: u8 = 4;
    /// Acts that were left out somewhere.
    pub const LOGGED: u8 = 5;
}

/// Keys of [`SEQUENCE`].
pub mod sequence {
    /// Destinations.
    pub const DESTINATION: u8 = 0;
    /// Inboxes.
    pub const INBOX: u8 = 1;
    /// Subscriptions of Web Push.
    pub const PUSH: u8 = 2;
}

/// The last number given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
pub struct Sequence {
    /// The number.
    #[n(0)]
    pub last: u32,
}

impl Record for Sequence {}

/// The day an activity was seen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, minicbor::Encode, minicbor::Decode)]
pub struct SeenOn {
    /// Days since 1970.
    #[n(0)]
    pub day: u32,
}

impl Record for SeenOn {}

/// What an account sent lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, minicbor::Encode, minicbor::Decode)]
pub struct SenderRate {
    /// Minutes since 1970.
    #[n(0)]
    pub minute: u32,
    /// Rows enqueued in that minute.
    #[n(1)]
    pub rows: u32,
}

impl Record for SenderRate {}
