//! Templates: text with placeholders and optional parts, compiled to what always fits one SMS.

use super::{Slot, Values};
use crate::domain::gsm7;

/// A parsed text. See the head of `config/replies.en.toml` for the notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

/// `drop` is the n of an optional part; `None` is what always stays.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    drop: Option<u8>,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Slot(Slot),
}

/// Why a text is no template. Positions count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// A name in braces that is no placeholder.
    #[error("unknown placeholder {{{name}}}, nearest is {{{nearest}}}")]
    UnknownPlaceholder {
        /// What stands between the braces.
        name: String,
        /// The most similar placeholder.
        nearest: &'static str,
    },
    /// `{` or `[` without its counterpart.
    #[error("\"{sign}\" at character {at} is not closed (write it twice to mean the sign)")]
    Unclosed {
        /// The opening sign.
        sign: char,
        /// Its position.
        at: usize,
    },
    /// `}` or `]` without its counterpart, or a part within a part.
    #[error("\"{sign}\" at character {at} does not belong there (write it twice to mean the sign)")]
    Stray {
        /// The sign.
        sign: char,
        /// Its position.
        at: usize,
    },
    /// `[` without a number from 0 to 9 and a bar.
    #[error("the optional part at character {at} is not written [n|text] with n from 0 to 9")]
    BadPart {
        /// Position of the `[`.
        at: usize,
    },
    /// Nothing that always stays.
    #[error("the text is empty")]
    Empty,
}

/// Why a template cannot be used with the values it would get.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// A part that always stays needs a value that is not there.
    #[error("it needs a value for {{{}}}", slot.as_str())]
    MissingValue {
        /// The placeholder.
        slot: Slot,
    },
    /// Even without its optional parts it takes more than one SMS.
    #[error(transparent)]
    TooLong(#[from] TooLong),
}

/// The shortest form with the longest values, and by how much it is too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its shortest form takes {segments} SMS ({units} units, {over} too many): {text}")]
pub struct TooLong {
    /// Parts it would take.
    pub segments: u16,
    /// Septets or UTF-16 units in all.
    pub units: u32,
    /// Units above what one SMS holds.
    pub over: u32,
    /// The rendered text.
    pub text: String,
}

impl Template {
    /// Reads the notation.
    ///
    /// # Errors
    /// [`TemplateError`] names the first fault and where it is.
    pub fn parse(source: &str) -> Result<Template, TemplateError> {
        let mut reader = Reader::new(source);
        reader.read()?;
        let parts = reader.parts;
        if parts.iter().all(|part| part.drop.is_some()) {
            return Err(TemplateError::Empty);
        }
        Ok(Template { parts })
    }

    /// Whether `{slot}` stands outside optional parts.
    #[must_use]
    pub fn always_shows(&self, slot: Slot) -> bool {
        self.always().any(|piece| *piece == Piece::Slot(slot))
    }

    /// Whether `word` stands in the text outside optional parts.
    #[must_use]
    pub fn always_says(&self, word: &str) -> bool {
        self.always().any(|piece| match piece {
            Piece::Text(text) => text.contains(word),
            Piece::Slot(_) => false,
        })
    }

    fn always(&self) -> impl Iterator<Item = &Piece> {
        self.parts.iter().filter(|part| part.drop.is_none()).flat_map(|part| &part.pieces)
    }

    /// The longest form that is one SMS with the longest values it will get.
    ///
    /// Optional parts whose values are not in `worst` are left out; then those of the highest
    /// number go first. Parts numbered 0 stay.
    ///
    /// # Errors
    /// [`CompileError`] when a needed value is not there or the shortest form is too long.
    pub fn compile(&self, worst: &Values) -> Result<Compiled, CompileError> {
        let mut parts = Vec::new();
        for part in &self.parts {
            match (part.missing(worst), part.drop) {
                (None, _) => parts.push(part.clone()),
                (Some(_), Some(_)) => {}
                (Some(slot), None) => return Err(CompileError::MissingValue { slot }),
            }
        }
        let mut compiled = Compiled { parts };
        loop {
            let text = compiled.render(worst);
            let segments = gsm7::segments(&text);
            if segments.count == 1 {
                return Ok(compiled);
            }
            let least_wanted = compiled.parts.iter().filter_map(|part| part.drop).max();
            let Some(number) = least_wanted.filter(|number| *number > 0) else {
                let over = segments.total().saturating_sub(u32::from(segments.single_limit()));
                let (segments, units) = (segments.count, segments.total());
                return Err(TooLong { segments, units, over, text }.into());
            };
            compiled.parts.retain(|part| part.drop != Some(number));
        }
    }
}

