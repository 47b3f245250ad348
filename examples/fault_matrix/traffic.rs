//! An even stream of posts to random peers.

use std::time::{Duration, Instant};

use waxwing::base::Chance;
use waxwing::model::queue::ActivityKind;

use crate::Failure;
use crate::scale::Scale;
use crate::world::World;

/// So many posts a second, each to so many of the peers below `peers`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Traffic {
    pub(crate) posts_per_s: f64,
    pub(crate) peers_per_post: usize,
    pub(crate) peers: u32,
}

impl Traffic {
    pub(crate) fn of(scale: &Scale) -> Traffic {
        Traffic { posts_per_s: scale.posts_per_s, peers_per_post: scale.peers_per_post, peers: scale.peers }
    }

    /// Flows for a while; gives how many deliveries it made.
    pub(crate) async fn flow(&self, world: &World, span: Duration) -> Result<usize, Failure> {
        let (begun, mut posts, mut rows) = (Instant::now(), 0u32, 0);
        while begun.elapsed() < span {
            let due = begun + Duration::from_secs_f64(f64::from(posts) / self.posts_per_s);
            tokio::time::sleep_until(due.into()).await;
            let peers = self.some_peers(world);
            rows += peers.len();
            let sender = world.chance.below(world.people.len() as u64) as usize;
            world.tell(sender, ActivityKind::Create, &peers).await?;
            posts += 1;
        }
        Ok(rows)
    }

    /// Different ones.
    pub(crate) fn some_peers(&self, world: &World) -> Vec<u32> {
        let mut peers: Vec<u32> =
            (0..self.peers_per_post).map(|_| world.chance.below(u64::from(self.peers)) as u32).collect();
        peers.sort_unstable();
        peers.dedup();
        peers
    }
}
