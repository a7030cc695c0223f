//! From a received text to what it asks for.

use std::collections::HashMap;

use super::choice::choice;
use super::emoji::emoji;
use super::normalise::{Normalised, latin_look, normalise, unwrap_request};
use super::reaction::{is_automatic, is_reaction};
use super::reserved::{self, Command, Holds, Matched};
use super::{Keyword, MAX_CHARS};
use crate::domain::language::Language;

/// Words of a text that are looked at for a keyword; a call to action asks for one word.
const READ_WORDS: usize = 64;
/// Shortest word, on both sides, that is read with a typo in it.
const MIN_TYPO_CHARS: usize = 4;
/// Most words in a text whose words are tried one by one for a typo; in more it is conversation.
const MAX_TYPO_WORDS: usize = 3;
/// Most words around an emoji that asks for something; in more it is decoration.
const MAX_EMOJI_WORDS: usize = 5;
/// Shortest keyword found in the middle of other words: GO in "I go home" asks for nothing.
const MIN_INNER_CHARS: usize = 3;

/// All keywords and aliases of one sender, each with what it leads to.
///
/// `T` is what a keyword stands for; equal targets are the same campaign under several names.
#[derive(Clone, Debug)]
pub struct Book<T> {
    entries: Vec<Entry<T>>,
    by_word: HashMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Entry<T> {
    word: Keyword,
    look: String,
    chars: usize,
    target: T,
}

/// Two keywords of one sender are the same word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("keyword {keyword} is given twice")]
pub struct Clash {
    /// The word in question.
    pub keyword: Keyword,
}

/// What one text asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route<T> {
    /// No more messages, please; outranks everything.
    OptOut {
        /// By word or by sentence.
        matched: Matched,
        /// In which language.
        language: Language,
    },
    /// START and its like.
    OptIn(Language),
    /// HELP and its like.
    Help(Language),
    /// The person's own codes.
    MyCodes,
    /// A keyword of this sender.
    Keyword {
        /// The keyword as it is in the book.
        word: Keyword,
        /// What it leads to.
        target: T,
    },
    /// One edit from exactly one keyword.
    NearMiss {
        /// What was read, normalised; at most one character longer than a keyword can be.
        read: String,
        /// The keyword it was taken for.
        word: Keyword,
        /// What that leads to.
        target: T,
    },
    /// Two keywords fit equally, neither of them first.
    Ambiguous([(Keyword, T); 2]),
    /// Words, but none of ours.
    Unknown,
    /// A phone's report that somebody liked a message; nobody wrote it.
    Reaction,
    /// A phone or a mailbox answered by itself; nobody wrote it.
    Automatic,
    /// No letter and no digit, and no emoji of ours.
    Empty,
}

impl<T: Clone + PartialEq> Book<T> {
    /// Builds the book of one sender.
    ///
    /// # Errors
    /// [`Clash`] names the first word that is given twice.
    pub fn new(words: impl IntoIterator<Item = (Keyword, T)>) -> Result<Book<T>, Clash> {
        let mut book = Book { entries: Vec::new(), by_word: HashMap::new() };
        for (word, target) in words {
            let number = book.entries.len();
            if book.by_word.insert(word.as_str().to_owned(), number).is_some() {
                return Err(Clash { keyword: word });
            }
            let look = latin_look(word.as_str());
            let chars = look.chars().count();
            book.entries.push(Entry { word, look, chars, target });
        }
        Ok(book)
    }

    /// Every word of the book with its target, in the order given.
    pub fn iter(&self) -> impl Iterator<Item = (&Keyword, &T)> {
        self.entries.iter().map(|entry| (&entry.word, &entry.target))
    }

