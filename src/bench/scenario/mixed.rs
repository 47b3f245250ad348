//! A day in two minutes: mostly reading, some writing, a few who log in, and
//! in the evening something that everybody comes for.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::media::Media;
use super::{Play, browse, login, post};
use crate::base::Problem;
use crate::bench::load::{Call, Course, Work};
use crate::bench::stage::Stage;
use crate::bench::tally::{Flaw, Kind};

pub(super) const KINDS: &[Kind] = &[
    Kind::main("home"),
    Kind::main("thread"),
    Kind::main("profile"),
    Kind::main("notifications"),
    Kind::main("post"),
    Kind::main("picture"),
    Kind::main("login"),
];
/// Of a thousand requests so many are posts, pictures and logins; the rest is
/// reading.
const POSTS: u64 = 40;
const PICTURES: u64 = 150;
const LOGINS: u64 = 2;

/// All at once.
pub struct Mixed {
    stage: Stage,
    media: Arc<Media>,
}

impl Mixed {
    /// On a stage, with pictures to look at.
    pub fn new(stage: Stage, media: Arc<Media>) -> Mixed {
        Mixed { stage, media }
    }
}

impl Work for Mixed {
    fn kinds(&self) -> &'static [Kind] {
        KINDS
    }

    fn choose(&self, dice: u64) -> usize {
        match dice % 1000 {
            point if point < POSTS => 4,
            point if point < POSTS + PICTURES => 5,
            point if point < POSTS + PICTURES + LOGINS => 6,
            _ => browse::choose(dice / 1000),
        }
    }

    fn act(self: Arc<Self>, call: Call) -> BoxFuture<'static, Result<(), Flaw>> {
        Box::pin(async move {
            match call.kind {
                4 => post::write(&self.stage, call).await,
                5 => self.media.read(call).await,
                6 => login::log_in(&self.stage, call).await,
                _ => browse::read(&self.stage, call).await,
            }
        })
    }
}

impl Play for Mixed {
    fn prepare<'a>(&'a self, _course: &'a Course) -> BoxFuture<'a, Result<(), Problem>> {
        Box::pin(self.media.furnish_all())
    }

    fn work(self: Arc<Self>) -> Arc<dyn Work> {
        self
    }
}
