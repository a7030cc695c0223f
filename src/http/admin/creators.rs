//! `/admin/v1/creators`: made, listed, stopped, and let into their desks.

use crate::engine::{Admin, CreatorError, CreatorIn as Wanted, CreatorRecord, Engine};
use crate::http::problem::{Json, Problem};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A creator that shall be.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreatorIn {
    handle: String,
    name: String,
    phone: Option<String>,
    disclosure: Option<String>,
}

/// A creator as she is; her number is never told.
#[derive(Debug, Serialize)]
pub(super) struct CreatorOut {
    handle: String,
    name: String,
    status: &'static str,
    has_phone: bool,
    disclosure: String,
    campaigns: Vec<PartOut>,
    created_at: DateTime<Utc>,
}

#[derive(Debug, Serialize)]
struct PartOut {
    campaign: String,
    cap: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    day: Option<u64>,
    keyword: Option<String>,
    link: String,
}

/// Every creator.
#[derive(Debug, Serialize)]
pub(super) struct CreatorsOut {
    data: Vec<CreatorOut>,
}

/// A link to a desk.
#[derive(Debug, Serialize)]
pub(super) struct DeskLinkOut {
    url: String,
    expires_at: DateTime<Utc>,
}

impl From<CreatorRecord> for CreatorOut {
    fn from(CreatorRecord { row, parts }: CreatorRecord) -> Self {
        let part = |(campaign, part): (String, crate::domain::document::CreatorDoc)| PartOut {
            campaign,
            cap: part.cap,
            day: part.day,
            keyword: part.word(&row.handle).map(|word| word.to_string()),
            link: format!("/x/{}", part.slug(&row.handle)),
        };
        Self {
            campaigns: parts.into_iter().map(part).collect(),
            handle: row.handle,
            name: row.name,
            status: if row.is_active { "active" } else { "suspended" },
            has_phone: row.subject.is_some(),
            disclosure: row.disclosure,
            created_at: row.created_at,
        }
    }
}

impl From<CreatorError> for Problem {
    fn from(error: CreatorError) -> Self {
        match error {
            CreatorError::Unknown(_) => Self::not_found("creator"),
            CreatorError::Campaign(_) => Self::not_found("campaign"),
            CreatorError::Taken { .. } | CreatorError::PhoneTaken(_) => {
                Self::new(StatusCode::CONFLICT, "already_exists", error.to_string())
            }
            CreatorError::Handle { .. } | CreatorError::Name | CreatorError::NoCap => {
                Self::invalid(&[error.to_string()])
            }
            CreatorError::Phone(_) => Self::new(StatusCode::BAD_REQUEST, "invalid_phone", error.to_string()),
            CreatorError::Engine(error) => error.into(),
        }
    }
}

/// `POST /admin/v1/creators`: makes a creator. She has no part in any campaign yet.
///
/// # Errors
/// 409 when her handle or number has an owner; the caller's mistakes as 4xx.
pub(super) async fn create_creator(
    admin: Admin,
    State(engine): State<Engine>,
    Json(CreatorIn { handle, name, phone, disclosure }): Json<CreatorIn>,
) -> Result<(StatusCode, Json<CreatorOut>), Problem> {
    let made = engine.add_creator(&Wanted { handle, name, phone, disclosure }).await?;
    tracing::info!(creator.handle = made.row.handle, admin.id = admin.id(), "made a creator");
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// `GET /admin/v1/creators`.
///
/// # Errors
/// 503 when the database is away.
pub(super) async fn list_creators(_admin: Admin, State(engine): State<Engine>) -> Result<Json<CreatorsOut>, Problem> {
    Ok(Json(CreatorsOut { data: engine.creators().await?.into_iter().map(Into::into).collect() }))
}

/// `GET /admin/v1/creators/{handle}`.
///
/// # Errors
/// 404.
pub(super) async fn show_creator(
    _admin: Admin,
    State(engine): State<Engine>,
    Path(handle): Path<String>,
) -> Result<Json<CreatorOut>, Problem> {
    Ok(Json(engine.creator(&handle).await?.into()))
}

/// `POST /admin/v1/creators/{handle}/suspend`: once it is answered, no code is issued by her word or link.
///
/// # Errors
/// 404.
pub(super) async fn suspend_creator(
    admin: Admin,
    State(engine): State<Engine>,
    Path(handle): Path<String>,
) -> Result<Json<CreatorOut>, Problem> {
    switch(&admin, &engine, &handle, false).await
}

/// `POST /admin/v1/creators/{handle}/resume`.
///
/// # Errors
/// 404.
pub(super) async fn resume_creator(
    admin: Admin,
    State(engine): State<Engine>,
    Path(handle): Path<String>,
) -> Result<Json<CreatorOut>, Problem> {
    switch(&admin, &engine, &handle, true).await
}

/// `POST /admin/v1/creators/{handle}/link`: a link that opens her desk once, within ten minutes.
///
/// # Errors
/// 404.
pub(super) async fn create_creator_link(
    admin: Admin,
    State(engine): State<Engine>,
    Path(handle): Path<String>,
) -> Result<(StatusCode, Json<DeskLinkOut>), Problem> {
    let (url, expires_at) = engine.new_desk_link(&handle).await?;
    tracing::info!(admin.id = admin.id(), "made a link to a creator's desk");
    Ok((StatusCode::CREATED, Json(DeskLinkOut { url, expires_at })))
}

async fn switch(admin: &Admin, engine: &Engine, handle: &str, is_active: bool) -> Result<Json<CreatorOut>, Problem> {
    engine.switch_creator(handle, is_active).await?;
    let changed = engine.creator(handle).await?;
    tracing::info!(creator.handle = changed.row.handle, admin.id = admin.id(), "switched a creator");
    Ok(Json(changed.into()))
}
