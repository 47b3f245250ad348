//! From whom somebody wants to hear. The rules are Mastodon's (its
//! `NotifyService`): the policy decides about what others do to somebody, not
//! about the server's own news; one refusal is enough; whom its owner once
//! accepted is always heard.

use std::time::Duration;

use crate::base::{Id, Timestamp};
use crate::model::tables::NOTIFICATION_POLICY;
use crate::model::{
    Account, NotificationKind, NotificationPolicy, PolicyAnswer, Relation, Status, Visibility,
};
use crate::store::{ReadTx, StoreError, WriteTx};

/// An account is new for so long.
const NEW_ACCOUNT_FOR: Duration = Duration::from_secs(30 * 24 * 3600);
/// A follower counts as none for so long, so that following is no way in.
const NEW_FOLLOWER_FOR: Duration = Duration::from_secs(3 * 24 * 3600);

/// What the policy decides by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) kind: NotificationKind,
    /// Who is to hear.
    pub(super) to: Id,
    /// From the hearer to the other.
    pub(super) there: &'a Relation,
    /// From the other to the hearer.
    pub(super) back: &'a Relation,
    /// The other.
    pub(super) from: &'a Account,
    /// The post it is about.
    pub(super) status: Option<&'a Status>,
}

/// What becomes of a notification: the strictest of what each rule says.
pub(super) fn answer(policy: &NotificationPolicy, facts: &Facts<'_>, now: Timestamp) -> PolicyAnswer {
    if !facts.kind.is_policed() {
        return PolicyAnswer::Accept;
    }
    let is_followed = facts.there.follow.is_some();
    let is_follower =
        facts.back.follow.as_ref().is_some_and(|follow| now.since(follow.since) >= NEW_FOLLOWER_FOR);
    let is_new = now.since(facts.from.created_at) < NEW_ACCOUNT_FOR;
    let rules = [
        (policy.not_following, !is_followed),
        (policy.not_followers, !is_follower),
        (policy.new_accounts, is_new && !is_followed),
        (policy.private_mentions, is_unasked(facts) && !is_followed),
        (policy.limited_accounts, facts.from.is_limited() && !is_followed),
        (policy.bots, facts.from.is_bot() && !is_followed),
    ];
    let said = |wanted| rules.iter().any(|(answer, applies)| *applies && *answer == wanted);
    match () {
        () if said(PolicyAnswer::Drop) => PolicyAnswer::Drop,
        () if said(PolicyAnswer::Filter) => PolicyAnswer::Filter,
        () => PolicyAnswer::Accept,
    }
}

/// Whether it is a direct post that answers nothing of the hearer's.
fn is_unasked(facts: &Facts<'_>) -> bool {
    facts.kind == NotificationKind::Mention
        && facts.status.is_some_and(|status| {
            status.visibility == Visibility::Direct && status.in_reply_to_account != Some(facts.to)
        })
}

/// The policy of somebody.
///
/// # Errors
/// Only the store's.
pub fn policy(tx: &ReadTx<'_>, owner: Id) -> Result<NotificationPolicy, StoreError> {
    Ok(tx.get(NOTIFICATION_POLICY, &owner)?.unwrap_or_default())
}

