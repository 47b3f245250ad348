//! Who may sign up. Here because settings name it and rules obey it.

/// Who may sign up, once the owner account exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Registration {
    /// Everybody.
    Open,
    /// Everybody may ask; a moderator says yes or no.
    Approval,
    /// Whoever has an invitation.
    Invite,
    /// Nobody but the owner, and whom the owner makes.
    #[default]
    Closed,
}
