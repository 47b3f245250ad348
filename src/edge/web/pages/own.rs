//! Pages on which people order what they see: lists, requests, filters,
//! whom they mute and block.

use askama::Template;

use super::super::view::{
    Faults, MediaKind, MediaView, PersonRow, PostView, QuoteLeave, RegistrationWords, RowActs, Shell, Theme,
    VisibilityWords, When,
};
use super::super::{assets, ui};
use super::Empty;
use crate::model::Visibility;

/// A list of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// Which answers it shows: a word of [`REPLIES`].
    pub replies: &'static str,
    /// Posts of its members stay out of the home page.
    pub is_exclusive: bool,
    /// Of one account's lists: it is on this one.
    pub has: bool,
}

/// Which answers a list shows: the API's words, and those for people.
pub const REPLIES: [(&str, &str); 3] =
    [("list", "To others on the list"), ("followed", "To anyone I follow"), ("none", "None")];

/// All lists, and a form for another.
#[derive(Template)]
#[template(path = "lists.html")]
pub struct ListsPage {
    /// The frame.
    pub shell: Shell,
    /// Oldest first.
    pub lists: Vec<ListView>,
    /// The form for a new one.
    pub form: ListView,
    /// What is wrong with it.
    pub faults: Faults,
}

/// Changing a list, and who is on it.
#[derive(Template)]
#[template(path = "list_edit.html")]
pub struct ListPage {
    /// The frame.
    pub shell: Shell,
    /// The list, as typed.
    pub form: ListView,
    /// Who is on it, latest first.
    pub people: Vec<PersonRow>,
    /// Address of the page after.
    pub older: Option<String>,
    /// Whom they wanted to add, as typed.
    pub typed: String,
    /// What is wrong.
    pub faults: Faults,
}

/// On which lists somebody is.
#[derive(Template)]
#[template(path = "person_lists.html")]
pub struct PersonListsPage {
    /// The frame.
    pub shell: Shell,
    /// Who.
    pub row: PersonRow,
    /// All lists of the reader.
    pub lists: Vec<ListView>,
    /// The reader follows them, as it must be.
    pub is_followed: bool,
}

/// Somebody whose words are held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestView {
    /// The request's id.
    pub id: String,
    /// Who.
    pub row: PersonRow,
    /// How many of their notifications wait.
    pub count: u32,
    /// The latest thing they said.
    pub post: Option<PostView>,
}

/// People whose words are held back.
#[derive(Template)]
#[template(path = "requests.html")]
pub struct RequestsPage {
    /// The frame.
    pub shell: Shell,
    /// Latest first.
    pub requests: Vec<RequestView>,
    /// Address of the page after.
    pub older: Option<String>,
    /// For an empty list.
    pub empty: Empty,
}

/// One rule of the policy for notifications.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleView {
    /// Names it in the form.
    pub name: &'static str,
    /// Whom it is about.
    pub about: &'static str,
    /// What becomes of what they do: `accept`, `filter` or `drop`.
    pub answer: &'static str,
}

/// What a rule may say: the API's words, and those for people.
pub const ANSWERS: [(&str, &str); 3] =
    [("accept", "Tell me"), ("filter", "Keep with the requests"), ("drop", "Ignore")];

/// From whom the reader wants to hear.
#[derive(Template)]
#[template(path = "settings_notifications.html")]
pub struct PolicyPage {
    /// The frame.
    pub shell: Shell,
    /// The rules.
    pub rules: Vec<RuleView>,
}

/// How long a mute may last: seconds and words.
pub const MUTE_LASTS: [(u64, &str); 7] = [
    (300, "5 minutes"),
    (1_800, "30 minutes"),
    (3_600, "1 hour"),
    (21_600, "6 hours"),
    (86_400, "1 day"),
    (259_200, "3 days"),
    (604_800, "7 days"),
];

/// Before somebody is muted.
#[derive(Template)]
#[template(path = "mute.html")]
pub struct MutePage {
    /// The frame.
    pub shell: Shell,
    /// Who.
    pub row: PersonRow,
}

/// Servers that the reader blocks.
#[derive(Template)]
#[template(path = "settings_servers.html")]
pub struct ServersPage {
    /// The frame.
    pub shell: Shell,
    /// Their domains, latest first.
    pub domains: Vec<String>,
    /// Address of the page after.
    pub older: Option<String>,
    /// The domain as typed.
    pub typed: String,
    /// What is wrong with it.
    pub faults: Faults,
}

/// A post that waits for its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledView {
    /// Its id.
    pub id: String,
    /// When it will be published.
    pub at: When,
    /// That time in the field, or what was typed instead.
    pub typed: String,
    /// What is wrong with what was typed.
    pub fault: Option<String>,
    /// The text as typed.
    pub text: String,
    /// Content warning.
    pub spoiler: String,
    /// Who will see it.
    pub visibility: Visibility,
    /// Attached files.
    pub media: Vec<MediaView>,
    /// Answers of its poll.
    pub options: Vec<String>,
    /// It answers a post.
    pub is_reply: bool,
    /// It quotes a post.
    pub is_quote: bool,
}

/// Posts that wait for their time.
#[derive(Template)]
#[template(path = "scheduled.html")]
pub struct ScheduledPage {
    /// The frame.
    pub shell: Shell,
    /// Latest written first.
    pub posts: Vec<ScheduledView>,
    /// Address of the page after.
    pub older: Option<String>,
    /// For an empty list.
    pub empty: Empty,
}
