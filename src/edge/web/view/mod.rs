//! What the pages show, as plain data: text, numbers and addresses that are
//! ready to print. Templates see only these types.
//!
//! Must not know the store or HTTP.

mod chart;
mod compose;
mod delivery;
mod form;
mod node;
mod person;
mod post;
mod quote;
mod record;
mod shell;
mod webhook;
mod when;
pub mod words;

pub use chart::ChartView;
pub use compose::{AttachedFile, ComposeForm, POLL_LENGTHS, PollForm, QUOTE_POLICIES};
pub use delivery::{
    Ahead, BoardView, DestinationRow, DestinationView, ErrorView, FailureView, JobView, LaneView, LetterView,
    ReachView, StateView, TurnView,
};
pub use form::{Faults, LANGUAGES, ProfileForm, SignUpForm};
pub use node::{BalanceView, NodeView, NodesView};
pub use person::{AccountView, FieldView, PersonRow, PersonView, RelationView, RowActs};
pub use post::{ChoiceView, MediaKind, MediaView, NotificationView, PollView, PostView, ReplyTo};
pub use quote::{CardView, QuoteLeave, QuotedView};
pub use record::{DecisionView, SeveredView};
pub use shell::{Head, Notice, Shell, Site, Theme, Viewer};
pub use webhook::{WEBHOOK_EVENTS, WebhookForm, WebhookSecret, WebhookView};
pub use when::{When, short_count, span};
pub use words::{NotificationWords, RegistrationWords, VisibilityWords};
