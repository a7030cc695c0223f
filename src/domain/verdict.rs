//! What a look at an unissued code of another system means for it.

/// What becomes of a position that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be given out.
    Alive,
    /// It is put aside for good; why, as that system said it.
    Dead(String),
    /// It is put aside and looked at again: an import there may lag, a lock may pass.
    Undecided(String),
}
