//! Who calls: a partner that proved it by its access token, and what it may ask for.

use crate::domain::partner::PartnerScope;
use crate::engine::{CallError, Engine, FailureLog, Flaw, Partner};
use crate::http::caller::{Presented, RequestTag, presented};
use crate::http::oauth::TokenLimits;
use crate::http::problem::Problem;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

/// What the doors of partners share.
#[derive(Debug, Clone)]
pub struct PartnerDoor {
    /// Where it is said why a call was not let in.
    pub failures: FailureLog,
    /// How often tokens are asked for.
    pub tokens: TokenLimits,
}

impl<S> FromRequestParts<S> for Partner
where
    S: Send + Sync,
    Engine: FromRef<S>,
    PartnerDoor: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // Proved once a call, where its pace is looked at.
        if let Some(proved) = parts.extensions.get::<Self>() {
            return Ok(proved.clone());
        }
        let engine = Engine::from_ref(state);
        let called = match bearer(&parts.headers) {
            Ok(token) => engine.partner_of(token).await,
            Err(flaw) => Err(flaw.into()),
        };
        called.map_err(|error| match error {
            CallError::Unproved { flaw, client } => {
                let tag = parts.extensions.get::<RequestTag>().map_or("", RequestTag::as_str);
                PartnerDoor::from_ref(state).failures.note(tag, flaw, client.as_ref());
                Problem::invalid_token()
            }
            CallError::Suspended { since, contact } => Problem::suspended(since, contact.as_deref()),
            CallError::Engine(error) => error.into(),
        })
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Flaw> {
    match presented(headers) {
        Presented::Several => Err(Flaw::Several),
        Presented::One(scheme, token) if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
        Presented::Nothing | Presented::One(..) => Err(Flaw::Missing),
    }
}

/// Asks for a scope: the first line of every handler of the partner API.
///
/// # Errors
/// 403 that names the scope.
pub fn requires(partner: &Partner, scope: PartnerScope) -> Result<(), Problem> {
    if partner.allows(scope) { Ok(()) } else { Err(Problem::insufficient_scope(scope.word())) }
}
