//! HTTP/2, on either side. Both sides are translated to and from the text of
//! HTTP/1.1, which is read as strictly as any: there is one place where a
//! message is understood, and none where two could differ (RFC 9113 §8.2.1,
//! §10.3).

mod answer;
mod serve;
mod spoken;
mod switch;

pub use answer::AnswerBody;
pub(super) use serve::serve;
pub use serve::{Caller, forward};
pub(super) use spoken::{Shared, Spoken};
