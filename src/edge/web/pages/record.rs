//! Pages of what is on record.

use askama::Template;

use super::super::view::{DecisionView, RegistrationWords, SeveredView, Shell, Theme};
use super::super::{assets, ui};

/// Decisions of those who run the server.
#[derive(Template)]
#[template(path = "settings_decisions.html")]
pub struct DecisionsPage {
    /// The frame.
    pub shell: Shell,
    /// Newest first.
    pub decisions: Vec<DecisionView>,
    /// Address of the page after (older).
    pub older: Option<String>,
}

/// Follows that the reader lost.
#[derive(Template)]
#[template(path = "severed.html")]
pub struct SeveredPage {
    /// The frame.
    pub shell: Shell,
    /// Newest first.
    pub events: Vec<SeveredView>,
    /// Address of the page after (older).
    pub older: Option<String>,
}