    /// What `raw` asks for when no question of ours is open.
    ///
    /// In this order: reaction, nothing, opt-out, help, opt-in, MYCODES, keyword, machine, emoji, near miss. Reads
    /// the first 1 600 characters and at most 64 words.
    #[must_use]
    pub fn route(&self, raw: &str) -> Route<T> {
        if is_reaction(raw) {
            return Route::Reaction;
        }
        let text = normalise(raw);
        if text.joined().is_empty() {
            return self.drawn(raw);
        }
        match reserved::command(&text, || self.holds(&text)) {
            Some(Command::OptOut(matched, language)) => return Route::OptOut { matched, language },
            Some(Command::OptIn(language)) => return Route::OptIn(language),
            Some(Command::Help(language)) => return Route::Help(language),
            Some(Command::MyCodes) => return Route::MyCodes,
            None => {}
        }
        let core = text.core();
        let asked = unwrap_request(&core);
        match self.named(&text, asked).as_slice() {
            [] => {}
            [entry] => return entry.route(),
            [first, second, others @ ..] => {
                return if others.is_empty() { ambiguous(first, second) } else { Route::Unknown };
            }
        }
        if is_automatic(&text) {
            return Route::Automatic;
        }
        let drawn = if asked.len() <= MAX_EMOJI_WORDS { self.drawn_in(&emoji(raw)) } else { None };
        drawn.or_else(|| self.near_miss(asked)).unwrap_or(Route::Unknown)
    }

    /// A text without letters and digits.
    fn drawn(&self, raw: &str) -> Route<T> {
        let emoji = emoji(raw);
        if reserved::is_stop_sign(&emoji) {
            return Route::OptOut { matched: Matched::Intent, language: Language::English };
        }
        self.drawn_in(&emoji).unwrap_or(Route::Empty)
    }

    /// The first emoji of the book in a row of emoji; of two that begin there, the longer one.
    fn drawn_in(&self, emoji: &str) -> Option<Route<T>> {
        if reserved::has_stop_sign(emoji) {
            return None;
        }
        let starts = emoji.char_indices().filter_map(|(at, _)| emoji.get(at..));
        let drawn = self.entries.iter().filter(|entry| entry.word.is_emoji());
        let found = |rest: &str| {
            let begins = drawn.clone().filter(|entry| rest.starts_with(entry.word.as_str()));
            begins.max_by_key(|entry| entry.chars)
        };
        starts.into_iter().find_map(found).map(Entry::route)
    }

    /// Which of two choices `raw` takes, from 0; `None` when it says anything else, or a keyword that happens to be a
    /// number.
    #[must_use]
    pub fn choice(&self, raw: &str) -> Option<usize> {
        let text = normalise(raw);
        choice(&text).filter(|_| self.whole(&text, &text.core()).is_none())
    }

    fn holds(&self, text: &Normalised) -> Holds {
        let core = text.core();
        let asked = unwrap_request(&core);
        if self.whole(text, asked).is_some() {
            Holds::Whole
        } else if self.found(asked).is_empty() {
            Holds::No
        } else {
            Holds::Part
        }
    }

    fn lookup(&self, word: &str) -> Option<&Entry<T>> {
        self.by_word.get(word).and_then(|number| self.entries.get(*number))
    }

    fn whole(&self, text: &Normalised, asked: &[&str]) -> Option<&Entry<T>> {
        self.lookup(text.joined()).or_else(|| {
            let chars: usize = asked.iter().map(|word| word.len()).sum();
            // a letter takes at most four bytes
            (chars <= MAX_CHARS * 4).then(|| self.lookup(&asked.concat())).flatten()
        })
    }

    /// The whole text, else the longest keyword in front, else those anywhere, one for each target.
    fn named(&self, text: &Normalised, asked: &[&str]) -> Vec<&Entry<T>> {
        let one = self.whole(text, asked).or_else(|| self.longest_at(asked).map(|(entry, _)| entry));
        if let Some(entry) = one {
            return vec![entry];
        }
        by_target(self.found(asked))
    }

