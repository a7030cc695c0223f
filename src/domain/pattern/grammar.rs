//! From the text of a pattern to its places.

use super::super::alphabet::{Alphabet, BASE23, BASE31, CLEAR_DIGITS, LETTERS};
use super::super::check::Check;
use super::{MAX_NORM_CHARS, PatternError, Place};

type Chars<'a> = std::iter::Peekable<std::iter::Enumerate<std::str::Chars<'a>>>;

/// The places of a pattern, repeats written out.
pub(super) fn places(text: &str) -> Result<Vec<Place>, PatternError> {
    let mut chars: Chars<'_> = text.chars().enumerate().peekable();
    let mut places: Vec<Place> = Vec::new();
    while let Some((at, c)) = chars.next() {
        let at = at + 1;
        if c == '{' {
            repeat(&mut places, &mut chars, at)?;
        } else {
            let place = place(c, &mut chars, at)?;
            if matches!(place, Place::Separator(_)) && matches!(places.last(), None | Some(Place::Separator(_))) {
                return Err(PatternError::Separator { at });
            }
            places.push(place);
        }
        if places.len() > 2 * MAX_NORM_CHARS {
            return Err(PatternError::TooLong(places.len()));
        }
    }
    if matches!(places.last(), Some(Place::Separator(_))) {
        return Err(PatternError::Separator { at: text.chars().count() });
    }
    Ok(places)
}

fn place(c: char, chars: &mut Chars<'_>, at: usize) -> Result<Place, PatternError> {
    let built_in = |symbols: &str| {
        Alphabet::parse(symbols)
            .map(|alphabet| Place::Random(alphabet, c))
            .map_err(|source| PatternError::Set { at, source })
    };
    match c {
        '#' => built_in(CLEAR_DIGITS),
        '?' => built_in(BASE31),
        '!' => built_in(BASE23),
        '@' => built_in(LETTERS),
        '[' => own_set(chars, at),
        '*' => Ok(Place::Check),
        '-' => Ok(Place::Separator(b'-')),
        ' ' => Ok(Place::Separator(b' ')),
        '\\' => match chars.next().and_then(|(_, escaped)| u8::try_from(escaped).ok()) {
            Some(escaped) if escaped.is_ascii_graphic() && escaped != b'-' => {
                Ok(Place::Literal(escaped.to_ascii_uppercase()))
            }
            Some(_) | None => Err(PatternError::Escape { at }),
        },
        _ => match u8::try_from(c) {
            Ok(literal) if literal.is_ascii_alphanumeric() => Ok(Place::Literal(literal.to_ascii_uppercase())),
            Ok(_) | Err(_) => Err(PatternError::Unknown { at, found: c }),
        },
    }
}

fn own_set(chars: &mut Chars<'_>, at: usize) -> Result<Place, PatternError> {
    let mut symbols = String::new();
    loop {
        match chars.next() {
            Some((_, ']')) => break,
            Some((_, symbol)) => symbols.push(symbol),
            None => return Err(PatternError::OpenSet { at }),
        }
    }
    Alphabet::parse(&symbols)
        .map(|alphabet| Place::Random(alphabet, '['))
        .map_err(|source| PatternError::Set { at, source })
}

/// `{n}`: n - 1 more of the place before it.
fn repeat(places: &mut Vec<Place>, chars: &mut Chars<'_>, at: usize) -> Result<(), PatternError> {
    let wrong = PatternError::Repeat { at };
    let mut number = String::new();
    loop {
        match chars.next() {
            Some((_, '}')) => break,
            Some((_, digit)) if digit.is_ascii_digit() && number.len() < 2 => number.push(digit),
            Some(_) | None => return Err(wrong),
        }
    }
    let times: usize = number.parse().map_err(|_| wrong.clone())?;
    let last = match places.last() {
        Some(last @ (Place::Literal(_) | Place::Random(..))) => last.clone(),
        Some(Place::Separator(_) | Place::Check) | None => return Err(wrong),
    };
    if times == 0 || times > MAX_NORM_CHARS || matches!(chars.peek(), Some((_, '{'))) {
        return Err(wrong);
    }
    places.extend(std::iter::repeat_n(last, times - 1));
    Ok(())
}

/// The check that a `*` asks for, if there is one and it can be had.
pub(super) fn check(places: &[Place]) -> Result<Option<Check>, PatternError> {
    let random: Vec<&Alphabet> = places
        .iter()
        .filter_map(|place| if let Place::Random(alphabet, _) = place { Some(alphabet) } else { None })
        .collect();
    if random.is_empty() {
        return Err(PatternError::NothingRandom);
    }
    let mut after = places.iter().skip_while(|place| !matches!(place, Place::Check)).skip(1);
    if after.any(|place| matches!(place, Place::Check | Place::Random(..))) {
        return Err(PatternError::CheckPlace);
    }
    if !places.contains(&Place::Check) {
        return Ok(None);
    }
    let check = Check::over(&random).ok_or(PatternError::CheckAlphabet)?;
    match check.most_places() {
        Some(most) if random.len() > most => Err(PatternError::CheckTooLong(most)),
        Some(_) | None => Ok(Some(check)),
    }
}
