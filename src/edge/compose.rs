//! From what somebody typed to a post: counts it, finds whom and what it
//! names, makes its HTML, publishes it. One way for the API and the pages.

use std::collections::HashMap;

use unicode_segmentation::UnicodeSegmentation;

use super::{AppState, federation};
use crate::base::limits::{
    MEDIA_PER_STATUS_MAX, POLL_OPTION_CHARACTERS_MAX, POLL_OPTIONS, STATUS_CHARACTERS_MAX,
};
use crate::base::{Id, Problem, Timestamp};
use crate::domain::media::MediaFault;
use crate::domain::poll::{NewPoll, PollFault};
use crate::domain::status::{self, Draft, Published, StatusError};
use crate::domain::{account, emoji, scheduled};
use crate::model::tables::STATUS;
use crate::model::{Account, Application, CustomEmoji, QuotePolicy, Scheduled, Site, User, Visibility};
use crate::store::StoreError;
use crate::wire::text::{self, Handle, Links, MentionTarget};

/// People one post may name; further names stay plain text.
const MENTIONS_MAX: usize = 50;
/// Bytes of a language code that is kept.
const LANGUAGE_MAX_BYTES: usize = 16;

/// A post as it was typed. What is `None` follows the author's defaults.
#[derive(Debug, Clone, Default)]
pub(crate) struct Written {
    /// The text.
    pub(crate) text: String,
    /// Content warning.
    pub(crate) spoiler: String,
    /// Who may see it.
    pub(crate) visibility: Option<Visibility>,
    /// Media are hidden behind a warning.
    pub(crate) sensitive: Option<bool>,
    /// ISO 639 code.
    pub(crate) language: Option<String>,
    /// The post it answers.
    pub(crate) in_reply_to: Option<Id>,
    /// Uploads that it shows.
    pub(crate) media: Vec<Id>,
    /// The app it was written with.
    pub(crate) application: Option<Application>,
    /// The same key within the hour gives the same post.
    pub(crate) idempotency_key: Option<String>,
    /// A poll.
    pub(crate) poll: Option<NewPoll>,
    /// The post it quotes.
    pub(crate) quote: Option<Id>,
    /// Who may quote it; `None` for what the author has chosen.
    pub(crate) quote_policy: Option<QuotePolicy>,
    /// Of an edit: the post that is quoted already.
    pub(crate) shown_quote: Option<Id>,
}

/// Checks and prepares a post.
///
/// # Errors
/// 422 when it is too long.
pub(crate) async fn draft(state: &AppState, author: &User, written: Written) -> Result<Draft, Problem> {
    let length = text::characters(&written.text) + text::characters(&written.spoiler);
    if length > STATUS_CHARACTERS_MAX {
        let detail = format!(
            "Validation failed: Text character limit of {STATUS_CHARACTERS_MAX} exceeded: this has {length}"
        );
        return Err(Problem::invalid(detail));
    }
    if let Some(poll) = &written.poll {
        check_poll(poll, !written.media.is_empty())?;
    }
    if written.quote.is_some() && (written.poll.is_some() || !written.media.is_empty()) {
        return Err(Problem::invalid("Validation failed: A quote cannot have a poll or files"));
    }
    let quoted_page = quoted_page(state, written.quote.or(written.shown_quote), &written.text).await?;
    let named = named(state, text::mentions(&written.text)).await?;
    let defaults = &author.defaults;
    let mut mentions: Vec<Id> = named.values().map(|account| account.id).collect();
    mentions.sort_unstable();
    mentions.dedup();
    Ok(Draft {
        author: author.id,
        content_html: quoted_page + &html(&state.site, &written.text, &named),
        tags: text::hashtags(&written.text),
        emojis: emojis(state, [&written.text, &written.spoiler]).await?,
        mentions,
        text: written.text,
        spoiler_text: written.spoiler.trim().to_owned(),
        visibility: written.visibility.unwrap_or(defaults.visibility),
        sensitive: written.sensitive.unwrap_or(defaults.sensitive),
        language: written.language.or_else(|| defaults.language.clone()).and_then(language),
        in_reply_to: written.in_reply_to,
        media: written.media,
        application: written.application,
        idempotency_key: written.idempotency_key,
        poll: written.poll,
        quote: written.quote,
        quote_policy: written
            .quote_policy
            .or_else(|| defaults.quote_policy.clone())
            .unwrap_or_else(QuotePolicy::everybody),
    })
}

