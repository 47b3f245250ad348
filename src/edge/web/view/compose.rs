//! A post being written: what was typed and chosen so far.

use super::{Faults, MediaView, PostView};
use crate::base::limits::{MEDIA_PER_STATUS_MAX, POLL_OPTIONS};
use crate::model::{NewPoll, Visibility};

/// A post being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComposeForm {
    /// The text so far.
    pub text: String,
    /// Content warning so far.
    pub spoiler: String,
    /// Who will see it.
    pub visibility: Visibility,
    /// Language code; empty for none.
    pub language: String,
    /// Id of the post it answers; empty for none.
    pub reply_to: String,
    /// Makes sending the same form twice post once.
    pub key: String,
    /// Attached files are covered until asked for.
    pub is_sensitive: bool,
    /// Files that were sent before and wait for the post.
    pub attached: Vec<AttachedFile>,
    /// The poll so far.
    pub poll: PollForm,
    /// Of an edit: the post has a poll, which stays or is taken out.
    pub has_poll: bool,
    /// Id of the post that is edited; empty for a new one.
    pub edits: String,
    /// When it is to be published, as typed; empty for at once.
    pub later: String,
    /// The post it quotes.
    pub quoted: Option<Box<PostView>>,
    /// Who may quote it: a word of [`QUOTE_POLICIES`].
    pub quote_policy: String,
    /// What is wrong.
    pub faults: Faults,
    /// Most characters.
    pub characters_max: usize,
}

/// A file that waits for the post that is to show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachedFile {
    /// Its id.
    pub id: String,
    /// What it looks like.
    pub shown: MediaView,
}

/// Who may quote a post: the API's words, and those for people.
pub const QUOTE_POLICIES: [(&str, &str); 3] =
    [("public", "Anyone may quote"), ("followers", "Followers may quote"), ("nobody", "Only I may quote")];

impl ComposeForm {
    /// What it is, for its label and button.
    pub fn purpose(&self) -> &'static str {
        match (&self.quoted, self.reply_to.as_str()) {
            (Some(_), _) => "Quote",
            (None, "") => "Post",
            (None, _) => "Reply",
        }
    }

    /// Where it is sent.
    pub fn action(&self) -> String {
        if self.edits.is_empty() { "/compose".to_owned() } else { format!("/posts/{}/edit", self.edits) }
    }

    /// What its button says.
    pub fn button(&self) -> &'static str {
        if self.edits.is_empty() { self.purpose() } else { "Save" }
    }

    /// Numbers of the files that may still be added.
    pub fn free(&self) -> std::ops::RangeInclusive<usize> {
        self.attached.len() + 1..=MEDIA_PER_STATUS_MAX
    }

    /// What a browser offers to choose.
    pub fn accepted(&self) -> &'static str {
        "image/jpeg,image/png,image/gif,image/webp,video/*,audio/*"
    }

    /// Characters that are left, counted simply; the exact count is made
    /// when it is sent, and by the page's script.
    pub fn left(&self) -> i64 {
        self.characters_max as i64 - (self.text.chars().count() + self.spoiler.chars().count()) as i64
    }
}

/// How long polls may run: seconds and words.
pub const POLL_LENGTHS: [(u64, &str); 9] = [
    (300, "5 minutes"),
    (1_800, "30 minutes"),
    (3_600, "1 hour"),
    (21_600, "6 hours"),
    (43_200, "12 hours"),
    (86_400, "1 day"),
    (259_200, "3 days"),
    (604_800, "7 days"),
    (2_592_000, "30 days"),
];
/// What is chosen at first: a day.
const POLL_RUNS_S: u64 = 86_400;

/// A poll being written. It is none until one of its answers has a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollForm {
    /// Places for answers, at least as many as there may be; may be empty.
    pub options: Vec<String>,
    /// How long it runs, in seconds.
    pub runs_s: u64,
    /// Several answers may be chosen.
    pub is_multiple: bool,
    /// Votes are not shown before it ends.
    pub hides_totals: bool,
}

impl Default for PollForm {
    fn default() -> PollForm {
        let options = vec![String::new(); POLL_OPTIONS.1];
        PollForm { options, runs_s: POLL_RUNS_S, is_multiple: false, hides_totals: false }
    }
}

impl PollForm {
    /// Whether somebody began one.
    pub fn is_begun(&self) -> bool {
        self.options.iter().any(|option| !option.trim().is_empty())
    }

    /// As it is to be asked. Empty places are left out.
    pub fn asked(&self) -> Option<NewPoll> {
        let filled = self.options.iter().map(|option| option.trim()).filter(|option| !option.is_empty());
        self.is_begun().then(|| NewPoll {
            options: filled.map(str::to_owned).collect(),
            expires_in_s: self.runs_s,
            multiple: self.is_multiple,
            hide_totals: self.hides_totals,
        })
    }
}
