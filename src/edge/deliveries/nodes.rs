//! What of the queue is seen from several nodes: each says how busy its own
//! is, and each destination is another one's.

use super::entities::{DeliveryDestination, DeliveryExplanation, DeliveryNode};
use crate::base::Timestamp;
use crate::cluster::{Outlook, Seen};
use crate::queue::Totals;

/// The queues of all nodes that are there; none where the store is ours alone.
/// Ours as it is now, the others' as they said it a few seconds ago.
pub(super) fn queues(outlook: &Outlook, totals: &Totals) -> Vec<DeliveryNode> {
    let ours = outlook.nodes.iter().filter(|seen| seen.is_me).map(|seen| DeliveryNode {
        node: seen.number,
        is_me: true,
        in_flight: totals.inflight,
        slots: totals.slots,
        network_down_since: totals.network_down_since.map(Timestamp::rfc3339),
    });
    let others = outlook.others().map(|(node, load)| DeliveryNode {
        node,
        is_me: false,
        in_flight: load.deliveries.into(),
        slots: load.delivery_slots.into(),
        network_down_since: load.network_down_since.map(Timestamp::rfc3339),
    });
    let mut nodes: Vec<DeliveryNode> = ours.chain(others).collect();
    nodes.sort_by_key(|node| node.node);
    nodes
}

/// What is wrong with queues of others; with ours, the totals say it.
pub(super) fn alerts(nodes: &[DeliveryNode]) -> impl Iterator<Item = String> + '_ {
    let others = nodes.iter().filter(|node| !node.is_me);
    others.filter_map(|node| {
        let since = node.network_down_since.as_ref()?;
        Some(format!("Node {} can reach nobody since {since}: its own network is down.", node.node))
    })
}

/// What only the node knows that sends there is not made up.
pub(super) fn sent_by(mut one: DeliveryDestination, sender: Option<&Seen>) -> DeliveryDestination {
    one.node = sender.map(|seen| seen.number);
    if sender.is_some_and(|seen| !seen.is_me) {
        one.in_flight = None;
    }
    one
}

/// Why a job waits at another node.
pub(super) fn known_elsewhere(node: u8) -> DeliveryExplanation {
    DeliveryExplanation {
        rule: "elsewhere".to_owned(),
        words: format!(
            "It is node {node} that sends there, and what keeps this job only its own queue knows."
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::cluster::Life;
    use crate::model::{Holdings, Node, NodeLoad, NodeState};

    fn seen(number: u8, life: Life, in_flight: u32) -> Seen {
        let network_down_since = (in_flight == 9).then(|| Timestamp::from_secs(1_764_000_000));
        let load = NodeLoad {
            deliveries: in_flight,
            delivery_slots: 256,
            network_down_since,
            ..NodeLoad::default()
        };
        let row = Node { boot: u64::from(number) + 1, state: NodeState::Running, load, ..Node::default() };
        Seen { number, row, life, changed: Duration::ZERO, is_me: number == 1 }
    }

    fn outlook() -> Outlook {
        let mut held = Holdings::default();
        for shard in 0..9 {
            held.give(shard, u64::from(shard % 4));
        }
        let nodes = vec![seen(0, Life::Alive, 9), seen(1, Life::Alive, 0), seen(2, Life::Gone, 5)];
        Outlook { looked: Some(Duration::ZERO), nodes: nodes.into(), held: Arc::new(held) }
    }

    #[test]
    fn the_queues_of_all_that_are_there_add_up() {
        let totals = Totals { is_running: true, inflight: 4, slots: 256, ..Totals::default() };
        let nodes = queues(&outlook(), &totals);
        let told: Vec<_> = nodes.iter().map(|node| (node.node, node.is_me, node.in_flight)).collect();
        assert_eq!(told, [(0, false, 9), (1, true, 4)], "who is gone sends nothing");
        let alerts: Vec<String> = alerts(&nodes).collect();
        assert!(alerts.len() == 1 && alerts[0].starts_with("Node 0 can reach nobody since 2025-11-24"));
        assert_eq!(queues(&Outlook::default(), &totals), []);
    }

    #[test]
    fn each_destination_has_one_node_that_sends_there() {
        let outlook = outlook();
        let sender = |id| outlook.sender(id).map(|seen| (seen.number, seen.is_me));
        // Nobody; node 0; we; a node that is gone.
        assert_eq!([0, 1, 2, 3].map(sender), [None, Some((0, false)), Some((1, true)), None]);
    }
}