    /// The longest keyword made of the first words, with the number of words it takes.
    fn longest_at(&self, words: &[&str]) -> Option<(&Entry<T>, usize)> {
        let mut joined = String::new();
        let mut best = None;
        for (index, word) in words.iter().enumerate() {
            joined.push_str(word);
            if joined.len() > MAX_CHARS * 4 {
                break;
            }
            if let Some(entry) = self.lookup(&joined) {
                best = Some((entry, index + 1));
            }
        }
        best
    }

    /// The keywords that stand in a text, from left to right, without overlap.
    fn found(&self, words: &[&str]) -> Vec<&Entry<T>> {
        let mut rest = words.get(..READ_WORDS).unwrap_or(words);
        let mut found = Vec::new();
        while !rest.is_empty() {
            let mut taken = 1;
            if let Some((entry, length)) = self.longest_at(rest)
                && entry.chars >= MIN_INNER_CHARS
            {
                found.push(entry);
                taken = length;
            }
            rest = rest.get(taken..).unwrap_or_default();
        }
        found
    }

    /// The one keyword at distance one, first for the words as one, then for each of a few words.
    fn near_miss(&self, asked: &[&str]) -> Option<Route<T>> {
        if asked.len() > MAX_CHARS {
            return None;
        }
        let joined = asked.concat();
        let single = (asked.len() > 1 && asked.len() <= MAX_TYPO_WORDS).then_some(asked);
        let reads = std::iter::once(joined.as_str()).chain(single.into_iter().flatten().copied());
        let near: Vec<_> = reads.flat_map(|read| self.neighbours(read).into_iter().map(move |at| (read, at))).collect();
        let least = near.iter().map(|(_, (distance, _))| *distance).min()?;
        let nearest = near.into_iter().filter(|(_, (distance, _))| *distance == least);
        let (reads, entries): (Vec<_>, Vec<_>) = nearest.map(|(read, (_, entry))| (read, entry)).unzip();
        let read = (*reads.first()?).to_owned();
        match by_target(entries).as_mut_slice() {
            [entry] => Some(Route::NearMiss { read, word: entry.word.clone(), target: entry.target.clone() }),
            [one, other] => {
                let (first, second) = if one.word <= other.word { (one, other) } else { (other, one) };
                Some(ambiguous(first, second))
            }
            _ => None,
        }
    }

    /// Keywords that look like `read` or are one edit from it; none when a reserved word is that near.
    fn neighbours(&self, read: &str) -> Vec<(usize, &Entry<T>)> {
        let look = latin_look(read);
        let chars = look.chars().count();
        if !(MIN_TYPO_CHARS..=MAX_CHARS + 1).contains(&chars) || reserved::clash(&look).is_some() {
            return Vec::new();
        }
        let near = |entry: &&Entry<T>| entry.chars >= MIN_TYPO_CHARS && entry.chars.abs_diff(chars) <= 1;
        let measured = |entry| {
            let distance = one_edit(&look, entry)?;
            Some((distance, entry))
        };
        self.entries.iter().filter(near).filter_map(measured).collect()
    }
}

impl<T: Clone> Entry<T> {
    fn route(&self) -> Route<T> {
        Route::Keyword { word: self.word.clone(), target: self.target.clone() }
    }
}

fn ambiguous<T: Clone>(first: &Entry<T>, second: &Entry<T>) -> Route<T> {
    let choice = |entry: &Entry<T>| (entry.word.clone(), entry.target.clone());
    Route::Ambiguous([choice(first), choice(second)])
}

/// The first entry of each target, in the order given.
fn by_target<T: PartialEq>(entries: Vec<&Entry<T>>) -> Vec<&Entry<T>> {
    let mut kept: Vec<&Entry<T>> = Vec::new();
    for entry in entries {
        if kept.iter().all(|known| known.target != entry.target) {
            kept.push(entry);
        }
    }
    kept
}

/// Distance 0 or 1 (two neighbours swapped count as one edit), `None` beyond.
fn one_edit<T>(look: &str, entry: &Entry<T>) -> Option<usize> {
    Some(strsim::osa_distance(look, &entry.look)).filter(|distance| *distance <= 1)
}
