//! stub
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReplyId { T01FirstIssue, T02RepeatUnused, T03RepeatRedeemed, T04RepeatExpired, T05SoldOut, T07Capped, T08NotStarted, T09Ended, T10Unknown, T11Typo, T13Stop, T14Help, T15Start, T21NotEligible, T22MyCodes, Paused, Busy }
impl ReplyId { pub fn as_str(self) -> &'static str { "T01" } pub fn parse(_: &str) -> Option<Self> { None } }
