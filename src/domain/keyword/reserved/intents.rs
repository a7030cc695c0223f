//! Ways to say opt out in a sentence.

use super::typos;
use super::words::HARD;
use crate::domain::language::Language::{self, English, French, Spanish};

/// A run of neighbouring words, each given by its alternatives.
type Pattern = &'static [&'static [&'static str]];

/// Anywhere in a text.
const ANYWHERE: &[(Language, &[Pattern])] = &[
    (
        English,
        &[
            &[&["STOP", "QUIT", "CEASE"], CONTACTING],
            &[&["STOP", "QUIT", "CANCEL", "END"], &["MY", "THE", "THESE", "THIS", "YOUR", "ALL", "ANY"], MESSAGES],
            &[&["STOP", "QUIT", "CANCEL", "END"], MESSAGES],
            &[&["DONT", "NEVER"], TO_TEXT, ADDRESSEE],
            &[&["DO"], &["NOT"], TO_TEXT, ADDRESSEE],
            &[&["DONT", "NEVER", "NOT"], &["EVER", "EVEN"], TO_TEXT, ADDRESSEE],
            &[&["REMOVE", "DELETE"], &["ME"]],
            &[&["REMOVE", "DELETE", "TAKE", "LOSE", "ERASE"], &["MY", "THIS"], &["NUMBER", "PHONE", "NAME", "CELL"]],
            &[&["TAKE", "GET"], &["ME"], &["OFF"]],
            &[&["TAKE", "GET"], &["ME"], &["OUT"], &["OF", "FROM"], &["THIS", "THE", "YOUR", "THESE", "ALL", "HERE"]],
            &[&["NO"], &["MORE"], MESSAGES],
            &[&["NO"], &["MORE"], &["OF"], &["THESE", "THIS", "THE", "YOUR"], MESSAGES],
            &[&["NO"], &["LONGER", "MORE"], &["WANT", "WISH", "NEED"], &["TO"], RECEIVE],
            &[&["NO"], &["LONGER"], &["WANT", "NEED"], &["THESE", "THIS", "YOUR", "ANY", "THE"], MESSAGES],
            &[&["NO"], &["LONGER"], &["WANT", "NEED"], MESSAGES],
            &[&["DONT", "NOT"], &["WANT", "NEED", "LIKE"], &["THESE", "THIS", "YOUR", "ANY", "MORE", "THE"], MESSAGES],
            &[&["DONT", "NOT"], &["WANT", "NEED"], &["ANY"], &["MORE"], MESSAGES],
            &[&["DONT", "NOT"], &["WANT", "NEED"], MESSAGES],
            &[&["DONT", "NOT"], &["WANT", "WISH"], &["TO"], RECEIVE, OF_THEM],
            &[&["LEAVE"], &["ME"], &["ALONE"]],
            &[&["WRONG"], &["NUMBER", "PERSON"]],
            &[&["UNSUBSCRIBE"]],
            &[&["OPT", "OPTING"], &["OUT"]],
            &[&["OPT"], &["ME"], &["OUT"]],
            &[&["SIGN"], &["ME"], &["OUT"]],
            &[&["CEASE"], &["AND"], &["DESIST"]],
            &[&["REVOKE", "WITHDRAW"], &["MY"], &["CONSENT", "PERMISSION"]],
        ],
    ),
    (
        Spanish,
        &[
            &[&["NO"], &["ME"], WRITE_ME_ES],
            &[&["NO"], &["MAS"], MESSAGES_ES],
            &[&["NO"], &["QUIERO"], &["MAS", "RECIBIR", "SUS", "ESTOS", "TUS"]],
            &[&["NO"], &["QUIERO"], MESSAGES_ES],
            &[&["NO"], &["DESEO"], &["RECIBIR", "MAS"]],
            &[&["DEJEN", "DEJA", "DEJE", "DEJAR", "PAREN", "PARE"], &["DE"], SENDING_ES],
            &[&["DARME", "DAR", "DEN", "DENME", "DAME"], &["DE"], &["BAJA"]],
            &[&["QUITAME", "QUITENME", "SACAME", "SAQUENME", "BORRAME", "BORRENME", "ELIMINAME", "ELIMINENME"]],
            &[&["NUMERO"], &["EQUIVOCADO"]],
            &[&["CANCELAR", "CANCELA", "CANCELEN", "CANCELE"], &["MI", "LA", "ESTA"], &["SUSCRIPCION"]],
            &[&["DEJAME", "DEJENME"], &["EN"], &["PAZ"]],
        ],
    ),
    (
        French,
        &[
            &[&["PLUS"], &["DE"], MESSAGES_FR],
            &[&["ARRETEZ", "ARRETE", "CESSEZ", "STOPPEZ"], &["DE", "LES", "VOS", "CES"]],
            &[&["NE"], &["MENVOYEZ", "MENVOIE", "MECRIVEZ", "MECRIS"], &["PLUS", "PAS"]],
            &[&["NE"], &["PLUS"], &["RECEVOIR", "MENVOYER", "MECRIRE"]],
            &[&["ME", "MOI"], &["DESABONNER", "DESINSCRIRE"]],
            &[&["DESABONNEZ", "DESINSCRIVEZ", "RETIREZ", "ENLEVEZ", "SUPPRIMEZ"], &["MOI", "MON"]],
            &[&["MAUVAIS", "FAUX"], &["NUMERO"]],
            &[&["LAISSEZ"], &["MOI"], &["TRANQUILLE"]],
        ],
    ),
];

/// Only when they are all that is said, courtesies apart.
const ALONE: &[(Language, &[&str])] = &[
    (
        English,
        &[
            "NO MORE",
            "NO TEXTS",
            "NO MESSAGES",
            "NO TEXTING",
            "DONT TEXT",
            "DO NOT TEXT",
            "DONT CALL",
            "DO NOT CALL",
            "DONT MESSAGE",
            "DO NOT MESSAGE",
            "DO NOT CONTACT",
            "DONT CONTACT",
            "GO AWAY",
            "NOT INTERESTED",
            "IM NOT INTERESTED",
            "I AM NOT INTERESTED",
            "NO LONGER INTERESTED",
            "I WANT OUT",
            "TAKE ME OUT",
            "ENOUGH",
            "STOP IT",
            "PLEASE STOP",
            "I QUIT THIS",
            "QUIT IT",
            "QUIT THIS",
            "STOPPED",
            "UNSUBSCRIBED",
            "FUCK OFF",
            "PISS OFF",
            "BUG OFF",
            "GET LOST",
            "STOP SPAM",
            "SPAM",
            "STOP AT ONCE",
        ],
    ),
    (Spanish, &["NO MAS", "BASTA", "YA NO MAS", "YA BASTA", "NO GRACIAS NO MAS", "QUIERO BAJA", "NO INSISTAN"]),
    (French, &["ARRETEZ", "ARRETE", "CESSEZ", "DESABONNEMENT", "DESINSCRIRE", "DESINSCRIPTION", "PLUS DE"]),
];

const CONTACTING: &[&str] =
    &["TEXTING", "TXTING", "MESSAGING", "SENDING", "CONTACTING", "BOTHERING", "SPAMMING", "CALLING", "HARASSING"];
const MESSAGES: &[&str] = &[
    "TEXT",
    "TEXTS",
    "TXT",
    "TXTS",
    "MESSAGE",
    "MESSAGES",
    "MSG",
    "MSGS",
    "SMS",
    "ALERTS",
    "SPAM",
    "SUBSCRIPTION",
    "SUBSCRIPTIONS",
    "NOTIFICATIONS",
    "ADS",
];
const TO_TEXT: &[&str] = &["TEXT", "TXT", "MESSAGE", "MSG", "CONTACT", "SEND", "BOTHER", "SPAM", "CALL"];
const ADDRESSEE: &[&str] =
    &["ME", "US", "THIS", "HERE", "AGAIN", "ANYMORE", "ANY", "ANYTHING", "MESSAGES", "TEXTS", "TO"];
const RECEIVE: &[&str] = &["RECEIVE", "GET", "HEAR", "BE", "HAVE", "SEE"];
const OF_THEM: &[&str] = &[
    "THESE",
    "THIS",
    "YOUR",
    "ANY",
    "MORE",
    "TEXTS",
    "MESSAGES",
    "TEXT",
    "MESSAGE",
    "FROM",
    "TEXTED",
    "CONTACTED",
    "MESSAGED",
    "THEM",
    "ALERTS",
    "NOTIFICATIONS",
];
const MESSAGES_ES: &[&str] = &["MENSAJES", "MENSAJE", "TEXTOS", "SMS", "PROMOCIONES", "PUBLICIDAD", "NADA"];
const WRITE_ME_ES: &[&str] = &[
    "MANDEN",
    "MANDES",
    "MANDE",
    "ENVIEN",
    "ENVIES",
    "ENVIE",
    "ESCRIBAN",
    "ESCRIBAS",
    "ESCRIBA",
    "MOLESTEN",
    "MOLESTES",
    "MOLESTE",
    "CONTACTEN",
    "LLAMEN",
    "TEXTEEN",
    "TEXTEES",
];
const SENDING_ES: &[&str] = &[
    "ENVIARME",
    "MANDARME",
    "ESCRIBIRME",
    "MOLESTAR",
    "MOLESTARME",
    "TEXTEARME",
    "CONTACTARME",
    "ENVIAR",
    "MANDAR",
    "LLAMARME",
    "JODER",
];
const MESSAGES_FR: &[&str] = &["MESSAGES", "MESSAGE", "SMS", "TEXTOS", "TEXTO", "PUB", "PUBS", "PUBLICITE"];

/// Words of their own that a word of a pattern is not meant by.
const OTHER_WORDS: &[&str] = &[
    "TEST", "TESTS", "TESTING", "TEXAS", "TENTS", "NEXT", "LEND", "SPEND", "BEND", "MEND", "TEND", "MOTHER", "BROTHER",
    "OTHER", "MASSAGE", "MASSAGES", "EVER", "FEVER", "LEVER", "CLEVER", "SEVER", "MAKE", "WAKE", "BAKE", "CAKE",
    "LAKE", "RAKE", "SAKE", "FAKE", "TALE", "TAPE", "STAKE", "TAKEN", "LOVE", "LEAVES", "HEAVE", "WEAVE", "LUMBER",
    "NAMED", "GAME", "SAME", "CAME", "FAME", "TAME", "CELLS", "SELL", "TELL", "BELL", "WELL", "CALM", "BALL", "TALL",
    "FALL", "HALL", "MALL", "WALL", "CALLED", "ALONG", "CLONE", "HELD", "HEAR", "HERE", "ANYTIME", "OFFER", "DEALS",
    "REMOTE", "CANCER", "LOSS", "ROSE", "NOSE", "HOSE", "POSE", "DOSE", "CLOSE", "LONE", "LOSER", "MOSE", "LISTEN",
    "PRONG", "PARSON", "MAUVAISE", "PHONY", "PRONE", "SPAN", "SPA", "SCAM", "SWAM", "PUMA", "SENT", "SAND", "SENDS",
    "SEEN", "TEXTILE", "TASTING", "FALLING", "FENDING", "MENDING", "SPENDING", "LENDING", "BENDING", "TENDING",
    "CULLING",
];

/// Whether the words mean opt out, and in which language.
///
/// `bare` is the text without courtesies and interjections. A word of a pattern may be written with one edit where it
/// is long enough, or where the pattern is.
pub(super) fn heard(words: &[&str], bare: &[&str]) -> Option<Language> {
    let alone = || ALONE.iter().find(|(_, sentences)| sentences.iter().any(|sentence| is_all(sentence, bare)));
    let within = || ANYWHERE.iter().find(|(_, patterns)| patterns.iter().any(|pattern| stands_in(pattern, words)));
    let language = alone().map(|(language, _)| *language).or_else(|| within().map(|(language, _)| *language))?;
    // "unsubscribe me" is the word of the list, not a sentence
    (!word_alone(words)).then_some(language)
}

/// Whether a sentence is all that is said; its long words may have a typo.
fn is_all(sentence: &str, said: &[&str]) -> bool {
    let meant = sentence.split(' ');
    let same = |(word, meant): (&&str, &str)| *word == meant || is_typo(word, meant, 1);
    meant.clone().count() == said.len() && said.iter().zip(meant).all(same)
}

/// Whether a short text opens with a hard word, so that the word itself decides.
fn word_alone(words: &[&str]) -> bool {
    let hard = |word: &&str| HARD.iter().any(|(_, set)| set.contains(word));
    words.len() <= 2 && words.first().is_some_and(hard) && words.get(1).is_none_or(|word| *word == "ME")
}

fn stands_in(pattern: Pattern, words: &[&str]) -> bool {
    words.windows(pattern.len()).any(|run| fits(pattern, run))
}

/// Whether the words are those of the pattern, one of them perhaps with a typo.
fn fits(pattern: Pattern, run: &[&str]) -> bool {
    let mut typos = 0;
    run.iter().zip(pattern).all(|(word, alternatives)| {
        if alternatives.contains(word) {
            return true;
        }
        typos += 1;
        typos == 1 && alternatives.iter().any(|meant| is_typo(word, meant, pattern.len()))
    })
}

/// The fewer words a pattern has, the longer a word must be to be known with a typo in it.
fn is_typo(word: &str, meant: &str, words: usize) -> bool {
    let shortest = match words {
        0 | 1 => 7,
        2 => 5,
        _ => 4,
    };
    let (length, own) = (word.chars().count(), meant.len());
    if meant == "STOP" {
        return typos::within_one(&[(English, &["STOP"])], word).is_some();
    }
    own >= shortest
        && length.abs_diff(own) <= 1
        && !OTHER_WORDS.contains(&word)
        && strsim::osa_distance(word, meant) <= 1
}
