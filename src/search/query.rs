//! Questions in the index's own terms.

use std::collections::HashMap;
use std::ops::Bound;

use tantivy::collector::TopDocs;
use tantivy::query::{
    AllQuery, BooleanQuery, EmptyQuery, Occur, PhraseQuery, Query, RangeQuery, TermQuery, TermSetQuery,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{Order, Term};

use super::SearchError;
use super::document::{FIELDS, OPEN};
use super::shelf::Shelf;
use crate::base::{Id, Timestamp};
use crate::domain::search::words::{self, Word};
use crate::domain::search::{Ask, PARTS_MAX, Part, Scope};

/// A question, and what is needed to answer it for somebody.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// What is asked.
    pub ask: Ask,
    /// Who asks.
    pub me: Id,
    /// Posts of others that are theirs to find (`domain::search::library`).
    pub library: Vec<Id>,
    /// The accounts behind the handles of [`Part::From`], as far as known.
    pub authors: HashMap<String, Id>,
    /// Only posts of this account.
    pub author: Option<Id>,
    /// Only posts after this one.
    pub after: Option<Id>,
    /// Only posts before this one.
    pub before: Option<Id>,
}

type Clause = (Occur, Box<dyn Query>);

fn term(term: Term) -> Box<dyn Query> {
    Box::new(TermQuery::new(term, IndexRecordOption::Basic))
}

fn number(field: Field, id: Id) -> Box<dyn Query> {
    term(Term::from_field_u64(field, id.0))
}

fn word(field: Field, text: &str) -> Box<dyn Query> {
    term(Term::from_field_text(field, text))
}

/// Ids of posts, newest first.
pub(super) fn posts(
    shelf: &Shelf,
    wanted: &Wanted,
    offset: usize,
    limit: usize,
) -> Result<Vec<Id>, SearchError> {
    let fields = &*FIELDS;
    let mut clauses: Vec<Clause> = vec![(Occur::Must, theirs(wanted))];
    for (is_negated, part) in &wanted.ask.parts {
        let occur = if *is_negated { Occur::MustNot } else { Occur::Must };
        clauses.push((occur, condition(wanted, part)));
    }
    clauses.extend(wanted.author.map(|author| (Occur::Must, number(fields.author, author))));
    if wanted.after.is_some() || wanted.before.is_some() {
        clauses.push((Occur::Must, between(wanted.after.map(Id::next), wanted.before)));
    }
    newest(shelf, BooleanQuery::new(clauses), "post", offset, limit)
}

/// Ids of accounts, newest first.
pub(super) fn people(shelf: &Shelf, text: &str, limit: usize) -> Result<Vec<Id>, SearchError> {
    let must = |query| (Occur::Must, query);
    let mut names = words::asked_beginnings(text);
    names.truncate(PARTS_MAX);
    let mut note = words::asked(text);
    note.truncate(PARTS_MAX);
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let in_name = names.iter().map(|part| must(word(FIELDS.name, part))).collect();
    let in_note = note.iter().map(|part| must(word(FIELDS.note, &part.text))).collect();
    let either: Vec<Clause> = vec![
        (Occur::Should, Box::new(BooleanQuery::new(in_name))),
        (Occur::Should, Box::new(BooleanQuery::new(in_note))),
    ];
    newest(shelf, BooleanQuery::new(either), "person", 0, limit)
}

fn newest(
    shelf: &Shelf,
    query: BooleanQuery,
    by: &str,
    offset: usize,
    limit: usize,
) -> Result<Vec<Id>, SearchError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let top = TopDocs::with_limit(limit).and_offset(offset);
    let found = shelf.reader.searcher().search(&query, &top.order_by_fast_field::<u64>(by, Order::Desc))?;
    Ok(found.into_iter().filter_map(|(id, _)| id.map(Id)).collect())
}

/// What the asker may find.
fn theirs(wanted: &Wanted) -> Box<dyn Query> {
    let fields = &*FIELDS;
    let mut any: Vec<Clause> = Vec::new();
    if wanted.ask.scope != Scope::Library {
        any.push((Occur::Should, word(fields.is, OPEN)));
    }
    if wanted.ask.scope != Scope::Public {
        any.push((Occur::Should, number(fields.author, wanted.me)));
        any.push((Occur::Should, number(fields.mention, wanted.me)));
        let library = wanted.library.iter().map(|id| Term::from_field_u64(fields.post, id.0));
        if !wanted.library.is_empty() {
            any.push((Occur::Should, Box::new(TermSetQuery::new(library))));
        }
    }
    Box::new(BooleanQuery::new(any))
}

fn condition(wanted: &Wanted, part: &Part) -> Box<dyn Query> {
    let fields = &*FIELDS;
    match part {
        Part::Words(words) => phrase(words),
        Part::Tag(tag) => word(fields.tag, tag),
        Part::Is(what) => word(fields.is, what.word()),
        Part::Language(code) => word(fields.language, code),
        Part::From(handle) if handle.eq_ignore_ascii_case("me") => number(fields.author, wanted.me),
        Part::From(handle) => match wanted.authors.get(handle) {
            Some(author) => number(fields.author, *author),
            None => Box::new(EmptyQuery),
        },
        Part::Within(from, to) => between(from.map(first), to.map(first)),
    }
}

/// Ids begin with the time, so a time is a range of ids.
fn first(at: Timestamp) -> Id {
    Id::first_at(at)
}

/// Posts from the first of these ids on, up to but without the second.
fn between(from: Option<Id>, to: Option<Id>) -> Box<dyn Query> {
    let bound = |id: Id| Term::from_field_u64(FIELDS.post, id.0);
    if from.is_none() && to.is_none() {
        return Box::new(AllQuery);
    }
    let from = from.map_or(Bound::Unbounded, |id| Bound::Included(bound(id)));
    let to = to.map_or(Bound::Unbounded, |id| Bound::Excluded(bound(id)));
    Box::new(RangeQuery::new(from, to))
}

fn phrase(words: &[Word]) -> Box<dyn Query> {
    match words {
        [] => Box::new(AllQuery),
        [one] => word(FIELDS.text, &one.text),
        several => {
            let terms = several.iter().map(|w| (w.at, Term::from_field_text(FIELDS.text, &w.text)));
            Box::new(PhraseQuery::new_with_offset(terms.collect()))
        }
    }
}
