//! Words that a drawn code must not spell.
//!
//! The list is part of every derived code (see [`super::derived`]): a word added or removed moves positions of pools
//! that are out. A test pins it; a longer list is a second list beside this one, never an edit.

/// Version 1, written as folded (see [`fold`]): English first, then what German, French and Spanish draws would regret.
#[rustfmt::skip]
const ROOTS_V1: &[&str] = &[
    "ANAL", "ANUS", "ARSE", "ASS", "BASTARD", "BITCH", "BLOWJOB", "BONER", "BOOB", "BUGGER",
    "BUTT", "COCK", "COON", "CRAP", "CUM", "CUNT", "DAMN", "DICK", "DIE", "DILDO", "DUMB", "DYKE",
    "FAG", "FAT", "FCK", "FECK", "FICK", "FKU", "FOTZE", "FUC", "FUK", "FUX", "GAY", "GOOK",
    "HATE", "HELL", "HITLER", "HOMO", "HURE", "IDIOT", "JAP", "JERK", "JEW", "JIZZ", "KIKE",
    "KILL", "KKK", "KYS", "LESBO", "MERDE", "MORON", "MUFF", "NAZI", "NEGER", "NEGRO", "NIGG",
    "NUTTE", "PAKI", "PENIS", "PISS", "POOP", "PORN", "PRICK", "PUSSY", "PUTA", "RAPE", "SCHEISS",
    "SEX", "SHIT", "SKANK", "SLUT", "SPERM", "SUCK", "SUX", "TIT", "TURD", "TWAT", "UAGINA",
    "WANK", "WHORE",
];

/// Folded symbols of which every root holds one before its last symbol. A draw without them spells no root, whatever
/// follows: that is what makes [`super::derived`]'s start points clean.
const KEYS: &[u8] = b"AEIOUYKF";

/// Whether a run of upper-case ASCII letters and digits spells none of the listed roots, digits read as the letters they
/// look like (`4SS`, `5H1T`, `FVCK`).
///
/// A root inside a harmless word is refused too: nobody misses one draw.
#[must_use]
pub fn is_clean(run: &str) -> bool {
    let folded: Vec<u8> = run.bytes().map(fold).collect();
    !(0..folded.len()).any(|from| folded.get(from..).is_some_and(begins_with_a_root))
}

/// Roots that no person's name holds: refused wherever they stand in a name somebody chose.
#[rustfmt::skip]
const NEVER_IN_A_NAME: &[&str] = &[
    "BASTARD", "BITCH", "BLOWJOB", "CUNT", "DILDO", "FCK", "FKU", "FOTZE", "FUC", "HITLER", "JIZZ", "KKK",
    "NEGER", "NIGG", "PENIS", "PORN", "PUSSY", "SCHEISS", "SKANK", "SLUT", "TWAT", "WHORE",
];

/// Whether a name that a person chose can be said aloud: it holds none of the worst roots, and it is no listed root
/// alone, with or without digits around it. Unlike [`is_clean`], which judges chance, it lets Cassie and Michelle pass.
#[must_use]
pub fn is_decent_name(upper: &str) -> bool {
    let folded = |text: &str| text.bytes().map(|byte| char::from(fold(byte))).collect::<String>();
    let whole = folded(upper);
    let bare = folded(upper.trim_matches(|sign: char| sign.is_ascii_digit()));
    let is_root = |name: &str| ROOTS_V1.contains(&name);
    !is_root(&whole) && !is_root(&bare) && !NEVER_IN_A_NAME.iter().any(|root| whole.contains(root))
}

fn begins_with_a_root(text: &[u8]) -> bool {
    ROOTS_V1.iter().any(|root| text.starts_with(root.as_bytes()))
}

/// The letter that a symbol is read as.
const fn fold(symbol: u8) -> u8 {
    match symbol {
        b'0' => b'O',
        b'1' => b'I',
        b'2' => b'Z',
        b'3' => b'E',
        b'4' => b'A',
        b'5' => b'S',
        b'6' | b'9' => b'G',
        b'7' => b'T',
        b'8' => b'B',
        b'V' => b'U',
        other => other,
    }
}

/// Whether a draw of such symbols alone can begin no root.
#[must_use]
pub const fn is_harmless(symbol: u8) -> bool {
    let folded = fold(symbol);
    let mut at = 0;
    while at < KEYS.len() {
        #[expect(clippy::indexing_slicing, reason = "const fn: `at` is below the length by the loop")]
        if KEYS[at] == folded {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listed_words_are_found_anywhere_and_in_disguise() {
        for bad in ["ASS", "XXASSXX", "4SS", "A55", "FUCK", "FVCK", "2FUCK2", "5H1T", "8ITCH", "KKK", "N4Z1", "NAZI"] {
            assert!(!is_clean(bad), "{bad}");
        }
    }

    #[test]
    fn ordinary_draws_pass() {
        for good in ["7K2M9QXT", "", "PZA", "HJKMNPQR", "W9CQXRT2", "AS", "FC"] {
            assert!(is_clean(good), "{good}");
        }
    }

    #[test]
    fn a_chosen_name_is_judged_whole_and_only_the_worst_words_inside_it() {
        for bad in ["ASS", "4SS", "ASS24", "7TIT7", "FVCKYOU", "SLUTTY", "XX8ITCH"] {
            assert!(!is_decent_name(bad), "{bad}");
        }
        for good in ["CASSIE", "MICHELLE", "ANNA24", "GOLDIE", "HARSHIT"] {
            assert!(is_decent_name(good), "{good}");
        }
    }

    #[test]
    fn every_root_is_folded_distinct_and_holds_a_key_before_its_end() {
        let mut seen = std::collections::BTreeSet::new();
        for root in ROOTS_V1 {
            assert!(root.bytes().all(|b| b.is_ascii_uppercase() && fold(b) == b), "{root} is not folded");
            let (_, front) = root.as_bytes().split_last().unwrap_or((&0, &[]));
            assert!(front.iter().any(|b| KEYS.contains(b)), "{root} could be drawn from harmless symbols");
            assert!(root.len() >= 3 && seen.insert(root), "{root}");
        }
        assert!(seen.len() >= 60, "{}", seen.len());
    }

    #[test]
    fn the_list_of_version_1_never_changes() {
        // FNV-1a over the roots: derived codes that are out depend on each of them.
        let hash = ROOTS_V1
            .iter()
            .flat_map(|root| root.bytes().chain([b'\n']))
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        assert_eq!(hash, 1_562_016_574_171_175_486);
    }

    #[test]
    fn one_or_two_random_codes_in_a_hundred_are_refused() {
        // A fixed linear congruence, so the count is the same everywhere.
        let mut state = 1_u64;
        let mut dirty = 0;
        for _ in 0..20_000 {
            let code: String = (0..10)
                .filter_map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    super::super::alphabet::BASE31.chars().nth(usize::try_from((state >> 33) % 31).unwrap_or(0))
                })
                .collect();
            dirty += u32::from(!is_clean(&code));
        }
        // 1.5 of 100 by an independent count.
        assert!((200..400).contains(&dirty), "{dirty}");
    }
}
