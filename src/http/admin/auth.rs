//! Who calls: whoever runs the house, proved by an admin key.

use crate::engine::{Admin, CredentialError, Engine, PartnerError};
use crate::http::caller::{Presented, presented};
use crate::http::problem::Problem;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;

impl<S> FromRequestParts<S> for Admin
where
    S: Send + Sync,
    Engine: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Presented::One(scheme, key) = presented(&parts.headers) else {
            return Err(Problem::invalid_token());
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Problem::invalid_token());
        }
        Engine::from_ref(state).admin(key).await?.ok_or_else(Problem::invalid_token)
    }
}

impl From<PartnerError> for Problem {
    fn from(error: PartnerError) -> Self {
        match error {
            PartnerError::Unknown(_) => Self::not_found("partner"),
            PartnerError::Taken(client) => {
                let detail = format!("there is a partner {client} already");
                Self::new(StatusCode::CONFLICT, "already_exists", detail)
            }
            PartnerError::NoCampaign(name) => Self::invalid(&[format!("there is no campaign {name}")]),
            PartnerError::Invalid(faults) => Self::invalid(&faults),
            PartnerError::Engine(error) => error.into(),
        }
    }
}

impl From<CredentialError> for Problem {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::NotAKey(why) => Self::invalid(&[why.to_string()]),
            CredentialError::Full(_) | CredentialError::Known => {
                Self::new(StatusCode::CONFLICT, "already_exists", error.to_string())
            }
            CredentialError::NoneSuch(_) => Self::not_found("key or secret"),
            CredentialError::Partner(error) => error.into(),
        }
    }
}
