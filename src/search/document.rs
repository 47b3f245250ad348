//! What of a post or account is in the index, and under which fields.

use std::sync::LazyLock;

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::{PreTokenizedString, Token};

use crate::domain::search::Trait;
use crate::domain::search::words::{self, Word};
use crate::model::{Account, AttachmentKind, Status};
use crate::wire::html;

/// Raised whenever fields, or what is put into them, change: then the index
/// is made anew.
pub(super) const VERSION: u32 = 1;

/// The word of posts that strangers may find.
pub(super) const OPEN: &str = "open";

/// The fields of the index.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    /// Id of a post; newest first is the order of results.
    pub(super) post: Field,
    /// Id of an account.
    pub(super) person: Field,
    /// Words of a post: text, warning, descriptions of media.
    pub(super) text: Field,
    pub(super) author: Field,
    /// Accounts named in a post.
    pub(super) mention: Field,
    pub(super) tag: Field,
    pub(super) language: Field,
    /// [`Trait`]s, and [`OPEN`].
    pub(super) is: Field,
    /// Beginnings of the words of an account's names.
    pub(super) name: Field,
    /// Words of a profile's text.
    pub(super) note: Field,
}

/// The fields, always the same.
pub(super) static FIELDS: LazyLock<Fields> = LazyLock::new(fields);

fn fields() -> Fields {
    let mut schema = Schema::builder();
    let words = TextFieldIndexing::default().set_index_option(IndexRecordOption::WithFreqsAndPositions);
    // No lengths: results are sorted by time, not by how well they fit.
    let words = TextOptions::default().set_indexing_options(words.set_fieldnorms(false));
    let basic = TextFieldIndexing::default().set_index_option(IndexRecordOption::Basic).set_fieldnorms(false);
    let basic = TextOptions::default().set_indexing_options(basic);
    Fields {
        post: schema.add_u64_field("post", INDEXED | FAST),
        person: schema.add_u64_field("person", INDEXED | FAST),
        text: schema.add_text_field("text", words),
        author: schema.add_u64_field("author", INDEXED),
        mention: schema.add_u64_field("mention", INDEXED),
        tag: schema.add_text_field("tag", STRING),
        language: schema.add_text_field("language", STRING),
        is: schema.add_text_field("is", STRING),
        name: schema.add_text_field("name", basic.clone()),
        note: schema.add_text_field("note", basic),
        schema: schema.build(),
    }
}

/// The entry of a post. `is_open`: its author lets strangers find it.
pub(super) fn post(status: &Status, is_open: bool) -> TantivyDocument {
    let fields = &*FIELDS;
    let mut entry = TantivyDocument::default();
    entry.add_u64(fields.post, status.id.0);
    entry.add_u64(fields.author, status.account.0);
    for mention in &status.mentions {
        entry.add_u64(fields.mention, mention.account.0);
    }
    for tag in &status.tags {
        entry.add_text(fields.tag, Status::tag_key(tag));
    }
    if let Some(language) = &status.language {
        entry.add_text(fields.language, language.to_ascii_lowercase());
    }
    for word in traits(status).into_iter().map(Trait::word).chain(is_open.then_some(OPEN)) {
        entry.add_text(fields.is, word);
    }
    entry.add_pre_tokenized_text(fields.text, tokens(words::written(&text(status))));
    entry
}

fn text(status: &Status) -> String {
    let media = status.attachments.iter().filter_map(|media| media.description.as_deref());
    let parts = [status.spoiler_text.clone(), html::to_text(&status.content_html)];
    let poll = status.poll.iter().flat_map(|poll| &poll.options).map(|option| option.title.as_str());
    parts.into_iter().chain(media.chain(poll).map(str::to_owned)).collect::<Vec<_>>().join("\n")
}

fn traits(status: &Status) -> Vec<Trait> {
    let has = |kinds: &[AttachmentKind]| status.attachments.iter().any(|media| kinds.contains(&media.kind));
    let all = [
        (Trait::Media, !status.attachments.is_empty()),
        (Trait::Image, has(&[AttachmentKind::Image])),
        (Trait::Video, has(&[AttachmentKind::Video, AttachmentKind::Gifv])),
        (Trait::Audio, has(&[AttachmentKind::Audio])),
        (Trait::Poll, status.poll.is_some()),
        (Trait::Link, status.link.is_some()),
        (Trait::Reply, status.in_reply_to.is_some() || status.in_reply_to_uri.is_some()),
        (Trait::Sensitive, status.sensitive),
    ];
    all.into_iter().filter(|(_, holds)| *holds).map(|(what, _)| what).collect()
}

/// The entry of an account.
pub(super) fn person(account: &Account) -> TantivyDocument {
    let fields = &*FIELDS;
    let mut entry = TantivyDocument::default();
    entry.add_u64(fields.person, account.id.0);
    let names = format!("{} {}", account.display_name, account.acct());
    let beginnings = words::beginnings(&names).into_iter().map(|text| Word { text, at: 0 });
    entry.add_pre_tokenized_text(fields.name, tokens(beginnings.collect()));
    if account.is_discoverable {
        let note = words::written(&html::to_text(&account.note_html));
        entry.add_pre_tokenized_text(fields.note, tokens(note));
    }
    entry
}

fn tokens(words: Vec<Word>) -> PreTokenizedString {
    let token =
        |word: Word| Token { position: word.at, text: word.text, position_length: 1, ..Token::default() };
    PreTokenizedString { text: String::new(), tokens: words.into_iter().map(token).collect() }
}
