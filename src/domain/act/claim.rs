//! A phone that is proved on a page, and the code that is claimed with the digits sent to it.

use crate::domain::creator::{Slug, SubId};

/// The name of a proof: the draw of the act that made it, and of the text that carries its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProofId(pub [u8; 16]);

/// A person asks for digits, so that a page knows her phone is hers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prove {
    /// The page.
    pub slug: Slug,
    /// What the page's address says of the post it stood in.
    pub sub_id: Option<SubId>,
    /// What for.
    pub seeks: Seeks,
}

/// What a person wants of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeks {
    /// A code.
    AnyCode,
    /// The code she was given, from a page that gives out no more.
    OwnCode,
}

/// A person gives the digits back and wants her code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What she proves.
    pub proof: ProofId,
    /// The page she does it on.
    pub slug: Slug,
    /// How the digits compare with those that were sent; the digits themselves stay at the door.
    pub digits: Digits,
}

/// How digits compare with those that were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digits {
    /// They are the same.
    Right,
    /// They are others.
    Wrong,
}
