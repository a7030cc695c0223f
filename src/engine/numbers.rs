//! Numbers that change hands: a file of a carrier's or aggregator's daily feed.

use super::{Engine, EngineError};
use crate::domain::act::{Act, Ask, HandOver, NumberEvent, Who};
use crate::domain::decision::outcome::{Outcome, Told};
use crate::domain::ids::{RequestId, Subject, millis};
use crate::domain::phone::PhoneNumber;
use crate::store::StoreError;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use thiserror::Error;
use tokio::task::JoinSet;

/// Lines that are looked up and settled together.
const CHUNK: usize = 200;
/// Faulty lines that a report names; all are counted.
const NAMED_LINES: usize = 1_000;
/// The columns of a feed.
const COLUMNS: [&str; 3] = ["number", "event", "date"];

/// Why a line says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NumberFault {
    /// It is no line of CSV.
    #[error("it is not readable as CSV")]
    Unreadable,
    /// Its number is none.
    #[error("the number is not written as + and 7 to 15 digits")]
    Number,
    /// Its event is none of the three.
    #[error("the event is not disconnected, reassigned or ported")]
    Event,
    /// Its date is none, or lies ahead.
    #[error("the date is not YYYY-MM-DD or RFC 3339, or lies ahead")]
    Date,
}

/// A file that is no feed, or one that could not be settled.
#[derive(Debug, Error)]
pub enum NumbersError {
    /// It cannot be opened.
    #[error("{} cannot be opened: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Csv(#[from] csv::Error),
    /// A column is missing.
    #[error("the file has no column named {0}")]
    NoColumn(&'static str),
    /// A change could not be settled; those before it are, and running it again does no harm.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a feed brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NumbersReport {
    /// Lines read, without the head.
    pub lines: u64,
    /// Numbers that have another holder now.
    pub handed_over: u64,
    /// Numbers whose present holder came after that.
    pub kept: u64,
    /// Numbers that went to another network with the same holder: nothing changes.
    pub ported: u64,
    /// Changes that an earlier import has told.
    pub already: u64,
    /// Numbers that never texted us.
    pub strange: u64,
    /// Lines left out.
    pub refused: u64,
    /// The first thousand of those, by line.
    pub faults: Vec<(u64, NumberFault)>,
}

impl fmt::Display for NumbersReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, handed_over, kept, ported, already, strange, refused, faults } = self;
        write!(
            f,
            "{lines} lines: {handed_over} numbers have another holder, {kept} had her already, {ported} ported, \
             {already} known from before, {strange} not known here, {refused} left out"
        )?;
        for (line, fault) in faults {
            write!(f, "\n  line {line}: {fault}")?;
        }
        Ok(())
    }
}

/// One change of a number known here.
struct Change {
    subject: Subject,
    over: HandOver,
}

impl Change {
    /// The same change in another file, or in the same one, is the same request.
    fn request(&self) -> RequestId {
        use std::fmt::Write;
        let mut key = String::new();
        for byte in self.subject.as_bytes() {
            // Writing to a string cannot fail.
            let _ = write!(key, "{byte:02x}");
        }
        let _ = write!(key, "-{}-{}", self.over.event.word(), millis(self.over.at));
        RequestId { door: "numbers".to_owned(), key }
    }
}

