//! People: the line beside a post, and the whole profile.

use super::When;

/// One account as a line: picture, name, address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonView {
    /// The account's id.
    pub id: String,
    /// Display name, or the username where there is none.
    pub name: String,
    /// The same as HTML, with pictures for custom emojis.
    pub name_html: String,
    /// `ana` here, `ana@other.example` elsewhere.
    pub acct: String,
    /// The account's page on this server: `/@ana`.
    pub path: String,
    /// Address of the picture.
    pub avatar: String,
    /// Marked as automated.
    pub is_bot: bool,
}

/// What the reader and an account are to each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelationView {
    /// It is the reader's own account.
    pub is_self: bool,
    /// The reader follows it.
    pub is_following: bool,
    /// The reader asked to follow and waits for the answer.
    pub is_requested: bool,
    /// It follows the reader.
    pub is_follower: bool,
    /// The reader mutes it.
    pub is_muted: bool,
    /// The reader blocks it.
    pub is_blocked: bool,
}

/// A line of the small table on a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldView {
    /// The label.
    pub name: String,
    /// The value: clean HTML.
    pub value_html: String,
    /// When the link was found to point back, if it was.
    pub verified: Option<When>,
}

/// A whole profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// Picture, name, address.
    pub person: PersonView,
    /// The address in full, for everyone else: `ana@this.example`.
    pub full_acct: String,
    /// Address of the wide picture.
    pub header: String,
    /// What they say of themselves: clean HTML.
    pub note_html: String,
    /// The same without markup, for previews elsewhere.
    pub note_text: String,
    /// Their small table.
    pub fields: Vec<FieldView>,
    /// Posts, as far as known here.
    pub posts: u64,
    /// Followers, as far as known here.
    pub followers: u64,
    /// Accounts they follow, as far as known here.
    pub following: u64,
    /// They approve followers by hand.
    pub is_locked: bool,
    /// When the account was made.
    pub joined: When,
    /// Their page at home, if that is another server.
    pub remote_url: Option<String>,
    /// The ActivityPub id, for `<link rel="alternate">`.
    pub activity_url: Option<String>,
    /// What they and the reader are to each other; `None` when logged out.
    pub relation: Option<RelationView>,
}

impl AccountView {
    /// Whether it follows the reader.
    pub fn follows_reader(&self) -> bool {
        self.relation.as_ref().is_some_and(|relation| relation.is_follower)
    }

    /// The account's followers page.
    pub fn followers_path(&self) -> String {
        format!("{}/followers", self.person.path)
    }

    /// The page of those it follows.
    pub fn following_path(&self) -> String {
        format!("{}/following", self.person.path)
    }
}

/// What can be done with the accounts in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowActs {
    /// Follow or unfollow them.
    Follow,
    /// Answer their request to follow.
    Answer,
    /// Mute them no longer.
    Unmute,
    /// Block them no longer.
    Unblock,
}

/// An account in a list of accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// Picture, name, address.
    pub person: PersonView,
    /// What they and the reader are to each other; `None` when logged out.
    pub relation: Option<RelationView>,
    /// Of those the reader mutes: when that ends.
    pub until: Option<When>,
}

impl PersonRow {
    /// Whether it follows the reader.
    pub fn is_follower(&self) -> bool {
        self.relation.as_ref().is_some_and(|relation| relation.is_follower)
    }
}
