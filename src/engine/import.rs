//! Codes made elsewhere: a CSV file with a column named `code`.

use crate::domain::code::{BadCode, Code, CodeNorm};
use crate::domain::ids::{CampaignId, Spot};
use crate::domain::pattern::Pattern;
use crate::store::codes::NormedCode;
use crate::store::{Store, StoreError, codes};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::Read;

/// Faulty lines that a report names; all are counted.
const NAMED_LINES: usize = 1_000;

/// Why a line of a file brings no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineFault {
    /// The text in the column is none.
    #[error("{0}")]
    Bad(#[from] BadCode),
    /// It is no line of CSV.
    #[error("it is not readable as CSV")]
    Unreadable,
    /// An earlier line has the same code.
    #[error("the code stands on an earlier line")]
    Twice,
    /// Another campaign has it.
    #[error("the code belongs to campaign {0}")]
    Elsewhere(String),
    /// A till would look for it in another pool.
    #[error("the code begins like those of campaign {campaign}, {pattern}")]
    Claimed {
        /// Whose codes begin so.
        campaign: String,
        /// Their pattern.
        pattern: String,
    },
}

/// A file that is no list of codes.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// No column of that name.
    #[error("the file has no column named code (its columns: {0})")]
    NoColumn(String),
    /// It cannot be read.
    #[error("the file cannot be read: {0}")]
    Csv(#[from] csv::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a file would bring.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Survey {
    /// Its lines, without the head.
    pub lines: u64,
    /// Codes that are not live yet: new ones, and those that an interrupted import left.
    pub not_live: u64,
    /// Codes that the campaign has already.
    pub already_live: u64,
    /// Lines that are left out.
    pub refused: u64,
    /// The first of them, in words.
    pub first_refused: Option<String>,
    /// The longest code.
    pub longest_code: String,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Lines read, without the head.
    pub lines: u64,
    /// Codes that are new.
    pub added: u64,
    /// Codes that the campaign had already.
    pub already_here: u64,
    /// Lines left out.
    pub refused: u64,
    /// The first thousand of those, by line.
    pub faults: Vec<(u64, LineFault)>,
}

impl fmt::Display for ImportReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, added, already_here, refused, faults } = self;
        write!(f, "{lines} lines: {added} new, {already_here} already here, {refused} left out")?;
        for (line, fault) in faults {
            write!(f, "\n  line {line}: {fault}")?;
        }
        Ok(())
    }
}

/// The campaigns whose codes have patterns, by name: no imported code may look like one of theirs.
pub(super) type Claims = Vec<(String, Pattern)>;

/// What an import is compared with.
pub(super) struct Ground<'a> {
    pub(super) store: &'a Store,
    /// The campaign, once it has a number.
    pub(super) campaign: Option<CampaignId>,
    /// Positions that are live.
    pub(super) live: u64,
    pub(super) claims: &'a Claims,
    /// The names of all campaigns.
    pub(super) names: &'a HashMap<CampaignId, String>,
}

impl Ground<'_> {
    fn claimant(&self, code: &CodeNorm) -> Option<LineFault> {
        let takes = |(_, pattern): &&(String, Pattern)| {
            let prefix = pattern.literal_prefix();
            if prefix.is_empty() { pattern.matches_shape(code) } else { code.expose().starts_with(prefix) }
        };
        let (campaign, pattern) = self.claims.iter().find(takes)?;
        Some(LineFault::Claimed { campaign: campaign.clone(), pattern: pattern.as_str().to_owned() })
    }

    fn is_ours(&self, spot: Spot) -> bool {
        Some(spot.campaign) == self.campaign
    }

    fn elsewhere(&self, spot: Spot) -> LineFault {
        LineFault::Elsewhere(self.names.get(&spot.campaign).cloned().unwrap_or_else(|| spot.campaign.to_string()))
    }
}

type Line = (u64, Result<NormedCode, LineFault>);

/// Reads a file in chunks, and knows what it has read.
struct Lines<R: Read> {
    reader: csv::Reader<R>,
    column: usize,
    /// 128 bits of each code that was read: no two codes share them, and a million take 16 MB.
    seen: HashSet<u128>,
    hashers: (RandomState, RandomState),
}

impl<R: Read> Lines<R> {
    fn open(source: R) -> Result<Self, ImportError> {
        let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(source);
        let head = reader.headers()?.clone();
        let is_code = |name: &str| name.trim_start_matches('\u{feff}').eq_ignore_ascii_case("code");
        let column = head.iter().position(is_code);
        let column = column.ok_or_else(|| ImportError::NoColumn(head.iter().collect::<Vec<_>>().join(", ")))?;
        Ok(Self { reader, column, seen: HashSet::new(), hashers: (RandomState::new(), RandomState::new()) })
    }