/// A link to the quoted post for readers that know no quotes, unless the text
/// has one. Whether it may be quoted is found out when it is published.
async fn quoted_page(state: &AppState, quoted: Option<Id>, typed: &str) -> Result<String, Problem> {
    let Some(id) = quoted else { return Ok(String::new()) };
    let status = state.store.read(move |tx| tx.get(STATUS, &id)).await?;
    let page = status.map(|status| status.url.unwrap_or(status.uri));
    let Some(page) = page.filter(|page| !typed.contains(page.as_str())) else { return Ok(String::new()) };
    let page = text::escape(&page);
    Ok(format!(
        "<p class=\"quote-inline\">RE: <a href=\"{page}\" target=\"_blank\" rel=\"nofollow noopener\">{page}</a></p>"
    ))
}

/// The refusals of a poll, in Mastodon's words.
fn check_poll(poll: &NewPoll, has_media: bool) -> Result<(), Problem> {
    if has_media {
        return Err(MediaFault::TooMany.into());
    }
    let Err(fault) = poll.check(|option| option.graphemes(true).count()) else { return Ok(()) };
    let most = POLL_OPTIONS.1;
    Err(Problem::invalid(match fault {
        PollFault::TooFew => "Validation failed: Choices must have more than one item".to_owned(),
        PollFault::TooMany => format!("Validation failed: Choices can't contain more than {most} items"),
        PollFault::TooLong => format!(
            "Validation failed: Choices cannot be longer than {POLL_OPTION_CHARACTERS_MAX} characters each"
        ),
        PollFault::Twice => "Validation failed: Choices contain duplicate items".to_owned(),
        PollFault::TooShort => "Validation failed: Deadline is too soon".to_owned(),
        PollFault::TooFar => "Validation failed: Deadline is too far into the future".to_owned(),
    }))
}

/// The custom emojis of this server that texts name.
async fn emojis(state: &AppState, texts: [&String; 2]) -> Result<Vec<CustomEmoji>, Problem> {
    if texts.iter().all(|text| !text.contains(':')) {
        return Ok(Vec::new());
    }
    let (site, texts) = (state.site.clone(), texts.map(String::clone));
    let found = state.store.read(move |tx| emoji::in_text(tx, &site, &[&texts[0], &texts[1]])).await;
    found.map_err(|error: StoreError| error.into())
}

/// Publishes a post.
///
/// # Errors
/// 422 when it is blank or answers a post that its author may not see.
pub(crate) async fn publish(state: &AppState, draft: Draft) -> Result<Published, Problem> {
    let (moment, site) = (state.moment_with(draft.ids_needed()), state.site.clone());
    let result = state.store.write(move |tx| status::publish(tx, &mut moment.clone(), &site, &draft)).await;
    result.map_err(Problem::from)
}

/// Keeps a post for its time; `draft` is what it would be now.
///
/// # Errors
/// 422 when that is too soon, or too many wait already.
pub(crate) async fn schedule(
    state: &AppState,
    written: &Written,
    draft: Draft,
    at: Timestamp,
) -> Result<Scheduled, Problem> {
    let row = Scheduled {
        account: draft.author,
        at,
        text: written.text.clone(),
        spoiler_text: written.spoiler.clone(),
        visibility: written.visibility,
        sensitive: written.sensitive,
        language: written.language.clone(),
        in_reply_to: written.in_reply_to,
        poll: written.poll.clone(),
        quote: written.quote,
        quote_policy: written.quote_policy.clone(),
        application: written.application.clone(),
        ..Scheduled::default()
    };
    let moment = state.moment();
    let kept = state.store.write(move |tx| scheduled::schedule(tx, &mut moment.clone(), &row, &draft)).await;
    kept.map_err(Problem::from)
}

