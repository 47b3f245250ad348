//! Mails to people here: what they say, not how. What they say is written
//! when they go out, so that no secret of a link waits in the queue.

use minicbor::{Decode, Encode};

use crate::base::Id;

/// A mail to one person.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Letter {
    /// Is this address theirs?
    #[n(0)]
    Confirm {
        /// Whose account.
        #[n(0)]
        account: Id,
    },
    /// How to choose a new password.
    #[n(1)]
    Reset {
        /// Whose account.
        #[n(0)]
        account: Id,
    },
    /// To one who runs the server: somebody waits to be let in.
    #[n(2)]
    Waiting {
        /// To whom.
        #[n(0)]
        staff: Id,
        /// Who waits.
        #[n(1)]
        account: Id,
    },
    /// To one who runs the server: somebody is reported.
    #[n(3)]
    Report {
        /// To whom.
        #[n(0)]
        staff: Id,
        /// The report.
        #[n(1)]
        report: Id,
    },
    /// Their password was changed.
    #[n(4)]
    PasswordChanged {
        /// Whose account.
        #[n(0)]
        account: Id,
    },
    /// To the address they want to have: is it theirs?
    #[n(7)]
    ConfirmNew {
        /// Whose account.
        #[n(0)]
        account: Id,
    },
    /// To the address they have: somebody wants to have another one.
    #[n(8)]
    AddressChanging {
        /// Whose account.
        #[n(0)]
        account: Id,
    },
    /// They were let in.
    #[n(6)]
    Approved {
        /// Whose account.
        #[n(0)]
        account: Id,
    },
}

impl Letter {
    /// Who gets it.
    pub const fn recipient(&self) -> Id {
        match self {
            Letter::Confirm { account }
            | Letter::ConfirmNew { account }
            | Letter::AddressChanging { account }
            | Letter::Reset { account }
            | Letter::PasswordChanged { account }
            | Letter::Approved { account } => *account,
            Letter::Waiting { staff, .. } | Letter::Report { staff, .. } => *staff,
        }
    }
}
