//! The pages: one struct for each template, holding what it shows.

mod filters;
mod own;
mod record;

use std::sync::Arc;

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

pub use self::filters::*;
pub use self::own::*;
pub use self::record::*;
use super::api_docs::ApiDocs;
use super::deliveries::{Choice, FILTERS, SORTS};
use super::view::{
    AccountView, BoardView, ComposeForm, DestinationRow, DestinationView, Faults, JobView, LANGUAGES,
    LetterView, MediaKind, MediaView, NodesView, NotificationView, NotificationWords, POLL_LENGTHS,
    PersonRow, PostView, ProfileForm, QUOTE_POLICIES, QuoteLeave, ReachView, RegistrationWords, RowActs,
    Shell, SignUpForm, Theme, VisibilityWords, WEBHOOK_EVENTS, WebhookForm, WebhookSecret, WebhookView, When,
};
use super::{assets, ui};
use crate::base::Problem;
use crate::base::limits;
use crate::model::{Registration, Visibility};

/// Renders a page; a template that cannot be printed is our fault.
pub fn render(page: &impl Template) -> Result<Response, Problem> {
    Ok(Html(page.render().map_err(Problem::internal)?).into_response())
}

/// Renders a page with another status, such as 422 for a form that has faults.
pub fn render_as(status: StatusCode, page: &impl Template) -> Result<Response, Problem> {
    let mut response = render(page)?;
    *response.status_mut() = status;
    Ok(response)
}

/// What to say where a list is empty: title and sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Empty(pub &'static str, pub &'static str);

/// The front door, for visitors.
#[derive(Template)]
#[template(path = "landing.html")]
pub struct LandingPage {
    /// The frame.
    pub shell: Shell,
    /// The newest local posts.
    pub posts: Vec<PostView>,
}

/// A list of posts: home, local, hashtag, bookmarks.
#[derive(Template)]
#[template(path = "timeline.html")]
pub struct TimelinePage {
    /// The frame.
    pub shell: Shell,
    /// The posts, newest first.
    pub posts: Vec<PostView>,
    /// Address of the page before (newer).
    pub newer: Option<String>,
    /// Address of the page after (older).
    pub older: Option<String>,
    /// The form above the list.
    pub compose: Option<ComposeForm>,
    /// Of a hashtag's page, for people: the button that follows it.
    pub tag: Option<TagButton>,
    /// A link beside the title: path and words.
    pub more: Option<(String, String)>,
    /// Name of the live stream that brings new posts; empty for none.
    pub live: String,
    /// For an empty list.
    pub empty: Empty,
}

/// The button on a hashtag's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagButton {
    /// The hashtag, as it is shown.
    pub name: String,
    /// Its page.
    pub path: String,
    /// It is followed.
    pub is_following: bool,
}

/// One post with what it answers and what answers it.
#[derive(Template)]
#[template(path = "thread.html")]
pub struct ThreadPage {
    /// The frame.
    pub shell: Shell,
    /// What it answers, oldest first.
    pub above: Vec<PostView>,
    /// The post itself.
    pub focus: PostView,
    /// Where it has got to, for its author.
    pub reach: Option<ReachView>,
    /// The answers.
    pub below: Vec<PostView>,
    /// The form to answer it.
    pub compose: Option<ComposeForm>,
}

/// Writing a post on a page of its own.
#[derive(Template)]
#[template(path = "compose.html")]
pub struct ComposePage {
    /// The frame.
    pub shell: Shell,
    /// The form.
    pub form: ComposeForm,
    /// The post it answers.
    pub answered: Option<PostView>,
}

/// Asks before a post is deleted.
#[derive(Template)]
#[template(path = "delete.html")]
pub struct DeletePage {
    /// The frame.
    pub shell: Shell,
    /// The post.
    pub post: PostView,
}

/// A profile with posts.
#[derive(Template)]
#[template(path = "profile.html")]
pub struct ProfilePage {
    /// The frame.
    pub shell: Shell,
    /// Whose.
    pub account: AccountView,
    /// `posts`, `replies` or `media`.
    pub tab: &'static str,
    /// Whether they show posts with files by themselves.
    pub has_media: bool,
    /// Posts that stay on top, on the first page.
    pub pinned: Vec<PostView>,
    /// Their posts, newest first.
    pub posts: Vec<PostView>,
    /// Address of the page after (older).
    pub older: Option<String>,
}

/// An earlier version of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionView {
    /// When it was written so.
    pub at: When,
    /// Content warning.
    pub spoiler: String,
    /// Clean HTML.
    pub content_html: String,
    /// Attached files.
    pub media: Vec<MediaView>,
    /// They are covered until asked for.
    pub is_sensitive: bool,
    /// Answers of its poll.
    pub options: Vec<String>,
}

/// What a post said before.
#[derive(Template)]
#[template(path = "history.html")]
pub struct HistoryPage {
    /// The frame.
    pub shell: Shell,
    /// The post's page.
    pub path: String,
    /// Oldest first; the last is the present one.
    pub versions: Vec<VersionView>,
}