impl Part {
    /// The first placeholder without a value.
    fn missing(&self, values: &Values) -> Option<Slot> {
        self.pieces.iter().find_map(|piece| match piece {
            Piece::Slot(slot) if values.get(*slot).is_none() => Some(*slot),
            Piece::Slot(_) | Piece::Text(_) => None,
        })
    }
}

/// A template without the optional parts that would not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    parts: Vec<Part>,
}

impl Compiled {
    /// The text. An optional part without its value is left out; elsewhere a value that is not
    /// there shows as nothing.
    #[must_use]
    pub fn render(&self, values: &Values) -> String {
        let mut text = String::with_capacity(usize::from(gsm7::SINGLE_SEPTETS));
        for part in &self.parts {
            if part.drop.is_some() && part.missing(values).is_some() {
                continue;
            }
            for piece in &part.pieces {
                text.push_str(match piece {
                    Piece::Text(literal) => literal,
                    Piece::Slot(slot) => values.get(*slot).unwrap_or_default(),
                });
            }
        }
        text
    }

    /// Units left in one SMS when rendered with `values`; what a list may still take.
    #[must_use]
    pub fn room(&self, values: &Values) -> u16 {
        let segments = gsm7::segments(&self.render(values));
        let limit = u32::from(segments.single_limit());
        u16::try_from(limit.saturating_sub(segments.total())).unwrap_or(0)
    }
}

/// Reads a template one character at a time.
struct Reader<'a> {
    rest: std::iter::Peekable<std::iter::Enumerate<std::str::Chars<'a>>>,
    parts: Vec<Part>,
    /// Position of the `[` of the part that is being read.
    open: Option<usize>,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str) -> Reader<'a> {
        Reader { rest: source.chars().enumerate().peekable(), parts: Vec::new(), open: None }
    }

    fn read(&mut self) -> Result<(), TemplateError> {
        while let Some((index, sign)) = self.rest.next() {
            let at = index + 1;
            match sign {
                '{' | '}' | '[' | ']' if self.rest.next_if(|(_, next)| *next == sign).is_some() => {
                    self.literal(sign);
                }
                '{' => {
                    let slot = self.slot(at)?;
                    self.piece(Piece::Slot(slot));
                }
                '[' if self.open.is_none() => self.open_part(at)?,
                ']' if self.open.is_some() => self.open = None,
                '}' | '[' | ']' => return Err(TemplateError::Stray { sign, at }),
                other => self.literal(other),
            }
        }
        match self.open {
            Some(at) => Err(TemplateError::Unclosed { sign: '[', at }),
            None => Ok(()),
        }
    }

    fn open_part(&mut self, at: usize) -> Result<(), TemplateError> {
        let number = self.rest.next().and_then(|(_, c)| c.to_digit(10));
        let bar = self.rest.next().is_some_and(|(_, c)| c == '|');
        let drop = number.filter(|_| bar).and_then(|number| u8::try_from(number).ok());
        let drop = drop.ok_or(TemplateError::BadPart { at })?;
        self.parts.push(Part { drop: Some(drop), pieces: Vec::new() });
        self.open = Some(at);
        Ok(())
    }

    fn slot(&mut self, at: usize) -> Result<Slot, TemplateError> {
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some((_, '}')) => break,
                Some((_, c)) if c == '_' || c.is_alphanumeric() => name.push(c),
                Some(_) | None => return Err(TemplateError::Unclosed { sign: '{', at }),
            }
        }
        if let Some(slot) = Slot::ALL.into_iter().find(|slot| slot.as_str() == name) {
            return Ok(slot);
        }
        let names = Slot::ALL.into_iter().map(Slot::as_str);
        let nearest = names.min_by_key(|known| strsim::osa_distance(&name, known));
        Err(TemplateError::UnknownPlaceholder { nearest: nearest.unwrap_or("brand"), name })
    }

    fn literal(&mut self, sign: char) {
        let mut buffer = [0; 4];
        let sign = gsm7::fold(sign.encode_utf8(&mut buffer));
        let last = self.current().pieces.last_mut();
        if let Some(Piece::Text(text)) = last {
            text.push_str(&sign);
        } else {
            let text = sign.into_owned();
            self.piece(Piece::Text(text));
        }
    }

    fn piece(&mut self, piece: Piece) {
        self.current().pieces.push(piece);
    }

    /// The open optional part, or the text that always stays.
    fn current(&mut self) -> &mut Part {
        let fits = self.parts.last().is_some_and(|part| part.drop.is_some() == self.open.is_some());
        if !fits {
            self.parts.push(Part { drop: None, pieces: Vec::new() });
        }
        let last = self.parts.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "a part was pushed when there was none")]
        &mut self.parts[last]
    }
}
