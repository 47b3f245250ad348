//! The form for posts as it is first shown, and as it is shown again when
//! something is wrong with it.

use crate::base::limits::STATUS_CHARACTERS_MAX;
use crate::domain::session::Login;
use crate::domain::timeline::Loaded;
use crate::edge::AppState;
use crate::edge::compose::Written;
use crate::edge::web::view::{ComposeForm, Faults, PollForm, QUOTE_POLICIES};
use crate::model::{Account, QuotePolicy, Visibility};

/// Bytes of the secret that makes sending a form twice post once.
const KEY_BYTES: usize = 12;

/// The form for a new post.
pub(in crate::edge::web) fn blank(state: &AppState, login: &Login) -> ComposeForm {
    let quote_policy =
        login.user.defaults.quote_policy.as_ref().map_or(QUOTE_POLICIES[0].0, QuotePolicy::word);
    ComposeForm {
        text: String::new(),
        spoiler: String::new(),
        visibility: login.user.defaults.visibility,
        language: login.user.defaults.language.clone().unwrap_or_default(),
        reply_to: String::new(),
        key: state.chance.secret(KEY_BYTES),
        is_sensitive: login.user.defaults.sensitive,
        attached: Vec::new(),
        poll: PollForm::default(),
        has_poll: false,
        quoted: None,
        edits: String::new(),
        later: String::new(),
        quote_policy: quote_policy.to_owned(),
        faults: Faults::none(),
        characters_max: STATUS_CHARACTERS_MAX,
    }
}

/// The form for an answer: names those who should see it, no wider than what
/// it answers.
pub(in crate::edge::web) fn reply(state: &AppState, login: &Login, answered: &Loaded) -> ComposeForm {
    let shown = answered.shown();
    let mut form = blank(state, login);
    form.reply_to = shown.status.id.to_string();
    form.text = named_in_reply(&login.account, shown);
    form.spoiler.clone_from(&shown.status.spoiler_text);
    form.visibility = narrower(form.visibility, shown.status.visibility);
    if let Some(language) = &shown.status.language {
        form.language.clone_from(language);
    }
    form
}

fn named_in_reply(me: &Account, answered: &Loaded) -> String {
    let author = &answered.author.account;
    let others =
        answered.status.mentions.iter().filter(|m| !m.is_silent).map(|m| (m.account, m.acct.clone()));
    let mut seen = vec![me.id];
    let mut text = String::new();
    for (id, acct) in std::iter::once((author.id, author.acct())).chain(others) {
        if !seen.contains(&id) {
            seen.push(id);
            text += &format!("@{acct} ");
        }
    }
    text
}

fn narrower(a: Visibility, b: Visibility) -> Visibility {
    let width = |v: Visibility| match v {
        Visibility::Public => 3,
        Visibility::Unlisted => 2,
        Visibility::Private => 1,
        Visibility::Direct => 0,
    };
    if width(a) <= width(b) { a } else { b }
}

/// The form with what was typed and what is wrong with it.
pub(super) fn again(
    state: &AppState,
    login: &Login,
    (written, poll): (&Written, PollForm),
    fault: String,
) -> ComposeForm {
    let blank = blank(state, login);
    let quote_policy = written.quote_policy.as_ref().map(policy_word);
    ComposeForm {
        text: written.text.clone(),
        spoiler: written.spoiler.clone(),
        visibility: written.visibility.unwrap_or(blank.visibility),
        language: written.language.clone().unwrap_or_default(),
        reply_to: written.in_reply_to.map(|id| id.to_string()).unwrap_or_default(),
        is_sensitive: written.sensitive.unwrap_or(false),
        quote_policy: quote_policy.map_or(blank.quote_policy, str::to_owned),
        faults: Faults::one("", fault),
        poll,
        ..blank
    }
}

/// The word for a policy, as the form has it.
pub(in crate::edge::web) fn policy_word(policy: &QuotePolicy) -> &'static str {
    let is_word = |word: &str| QuotePolicy::from_word(word).as_ref() == Some(policy);
    QUOTE_POLICIES.iter().map(|(word, _)| *word).find(|word| is_word(word)).unwrap_or("nobody")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_no_wider_than_what_it_answers() {
        use Visibility::{Direct, Private, Public, Unlisted};
        for (mine, theirs, expected) in [
            (Public, Public, Public),
            (Public, Direct, Direct),
            (Unlisted, Public, Unlisted),
            (Private, Unlisted, Private),
            (Direct, Public, Direct),
        ] {
            assert_eq!(narrower(mine, theirs), expected);
        }
    }
}