/// A list of accounts: followers, following, requests to follow.
#[derive(Template)]
#[template(path = "people.html")]
pub struct PeoplePage {
    /// The frame.
    pub shell: Shell,
    /// Where the list belongs: path and name.
    pub back: Option<(String, String)>,
    /// The accounts.
    pub people: Vec<PersonRow>,
    /// What can be done with them.
    pub acts: RowActs,
    /// The list is one of the settings.
    pub is_setting: bool,
    /// Address of the page after.
    pub older: Option<String>,
    /// For an empty list.
    pub empty: Empty,
}

/// Search, with what was found.
#[derive(Template)]
#[template(path = "search.html")]
pub struct SearchPage {
    /// The frame.
    pub shell: Shell,
    /// What was asked; empty before the first search.
    pub query: String,
    /// Accounts found.
    pub people: Vec<PersonRow>,
    /// Posts found.
    pub posts: Vec<PostView>,
    /// Hashtags found, without #; before the first search those that trend.
    pub tags: Vec<String>,
    /// Why another server could not be asked, if so.
    pub trouble: Option<String>,
}

/// Notifications.
#[derive(Template)]
#[template(path = "notifications.html")]
pub struct NotificationsPage {
    /// The frame.
    pub shell: Shell,
    /// Newest first.
    pub items: Vec<NotificationView>,
    /// Only those where the reader is named.
    pub only_mentions: bool,
    /// People whose words are held back.
    pub waiting: usize,
    /// Address of the page after (older).
    pub older: Option<String>,
}

/// Editing one's profile.
#[derive(Template)]
#[template(path = "settings_profile.html")]
pub struct EditProfilePage {
    /// The frame.
    pub shell: Shell,
    /// As it is.
    pub account: AccountView,
    /// As it will be.
    pub form: ProfileForm,
}

/// A browser that is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionView {
    /// Names it in the form.
    pub id: String,
    /// Which browser, in words.
    pub browser: String,
    /// When it logged in.
    pub created: When,
    /// When it was last used.
    pub seen: When,
    /// It is the one that asks.
    pub is_this: bool,
}

/// Password, browsers.
#[derive(Template)]
#[template(path = "settings_security.html")]
pub struct SecurityPage {
    /// The frame.
    pub shell: Shell,
    /// Their mail address; may be empty.
    pub email: String,
    /// The one they want to have, until it is confirmed.
    pub new_email: Option<String>,
    /// Browsers that are logged in.
    pub sessions: Vec<SessionView>,
    /// What is wrong with the forms.
    pub faults: Faults,
}

/// Someone who asks for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingView {
    /// The account's id.
    pub id: String,
    /// The name they want.
    pub username: String,
    /// Why.
    pub reason: String,
    /// When they asked.
    pub asked: When,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteView {
    /// The link to pass on.
    pub link: String,
    /// When it was made.
    pub created: When,
    /// When it stops working.
    pub expires: Option<When>,
    /// How many may still use it.
    pub uses_left: Option<u32>,
}

/// Who may join: requests and invitations. For those who run the server.
#[derive(Template)]
#[template(path = "settings_joining.html")]
pub struct JoiningPage {
    /// The frame.
    pub shell: Shell,
    /// Requests that wait.
    pub pending: Vec<PendingView>,
    /// Invitations that work.
    pub invites: Vec<InviteView>,
}

/// Webhooks. For those who run the server.
#[derive(Template)]
#[template(path = "settings_webhooks.html")]
pub struct WebhooksPage {
    /// The frame.
    pub shell: Shell,
    /// Those that there are.
    pub webhooks: Vec<WebhookView>,
    /// What was typed for another one.
    pub form: WebhookForm,
    /// A secret that was just made.
    pub secret: Option<WebhookSecret>,
}

/// Signing up.
#[derive(Template)]
#[template(path = "signup.html")]
pub struct SignUpPage {
    /// The frame.
    pub shell: Shell,
    /// What was typed.
    pub form: SignUpForm,
    /// An invitation that works lets anybody in.
    pub is_invited: bool,
    /// Shortest password.
    pub password_min: usize,
}

/// Making the owner's account.
#[derive(Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    /// The frame.
    pub shell: Shell,
    /// What was typed.
    pub form: SignUpForm,
    /// The secret of the link, to post it back.
    pub secret: String,
    /// Shortest password.
    pub password_min: usize,
}

/// Logging in.
#[derive(Template)]
#[template(path = "login.html")]
pub struct LogInPage {
    /// The frame.
    pub shell: Shell,
    /// What was typed: username or mail address.
    pub name: String,
    /// Where to go afterwards: a path here.
    pub next: String,
    /// Who forgot their password can ask for a mail.
    pub has_reset: bool,
    /// What is wrong.
    pub faults: Faults,
}

/// Asking for a mail by which a new password is chosen.
#[derive(Template)]
#[template(path = "forgot.html")]
pub struct ForgotPage {
    /// The frame.
    pub shell: Shell,
    /// What was typed.
    pub email: String,
    /// What is wrong.
    pub faults: Faults,
}

