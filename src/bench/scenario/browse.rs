//! People read.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::Play;
use crate::bench::client::Ask;
use crate::bench::load::{Call, Work};
use crate::bench::stage::Stage;
use crate::bench::tally::{Flaw, Kind};

/// What is asked, and how many of a hundred requests are that: what the
/// official apps ask of a server is mostly the home timeline.
const MIX: [(&str, u64); 4] = [("home", 50), ("thread", 20), ("profile", 15), ("notifications", 15)];
pub(super) const KINDS: &[Kind] =
    &[Kind::main(MIX[0].0), Kind::main(MIX[1].0), Kind::main(MIX[2].0), Kind::main(MIX[3].0)];

/// Reads as many people do.
pub struct Browse(pub Stage);

/// Which kind it is, given a random number.
pub(super) fn choose(dice: u64) -> usize {
    let mut point = dice % 100;
    for (kind, (_, share)) in MIX.iter().enumerate() {
        if point < *share {
            return kind;
        }
        point -= share;
    }
    0
}

impl Work for Browse {
    fn kinds(&self) -> &'static [Kind] {
        KINDS
    }

    fn choose(&self, dice: u64) -> usize {
        choose(dice)
    }

    fn act(self: Arc<Self>, call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
        Box::pin(async move { read(&self.0, call).await })
    }
}

/// One request of a reader.
pub(super) async fn read(stage: &Stage, call: Call) -> Result<(), Flaw> {
    let reader = call.one_of(&stage.people).ok_or(Flaw::Wrong("nobody to read"))?;
    // Whose profile and which post is another throw than who reads.
    let again = Call { dice: call.dice.wrapping_mul(0x9e37_79b9_7f4a_7c15), ..call };
    let path = match call.kind {
        0 => "/api/v1/timelines/home".to_owned(),
        1 => {
            let post = again.one_of(&stage.statuses).ok_or(Flaw::Wrong("no post to read"))?;
            format!("/api/v1/statuses/{}/context", post.id)
        }
        2 => {
            let whose = again.one_of(&stage.people).unwrap_or(reader);
            format!("/api/v1/accounts/{}/statuses", whose.id)
        }
        _ => "/api/v1/notifications".to_owned(),
    };
    let answer = stage.client.send(&Ask::get(path).by(&reader.token)).await?.good()?;
    match answer.body.first() {
        Some(b'[' | b'{') => Ok(()),
        _ => Err(Flaw::Wrong("not JSON")),
    }
}

impl Play for Browse {
    fn work(self: Arc<Self>) -> Arc<dyn Work> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_as_it_is_said() {
        assert_eq!(MIX.iter().map(|(_, share)| share).sum::<u64>(), 100);
        for (kind, (_, share)) in MIX.iter().enumerate() {
            assert_eq!((0..100).filter(|dice| choose(*dice) == kind).count() as u64, *share);
        }
    }
}
