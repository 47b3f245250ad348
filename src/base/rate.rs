//! How often things may be done. Here because settings name it and limiters
//! obey it.

use std::time::Duration;

/// So many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Times; never 0.
    pub count: u32,
    /// In this time; never 0.
    pub window: Duration,
}

impl Rate {
    const fn minutes(count: u32, minutes: u64) -> Rate {
        Rate { count, window: Duration::from_secs(60 * minutes) }
    }

    /// So many thousandths as often, but not never.
    #[must_use]
    pub fn scaled(self, thousandths: u32) -> Rate {
        let count = (u64::from(self.count) * u64::from(thousandths)).div_ceil(1000).max(1);
        Rate { count: u32::try_from(count).unwrap_or(u32::MAX), ..self }
    }
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limited {
    /// Requests to the API by one person, through all apps.
    User,
    /// Requests to the API with one token.
    Token,
    /// Requests to the API from one address, without a person's token.
    Address,
    /// Uploads by one person.
    Media,
    /// Deleted posts and boosts by one person.
    Removal,
    /// New accounts from one address.
    SignUp,
    /// New apps from one address.
    Apps,
    /// Log-ins from one address.
    Login,
    /// Log-ins to one account.
    LoginName,
    /// Mails asked for from one address.
    Mail,
    /// Mails asked for to one mail address.
    MailTo,
}

impl Limited {
    /// All, in the order of the settings.
    pub const ALL: [Limited; 11] = [
        Limited::User,
        Limited::Token,
        Limited::Address,
        Limited::Media,
        Limited::Removal,
        Limited::SignUp,
        Limited::Apps,
        Limited::Login,
        Limited::LoginName,
        Limited::Mail,
        Limited::MailTo,
    ];

    /// Its word in the settings.
    pub const fn word(self) -> &'static str {
        match self {
            Limited::User => "user",
            Limited::Token => "token",
            Limited::Address => "address",
            Limited::Media => "media",
            Limited::Removal => "removal",
            Limited::SignUp => "sign_up",
            Limited::Apps => "apps",
            Limited::Login => "login",
            Limited::LoginName => "login_name",
            Limited::Mail => "mail",
            Limited::MailTo => "mail_to",
        }
    }

    /// Mastodon's figure (config/initializers/rack_attack.rb).
    const fn usual(self) -> Rate {
        match self {
            Limited::User => Rate::minutes(1500, 5),
            Limited::Token | Limited::Address => Rate::minutes(300, 5),
            Limited::Media | Limited::Removal => Rate::minutes(30, 30),
            Limited::SignUp => Rate::minutes(5, 30),
            Limited::Apps => Rate::minutes(5, 10),
            Limited::Login => Rate::minutes(25, 5),
            Limited::LoginName => Rate::minutes(25, 60),
            Limited::Mail => Rate::minutes(25, 5),
            Limited::MailTo => Rate::minutes(5, 30),
        }
    }
}

/// Every limit; one may be off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits([Option<Rate>; Limited::ALL.len()]);

impl Default for RateLimits {
    /// Mastodon's.
    fn default() -> RateLimits {
        RateLimits(Limited::ALL.map(|limited| Some(limited.usual())))
    }
}

impl RateLimits {
    /// None at all.
    pub const OFF: RateLimits = RateLimits([None; Limited::ALL.len()]);

    /// How often this may be done; `None` for as often as one likes.
    pub fn of(&self, limited: Limited) -> Option<Rate> {
        self.0[limited as usize]
    }

    /// Sets one limit.
    #[must_use]
    pub fn with(mut self, limited: Limited, rate: Option<Rate>) -> RateLimits {
        self.0[limited as usize] = rate;
        self
    }

    /// All so many thousandths as high.
    #[must_use]
    pub fn scaled(self, thousandths: u32) -> RateLimits {
        RateLimits(self.0.map(|rate| rate.map(|rate| rate.scaled(thousandths))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_where_they_were_put() {
        for limited in Limited::ALL {
            let rate = Rate::minutes(7, 7);
            let limits = RateLimits::OFF.with(limited, Some(rate));
            for other in Limited::ALL {
                assert_eq!(limits.of(other), (other == limited).then_some(rate));
            }
        }
    }

    #[test]
    fn scaling_never_forbids() {
        let limits = RateLimits::default();
        assert_eq!(limits.scaled(2000).of(Limited::User), Some(Rate::minutes(3000, 5)));
        assert_eq!(limits.scaled(1).of(Limited::Apps), Some(Rate::minutes(1, 10)));
        assert_eq!(RateLimits::OFF.scaled(5), RateLimits::OFF);
    }
}