/// Choosing a new password.
#[derive(Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    /// The frame.
    pub shell: Shell,
    /// The secret of the link, to post it back.
    pub token: String,
    /// Shortest password.
    pub password_min: usize,
    /// What is wrong.
    pub faults: Faults,
}

/// Confirming a mail address.
#[derive(Template)]
#[template(path = "confirm.html")]
pub struct ConfirmPage {
    /// The frame.
    pub shell: Shell,
    /// The secret of the link, to post it back.
    pub token: String,
}

/// What an app may do, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeView {
    /// The scope's name.
    pub name: String,
    /// What it lets the app do.
    pub sentence: &'static str,
}

/// Asks whether an app may act for the reader (OAuth consent).
#[derive(Template)]
#[template(path = "authorize.html")]
pub struct AuthorizePage {
    /// The frame.
    pub shell: Shell,
    /// What the app calls itself.
    pub app_name: String,
    /// The app's page.
    pub app_website: Option<String>,
    /// Where the answer goes, for people: a host or a custom scheme.
    pub returns_to: String,
    /// What it asks for.
    pub scopes: Vec<ScopeView>,
    /// Parameters of the request, posted back as they came.
    pub hidden: Vec<(String, String)>,
}

/// Shows an authorization code to be typed into the app (out-of-band).
#[derive(Template)]
#[template(path = "authorize_code.html")]
pub struct CodePage {
    /// The frame.
    pub shell: Shell,
    /// What the app calls itself.
    pub app_name: String,
    /// The code.
    pub code: String,
}

/// The API's description.
#[derive(Template)]
#[template(path = "api_docs.html")]
pub struct ApiDocsPage {
    /// The frame.
    pub shell: Shell,
    /// What the API has.
    pub docs: Arc<ApiDocs>,
}

/// The delivery queue. For those who run the server.
#[derive(Template)]
#[template(path = "deliveries.html")]
pub struct DeliveriesPage {
    /// The frame.
    pub shell: Shell,
    /// Sums and charts.
    pub board: BoardView,
    /// How the list is asked for.
    pub choice: Choice,
    /// Destinations of this page.
    pub rows: Vec<DestinationRow>,
    /// Destinations of all pages.
    pub total: usize,
    /// Address of the page before.
    pub newer: Option<String>,
    /// Address of the page after.
    pub older: Option<String>,
}

/// The nodes of this server. For those who run it.
#[derive(Template)]
#[template(path = "nodes.html")]
pub struct NodesPage {
    /// The frame.
    pub shell: Shell,
    /// The nodes now.
    pub now: NodesView,
}

/// The nodes alone, for a page that is already open.
#[derive(Template)]
#[template(path = "partial/nodes.html")]
pub struct NodesPartial<'a> {
    /// The nodes now.
    pub now: &'a NodesView,
}

/// Sums and charts alone, for a page that is already open.
#[derive(Template)]
#[template(path = "partial/board.html")]
pub struct BoardPartial<'a> {
    /// Sums and charts.
    pub board: &'a BoardView,
}

/// One destination of deliveries.
#[derive(Template)]
#[template(path = "destination.html")]
pub struct DestinationPage {
    /// The frame.
    pub shell: Shell,
    /// What is known of it.
    pub one: DestinationView,
    /// Its first jobs.
    pub jobs: Vec<JobView>,
    /// Its first dead letters.
    pub letters: Vec<LetterView>,
    /// Why the job waits that was asked about.
    pub reason: Option<String>,
}

/// How a destination is, alone, for a page that is already open.
#[derive(Template)]
#[template(path = "partial/destination.html")]
pub struct DestinationPartial<'a> {
    /// What is known of it.
    pub one: &'a DestinationView,
}

/// What this server is.
#[derive(Template)]
#[template(path = "about.html")]
pub struct AboutPage {
    /// The frame.
    pub shell: Shell,
    /// How to reach whoever runs it.
    pub contact: Option<String>,
    /// Its rules.
    pub rules: Vec<String>,
    /// Longer texts.
    pub texts: Vec<AboutText>,
}

/// A longer text about the place.
pub struct AboutText {
    /// What addresses name it by.
    pub id: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// Clean HTML.
    pub html: String,
}

/// A sentence and a way on.
#[derive(Template)]
#[template(path = "message.html")]
pub struct MessagePage {
    /// The frame.
    pub shell: Shell,
    /// What there is to say.
    pub text: String,
    /// Where to go: path and label.
    pub next: (String, String),
}

/// Something is wrong.
#[derive(Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// The frame.
    pub shell: Shell,
    /// HTTP status.
    pub status: u16,
    /// One sentence.
    pub detail: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// How far a post of one's own has got.
#[derive(Template)]
#[template(path = "partial/reach.html")]
pub struct ReachPartial<'a> {
    /// How far.
    pub reach: &'a ReachView,
}

/// One post, to be put into a page that is already open.
#[derive(Template)]
#[template(path = "partial/post.html")]
pub struct PostPartial<'a> {
    /// The reader's frame.
    pub shell: &'a Shell,
    /// The post.
    pub post: &'a PostView,
}