impl From<StatusError> for Problem {
    fn from(error: StatusError) -> Problem {
        match error {
            StatusError::NotFound => Problem::not_found(),
            StatusError::ReplyNotFound => {
                Problem::not_found().hint("The post you are replying to does not appear to exist.")
            }
            StatusError::QuoteNotFound => {
                Problem::not_found().hint("The post you are trying to quote does not appear to exist.")
            }
            StatusError::Blank => Problem::invalid("Validation failed: Text can't be blank"),
            StatusError::NotPublic => {
                Problem::invalid("Validation failed: This post is too private to be boosted")
            }
            StatusError::NotOwn => {
                Problem::invalid("Validation failed: Only your own public posts can be pinned")
            }
            StatusError::PinsFull => {
                Problem::invalid("Validation failed: You have already pinned as many posts as you can")
            }
            StatusError::Media(fault) => fault.into(),
            StatusError::Store(error) => error.into(),
        }
    }
}

impl From<MediaFault> for Problem {
    fn from(fault: MediaFault) -> Problem {
        match fault {
            MediaFault::TooMany => {
                Problem::invalid(format!("Cannot attach more than {MEDIA_PER_STATUS_MAX} files"))
            }
            MediaFault::NotFound => Problem::invalid("Media not found or already attached to another post"),
            MediaFault::NotReady => Problem::invalid(
                "Cannot attach files that have not finished processing. Try again in a moment!",
            ),
            MediaFault::Mixed => {
                Problem::invalid("Cannot attach a video to a post that already contains images")
            }
            MediaFault::Store(error) => error.into(),
        }
    }
}

/// The accounts behind handles; people of other servers who are not known
/// are looked for.
async fn named(state: &AppState, mut handles: Vec<Handle>) -> Result<HashMap<String, Account>, Problem> {
    handles.truncate(MENTIONS_MAX);
    if handles.is_empty() {
        return Ok(HashMap::new());
    }
    let known = known(state, handles.clone()).await?;
    let is_strange = |handle: &&Handle| handle.domain.is_some() && !known.contains_key(&key(handle));
    let strangers: Vec<String> = handles.iter().filter(is_strange).map(key).collect();
    if strangers.is_empty() {
        return Ok(known);
    }
    federation::resolve::bring_people(state, &strangers).await;
    self::known(state, handles).await
}

async fn known(state: &AppState, handles: Vec<Handle>) -> Result<HashMap<String, Account>, Problem> {
    let site = state.site.clone();
    let found = state.store.read(move |tx| {
        let mut found = HashMap::new();
        for handle in handles {
            let key = key(&handle);
            if let Some(account) = account::by_handle(tx, &site, &key)? {
                found.insert(key, account);
            }
        }
        Ok::<_, StoreError>(found)
    });
    Ok(found.await?)
}

fn key(handle: &Handle) -> String {
    match &handle.domain {
        Some(domain) => format!("{}@{domain}", handle.username).to_lowercase(),
        None => handle.username.to_lowercase(),
    }
}

fn html(site: &Site, text: &str, named: &HashMap<String, Account>) -> String {
    text::to_html(
        text,
        &Links {
            mention: &|handle| {
                let account = named.get(&key(handle))?;
                Some(MentionTarget { url: account.url.clone(), username: account.username.clone() })
            },
            hashtag: &|name| site.tag_page(name),
        },
    )
}

fn language(code: String) -> Option<String> {
    let is_code = !code.is_empty()
        && code.len() <= LANGUAGE_MAX_BYTES
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_code.then_some(code)
}
