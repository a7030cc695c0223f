//! Creators: what they are called, what their codes look like, what they earn and what they say.

mod commission;
mod handle;
mod kit;
mod link;
mod naming;
mod terms;

pub use commission::{Commission, CommissionState, Rate};
pub use handle::{Handle, HandleError};
pub use kit::{DEFAULT_DISCLOSURE, ShareKit, share_kit};
pub use link::{BadLinkText, MAX_SUB_ID_CHARS, Slug, SubId};
pub use naming::{Name, NameError, Taken, alternatives, code_pattern, name, near, sub_keyword};
pub use terms::{CreatorTerms, WhenEmpty};
