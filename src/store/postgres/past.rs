//! What a reading transaction asked so far and what it was told, by which it
//! can go on on another connection: where the same questions get the same
//! answers, it is as if it had begun there.

use std::hash::{BuildHasher, Hash, RandomState};

use crate::store::backend::RawRange;

/// Questions that are remembered; a transaction of more cannot go on.
const QUESTIONS_MAX: usize = 64;

/// What may be asked.
pub(super) enum Question {
    /// Rows at keys, each of a table.
    Keys(Vec<(&'static str, Vec<u8>)>),
    /// Rows of a range of a table.
    Range(&'static str, RawRange),
}

/// All that was asked, each with the digest of its answer.
#[derive(Default)]
pub(super) struct Past {
    asked: Vec<(Question, u64)>,
    is_too_long: bool,
    /// Keyed by chance, so that nobody writes two rows of one digest.
    digests: RandomState,
}

impl Past {
    /// Remembers a question and its answer.
    pub(super) fn note(&mut self, question: Question, answer: &impl Hash) {
        if self.is_too_long || self.asked.len() >= QUESTIONS_MAX {
            return self.forget();
        }
        let digest = self.digest(answer);
        self.asked.push((question, digest));
    }

    /// From now on the transaction cannot go on elsewhere.
    pub(super) fn forget(&mut self) {
        self.is_too_long = true;
        self.asked = Vec::new();
    }

    pub(super) fn digest(&self, answer: &impl Hash) -> u64 {
        self.digests.hash_one(answer)
    }

    /// What was asked; `None` if it was too much to remember.
    pub(super) fn asked(&self) -> Option<&[(Question, u64)]> {
        (!self.is_too_long).then_some(&*self.asked)
    }
}