    /// The next lines; empty at the end.
    fn chunk(&mut self) -> Result<Vec<Line>, ImportError> {
        let mut lines = Vec::with_capacity(codes::CHUNK);
        let mut record = csv::StringRecord::new();
        while lines.len() < codes::CHUNK {
            let more = self.reader.read_record(&mut record);
            let line = record.position().map_or(0, csv::Position::line);
            match more {
                Ok(false) => break,
                Ok(true) => {
                    let code = Code::parse(record.get(self.column).unwrap_or_default());
                    let code = code.map_err(LineFault::from).and_then(|code| self.first_time(code));
                    lines.push((line, code));
                }
                Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    lines.push((line, Err(LineFault::Unreadable)));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(lines)
    }

    fn first_time(&mut self, code: Code) -> Result<NormedCode, LineFault> {
        let norm = code.norm();
        let (one, other) = (self.hashers.0.hash_one(&norm), self.hashers.1.hash_one(&norm));
        let is_new = self.seen.insert(u128::from(one) << 64 | u128::from(other));
        if is_new { Ok((code, norm)) } else { Err(LineFault::Twice) }
    }
}

/// Looks at a file and writes nothing.
///
/// # Errors
/// [`ImportError`].
pub(super) async fn survey(ground: &Ground<'_>, source: impl Read + Send) -> Result<Survey, ImportError> {
    let mut lines = Lines::open(source)?;
    let mut survey = Survey::default();
    loop {
        let chunk = lines.chunk()?;
        if chunk.is_empty() {
            return Ok(survey);
        }
        let good = chunk.iter().filter_map(|(_, code)| code.as_ref().ok());
        let norms: Vec<_> = good.map(|(_, norm)| norm).collect();
        let known = codes::known(ground.store, &norms).await?;
        survey.lines += chunk.len() as u64;
        for (line, code) in chunk {
            match judge(ground, code, &known) {
                Verdict::Refused(fault) => {
                    survey.refused += 1;
                    survey.first_refused.get_or_insert_with(|| format!("line {line}: {fault}"));
                }
                Verdict::Here(spot) if spot.position < ground.live => survey.already_live += 1,
                Verdict::Here(_) => survey.not_live += 1,
                Verdict::New(code) => {
                    survey.not_live += 1;
                    let longest = &mut survey.longest_code;
                    if code.expose().chars().count() > longest.chars().count() {
                        code.expose().clone_into(longest);
                    }
                }
            }
        }
    }
}

enum Verdict {
    New(Code),
    Here(Spot),
    Refused(LineFault),
}

fn judge(ground: &Ground<'_>, code: Result<NormedCode, LineFault>, known: &HashMap<CodeNorm, Spot>) -> Verdict {
    let (code, norm) = match code {
        Ok(normed) => normed,
        Err(fault) => return Verdict::Refused(fault),
    };
    match known.get(&norm) {
        Some(spot) if ground.is_ours(*spot) => Verdict::Here(*spot),
        Some(spot) => Verdict::Refused(ground.elsewhere(*spot)),
        None => ground.claimant(&norm).map_or(Verdict::New(code), Verdict::Refused),
    }
}

/// Writes the codes of a file behind those the pool has. They are live when a change adds their range.
/// `done` hears how many lines were read.
///
/// # Errors
/// [`ImportError`]; what was written stays, and a second run adopts it.
pub(super) async fn run(
    ground: &Ground<'_>,
    (campaign, pool_no): (CampaignId, u16),
    source: impl Read + Send,
    done: impl Fn(u64),
) -> Result<ImportReport, ImportError> {
    let mut lines = Lines::open(source)?;
    let mut report = ImportReport::default();
    loop {
        let chunk = lines.chunk()?;
        if chunk.is_empty() {
            return Ok(report);
        }
        report.lines += chunk.len() as u64;
        let mut good = Vec::with_capacity(chunk.len());
        for (line, code) in chunk {
            match code {
                Ok(code) => match ground.claimant(&code.1) {
                    None => good.push((line, code)),
                    // Should it be ours all the same, it came before the other pool, which creation forbids.
                    Some(fault) => report.refuse(line, fault),
                },
                Err(fault) => report.refuse(line, fault),
            }
        }
        let (numbers, new): (Vec<u64>, Vec<NormedCode>) = good.into_iter().unzip();
        let known = codes::append(ground.store, campaign, pool_no, &new).await?;
        for (line, (_, norm)) in numbers.into_iter().zip(&new) {
            match known.get(norm) {
                None => report.added += 1,
                Some(spot) if ground.is_ours(*spot) => report.already_here += 1,
                Some(spot) => report.refuse(line, ground.elsewhere(*spot)),
            }
        }
        done(report.lines);
    }
}

impl ImportReport {
    fn refuse(&mut self, line: u64, fault: LineFault) {
        self.refused += 1;
        if self.faults.len() < NAMED_LINES {
            self.faults.push((line, fault));
        }
    }
}
