//! Opt-out words with a typo in them. Revocation counts in any words that a reasonable person understands (47 CFR
//! 64.1200(a)(10)), so STPO is one; SHOP, AND and ALSO are words of their own and never are.

use super::words::{self, OPT_OUT};
use crate::domain::language::Language;

/// Shortest opt-out word that is read with a typo: every two letters are one edit from TD.
const MIN_CHARS: usize = 3;

/// Real words, names and abbreviations one edit from an opt-out word, in the languages that are heard.
const ORDINARY: &[&str] = &[
    // STOP
    "SHOP", "STEP", "TOP", "ATOP", "SLOP", "STOOP", "STOW", "SOP", "STOMP", "STROP", "SWOP", "STOT", "STOUP", "SCOP",
    // END
    "AND", "SEND", "BEND", "LEND", "MEND", "TEND", "VEND", "FEND", "REND", "WEND", "PEND", "ENDS", "ENDO", "ENID",
    "ENG", "ENT", "ENV", "ENS", "ENA", "NED", "EOD", "EAD", "EID", "ELD", "IND", "UND", "OND", "EYED", "ENC",
    // QUIT
    "QUITE", "QUIET", "SUIT", "QUIP", "QUIZ", "QUID", "QUINT", "QUILT", "QUOIT", "QUIN", "QUI",
    // CANCEL, REVOKE, REMOVE
    "CANCER", "CHANCEL", "EVOKE", "REVOTE", "REMOTE", "REMOVER", "REMOVED", // ALTO
    "ALSO", "AUTO", "ALTA", "ALOT", "ALT", "ALDO", "ALTON", "SALTO", "FALTO", "PALTO", "ATO", "LATO", "ALO", "HALTO",
    "ALGO", "ACTO", "APTO", "ALZO", "ALTRO", "ALTOS", // PARAR
    "PARA", "PAGAR", "PASAR", "PARIR", "PARRA", "PARAS", "PARAM", "PAJAR", "VARAR", "TARAR", "PARAN",
    // BAJA
    "BAJO", "CAJA", "FAJA", "PAJA", "RAJA", "MAJA", "BALA", "BATA", "BABA", "BAHA", "BASA", "BAZA", "BAYA", "BAJAN",
    "BAJAR", "BAJAS", "BAJE", "BACA", "BAA", "AJA", // DETENER, NO MAS
    "RETENER", "NOMAD", "TOMAS", "COMAS", "LOMAS", "NORMAS", "GOMAS", "BOMAS", "DOMAS", "ROMAS", "NOMA",
    // ARRET
    "ARREST", "GARRET", "BARRET", "JARRET",
];

/// The language of the opt-out word that `said` is one edit from; `None` for words of their own.
pub(super) fn opt_out(said: &str) -> Option<Language> {
    within_one(OPT_OUT, said)
}

/// The same for any of the sets.
pub(super) fn within_one(set: &words::Words, said: &str) -> Option<Language> {
    let length = said.chars().count();
    if length < MIN_CHARS || ORDINARY.contains(&said) {
        return None;
    }
    let near = |word: &&&str| {
        let (word, own) = (**word, word.len());
        own >= MIN_CHARS && own.abs_diff(length) <= 1 && strsim::osa_distance(said, word) <= 1
    };
    set.iter().find(|(_, words)| words.iter().any(|word| near(&word))).map(|(language, _)| *language)
}
