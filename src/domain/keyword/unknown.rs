//! Unknown words, in the form in which they are counted.

use super::normalise::normalise;

/// Longest form that is kept, characters.
pub const MAX_UNKNOWN_CHARS: usize = 40;
/// Most words that are kept; more is talk, and talk names people.
const MAX_WORDS: usize = 3;
/// So many digits in a row could be somebody's number.
const NUMBER_DIGITS: usize = 4;

/// The form in which an unknown text is counted; empty for talk, for what could be a number, and for long texts.
#[must_use]
pub fn unknown(raw: &str) -> String {
    let text = normalise(raw);
    let is_number = text.text().split(|c: char| !c.is_numeric()).any(|run| run.chars().count() >= NUMBER_DIGITS);
    let is_spread = text.joined().chars().filter(|c| c.is_numeric()).count() >= 2 * NUMBER_DIGITS;
    let is_long = text.text().chars().count() > MAX_UNKNOWN_CHARS || text.words().count() > MAX_WORDS;
    if is_number || is_spread || is_long { String::new() } else { text.text().to_owned() }
}

/// One group of unknown words: spellings of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The words with their counts, the most frequent first.
    pub words: Vec<(String, u64)>,
}

impl Cluster {
    /// How often any of them was texted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.words.iter().map(|(_, n)| n).sum()
    }

    /// The most frequent spelling.
    #[must_use]
    pub fn name(&self) -> &str {
        self.words.first().map_or("", |(word, _)| word)
    }
}

/// Puts near spellings together: one edit in words of four letters or more, two from eight on. The most frequent
/// spelling names a group; groups come by how often they were texted.
#[must_use]
pub fn clusters(mut words: Vec<(String, u64)>) -> Vec<Cluster> {
    words.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut found: Vec<Cluster> = Vec::new();
    for (word, n) in words {
        match found.iter_mut().find(|cluster| is_near(cluster.name(), &word)) {
            Some(cluster) => cluster.words.push((word, n)),
            None => found.push(Cluster { words: vec![(word, n)] }),
        }
    }
    found.sort_by(|a, b| b.count().cmp(&a.count()).then_with(|| a.name().cmp(b.name())));
    found
}

/// Whether two words are spellings of one thing.
#[must_use]
pub fn is_near(a: &str, b: &str) -> bool {
    let joined = |word: &str| word.chars().filter(|c| *c != ' ').collect::<String>();
    let (a, b) = (joined(a), joined(b));
    let shorter = a.chars().count().min(b.chars().count());
    let most = match shorter {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    strsim::osa_distance(&a, &b) <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_name_a_person_is_not_kept() {
        for (text, kept) in [
            ("piza pie!", "PIZA PIE"),
            ("PIZZA 20", "PIZZA 20"),
            ("call 2025550123", ""),
            ("202 555 0123", ""),
            ("20 25 55 01 23", ""),
            ("my name is anna", ""),
            ("supercalifragilistic expialidocious yesterday", ""),
            ("🍔", ""),
        ] {
            assert_eq!(unknown(text), kept, "{text}");
        }
    }

    #[test]
    fn near_spellings_are_one_group_named_by_the_most_frequent() {
        let words =
            [("PIZA", 3), ("PIZAA", 9), ("PIE", 5), ("PIZ AA", 1), ("SUPERSUP", 2), ("SUPERZIP", 2), ("PIT", 1)];
        let found = clusters(words.map(|(word, n)| (word.to_owned(), n)).to_vec());
        let told: Vec<_> = found.iter().map(|one| (one.name(), one.count(), one.words.len())).collect();
        assert_eq!(told, [("PIZAA", 13, 3), ("PIE", 5, 1), ("SUPERSUP", 4, 2), ("PIT", 1, 1)]);
    }
}