impl Engine {
    /// Takes in a CSV file with the columns `number`, `event` and `date`. `on` hears how many lines are done.
    ///
    /// A disconnected or reassigned number begins anew with its next holder; a ported one stays as it is. Interrupted,
    /// it is simply run again. A committer must be running.
    ///
    /// # Errors
    /// [`NumbersError`].
    pub async fn import_numbers(
        &self,
        path: &Path,
        on: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<NumbersReport, NumbersError> {
        let file = File::open(path).map_err(|source| NumbersError::File { path: path.to_owned(), source })?;
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(file);
        let columns = columns(reader.headers()?)?;
        let (mut report, mut chunk) = (NumbersReport::default(), Vec::with_capacity(CHUNK));
        let now = self.now();
        for record in reader.records() {
            report.lines += 1;
            let line = record
                .as_ref()
                .ok()
                .and_then(csv::StringRecord::position)
                .map_or(report.lines + 1, csv::Position::line);
            let read = record.map_err(|_| NumberFault::Unreadable).and_then(|record| read(&record, columns, now));
            match read {
                Ok((_, HandOver { event: NumberEvent::Ported, .. })) => report.ported += 1,
                Ok(told) => chunk.push(told),
                Err(fault) => {
                    report.refused += 1;
                    if report.faults.len() < NAMED_LINES {
                        report.faults.push((line, fault));
                    }
                }
            }
            if chunk.len() == CHUNK {
                self.settle_numbers(std::mem::take(&mut chunk), &mut report).await?;
                on(report.lines);
            }
        }
        self.settle_numbers(chunk, &mut report).await?;
        on(report.lines);
        Ok(report)
    }

    async fn settle_numbers(
        &self,
        told: Vec<(PhoneNumber, HandOver)>,
        report: &mut NumbersReport,
    ) -> Result<(), NumbersError> {
        let parts = self.parts();
        let told: Vec<_> =
            told.into_iter().map(|(phone, over)| Change { subject: parts.keys.phone_subject(&phone), over }).collect();
        let subjects: Vec<_> = told.iter().map(|one| one.subject).collect();
        let known: HashSet<Subject> = parts.store.known_subjects(&subjects).await?;
        let (known, strange): (Vec<_>, Vec<_>) = told.into_iter().partition(|one| known.contains(&one.subject));
        report.strange += strange.len() as u64;
        let mut asks: BTreeMap<RequestId, Change> = BTreeMap::new();
        for one in known {
            if asks.insert(one.request(), one).is_some() {
                report.already += 1;
            }
        }
        let requests: Vec<_> = asks.keys().cloned().collect();
        let before = parts.store.request_records(&requests).await?;
        let mut tasks = JoinSet::new();
        for (request, one) in asks {
            if before.contains_key(&request) {
                report.already += 1;
                continue;
            }
            let (engine, act) = (self.clone(), hand_over(request, &one));
            tasks.spawn(async move { engine.settle(act).await });
        }
        for settled in tasks.join_all().await {
            let is_new = settled?.outcome == Outcome::Told(Told::HandedOver);
            *(if is_new { &mut report.handed_over } else { &mut report.kept }) += 1;
        }
        Ok(())
    }
}

fn hand_over(request: RequestId, one: &Change) -> Act {
    let who = Who { subject: one.subject, sealed_phone: None, country: None };
    let fingerprint = super::fingerprint(&[request.key.as_bytes()]);
    Act::new(super::draw(), request, fingerprint, Some(who), Ask::HandOver(one.over))
}

fn columns(head: &csv::StringRecord) -> Result<[usize; 3], NumbersError> {
    let mut found = [0; 3];
    for (at, name) in found.iter_mut().zip(COLUMNS) {
        let same = |cell: &str| cell.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name);
        *at = head.iter().position(same).ok_or(NumbersError::NoColumn(name))?;
    }
    Ok(found)
}

fn read(
    record: &csv::StringRecord,
    [number, event, date]: [usize; 3],
    now: DateTime<Utc>,
) -> Result<(PhoneNumber, HandOver), NumberFault> {
    let cell = |at| record.get(at).unwrap_or_default();
    let phone = PhoneNumber::from_e164(cell(number)).map_err(|_| NumberFault::Number)?;
    let event = NumberEvent::parse(&cell(event).to_lowercase()).ok_or(NumberFault::Event)?;
    let at = moment(cell(date)).filter(|at| *at <= now).ok_or(NumberFault::Date)?;
    Ok((phone, HandOver { event, at }))
}

/// A moment, or the first one of a day.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    let day = || Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN).and_utc());
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()).or_else(day)
}
