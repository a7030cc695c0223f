//! `/docs`: the description of the API, to be read.

use askama::Template;

use super::icons::Icon;

/// A piece of a sentence: words, or something to be written exactly so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Words.
    Words(String),
    /// A name, a code, a header.
    Exact(String),
}

/// Cuts a sentence at its backticks.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let cut = text.split('`').enumerate();
    let pieces = cut.map(|(at, part)| {
        let part = part.to_owned();
        if at % 2 == 0 { Piece::Words(part) } else { Piece::Exact(part) }
    });
    pieces.filter(|piece| *piece != Piece::Words(String::new())).collect()
}

/// A member of a body, or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldView {
    /// `customer.phone`, `data[].code`, or the parameter's name.
    pub name: String,
    /// "text, 1 to 100 characters".
    pub kind: String,
    /// "required", "header, required", or nothing.
    pub needed: String,
    /// What it means.
    pub words: Vec<Piece>,
}

/// An answer that an operation may give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerView {
    /// 200.
    pub status: String,
    /// When it is given, and with which codes.
    pub words: Vec<Piece>,
    /// The members of its body, where it has one of its own.
    pub fields: Vec<FieldView>,
}

impl AnswerView {
    fn is_good(&self) -> bool {
        self.status.starts_with('2')
    }
}

/// One operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationView {
    /// The anchor, and the name that generated clients use.
    pub id: String,
    /// GET.
    pub method: String,
    /// `/v1/codes/redeem`.
    pub path: String,
    /// A line.
    pub summary: String,
    /// Some sentences, or nothing.
    pub description: Vec<Piece>,
    /// Who may call: "the key of a till", "a partner with codes:issue".
    pub callers: Vec<Piece>,
    /// In the address, the query and the headers.
    pub parameters: Vec<FieldView>,
    /// The members of the body.
    pub body: Vec<FieldView>,
    /// Every answer, good ones first.
    pub answers: Vec<AnswerView>,
    /// A request that runs, for a shell.
    pub curl: String,
    /// What comes back.
    pub example: Option<String>,
}

/// Operations of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// Its name in the description: "till".
    pub name: String,
    /// As a heading: "Till".
    pub title: String,
    /// For whom it is.
    pub words: Vec<Piece>,
    /// The operations.
    pub operations: Vec<OperationView>,
}

/// A way of proving who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemeView {
    /// "till key".
    pub name: String,
    /// How.
    pub words: Vec<Piece>,
    /// Scopes with what they allow.
    pub scopes: Vec<(String, String)>,
}

/// What the top of the page leads to: the simulator and the till stand only in a demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surroundings {
    /// The pages of the demo are there.
    Demo,
    /// Only this page.
    Bare,
}

/// The page.
#[derive(Clone, Debug, Template)]
#[template(path = "docs.html", config = ".askama.toml")]
pub struct DocsView {
    /// Where the page stands.
    pub surroundings: Surroundings,
    /// The version of the program.
    pub version: String,
    /// What the API is, a paragraph each.
    pub paragraphs: Vec<Vec<Piece>>,
    /// How callers prove who they are.
    pub schemes: Vec<SchemeView>,
    /// The operations.
    pub groups: Vec<GroupView>,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_sentence_is_cut_at_its_backticks() {
        let words = |text: &str| Piece::Words(text.to_owned());
        let cut = pieces("`busy`, or not");
        assert_eq!(cut, [Piece::Exact("busy".to_owned()), words(", or not")]);
        assert_eq!(pieces(""), []);
        assert_eq!(pieces("plain"), [words("plain")]);
    }

    #[test]
    fn a_page_without_a_demo_leads_to_none_of_its_pages() {
        let view = |surroundings| DocsView {
            surroundings,
            version: "1".to_owned(),
            paragraphs: Vec::new(),
            schemes: Vec::new(),
            groups: Vec::new(),
        };
        assert!(view(Surroundings::Demo).render().unwrap().contains("href=\"/simulator\""));
        assert!(!view(Surroundings::Bare).render().unwrap().contains("href=\"/simulator\""));
    }

    #[test]
    fn the_stylesheet_of_the_page_names_no_colour_and_only_known_tokens() {
        let (own, tokens) = (include_str!("static/docs.css"), include_str!("static/app.css"));
        for banned in ["#", "rgb(", "hsl(", "gradient", "url(", "@import"] {
            assert!(!own.contains(banned), "{banned}");
        }
        for used in own.split("var(").skip(1) {
            let name = used.split(')').next().unwrap();
            assert!(tokens.contains(&format!("{name}:")), "{name}");
        }
        assert!(own.len() <= 8_000);
    }

    #[test]
    fn the_template_has_no_inline_style_or_code() {
        let template = include_str!("templates/docs.html");
        for banned in [" style=", "<style", "javascript:", " onclick=", "<script"] {
            assert!(!template.contains(banned), "{banned}");
        }
    }
}