/// Changes the policy of somebody. What is held back already stays so.
///
/// # Errors
/// Only the store's.
pub fn set_policy(
    tx: &mut WriteTx<'_>,
    owner: Id,
    change: impl FnOnce(&mut NotificationPolicy),
) -> Result<NotificationPolicy, StoreError> {
    let mut policy = policy(tx, owner)?;
    change(&mut policy);
    tx.put(NOTIFICATION_POLICY, &owner, &policy);
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ActorKind, Follow};

    const NOW: Timestamp = Timestamp::from_millis(1_764_000_000_000);
    const HEARER: Id = Id(1);

    /// The policy whose one rule filters, and nothing else does.
    fn one(rule: impl Fn(&mut NotificationPolicy, PolicyAnswer)) -> NotificationPolicy {
        let (private_mentions, limited_accounts) = (PolicyAnswer::Accept, PolicyAnswer::Accept);
        let mut policy = NotificationPolicy { private_mentions, limited_accounts, ..Default::default() };
        rule(&mut policy, PolicyAnswer::Filter);
        policy
    }

    fn follow(days_ago: u64) -> Relation {
        let follow = Follow {
            id: Id(9),
            uri: String::new(),
            show_reblogs: true,
            notify: false,
            since: NOW.minus(Duration::from_secs(days_ago * 24 * 3600)),
            languages: Vec::new(),
        };
        Relation { follow: Some(follow), ..Relation::default() }
    }

    fn is_held(policy: &NotificationPolicy, facts: Facts<'_>) -> bool {
        answer(policy, &facts, NOW) == PolicyAnswer::Filter
    }

    #[test]
    fn each_rule_holds_back_whom_it_is_about() {
        let (followed, follower, fresh) = (follow(9), follow(9), follow(2));
        let young = Account { created_at: NOW.minus(Duration::from_secs(3600)), ..Account::default() };
        let limited = Account { silenced_at: Some(NOW), ..Account::default() };
        let bot = Account { kind: ActorKind::Service, ..Account::default() };
        let direct = Status { visibility: Visibility::Direct, ..Status::default() };
        let reply = Status { in_reply_to_account: Some(HEARER), ..direct.clone() };
        let open = Status::default();
        let (nothing, old) = (Relation::default(), Account { id: Id(2), ..Account::default() });
        let kind = NotificationKind::Mention;
        let base = Facts { kind, to: HEARER, there: &nothing, back: &nothing, from: &old, status: None };

        let rule = one(|policy, to| policy.not_following = to);
        assert!(is_held(&rule, base));
        assert!(is_held(&rule, Facts { back: &follower, ..base }));
        assert!(!is_held(&rule, Facts { there: &followed, ..base }));
        assert!(!is_held(&rule, Facts { kind: NotificationKind::Poll, ..base }), "the server's own news");
        let rule = one(|policy, to| policy.not_followers = to);
        assert!(is_held(&rule, Facts { there: &followed, ..base }));
        assert!(is_held(&rule, Facts { back: &fresh, ..base }), "following is no way in");
        assert!(!is_held(&rule, Facts { back: &follower, ..base }));
        let rule = one(|policy, to| policy.new_accounts = to);
        assert!(is_held(&rule, Facts { from: &young, ..base }));
        assert!(!is_held(&rule, base));
        assert!(!is_held(&rule, Facts { from: &young, there: &followed, ..base }));
        let rule = one(|policy, to| policy.private_mentions = to);
        assert!(is_held(&rule, Facts { status: Some(&direct), ..base }));
        assert!(!is_held(&rule, Facts { status: Some(&reply), ..base }));
        assert!(!is_held(&rule, Facts { status: Some(&open), ..base }));
        assert!(!is_held(&rule, Facts { status: Some(&direct), there: &followed, ..base }));
        let rule = one(|policy, to| policy.limited_accounts = to);
        assert!(is_held(&rule, Facts { from: &limited, ..base }));
        assert!(!is_held(&rule, base));
        let rule = one(|policy, to| policy.bots = to);
        assert!(is_held(&rule, Facts { from: &bot, ..base }));
        assert!(!is_held(&rule, base));
    }

    #[test]
    fn the_strictest_rule_wins() {
        let policy = NotificationPolicy {
            not_following: PolicyAnswer::Filter,
            not_followers: PolicyAnswer::Drop,
            ..NotificationPolicy::default()
        };
        let (nothing, from) = (Relation::default(), Account::default());
        let kind = NotificationKind::Favourite;
        let facts = Facts { kind, to: HEARER, there: &nothing, back: &nothing, from: &from, status: None };
        assert_eq!(answer(&policy, &facts, NOW), PolicyAnswer::Drop);
    }
}
