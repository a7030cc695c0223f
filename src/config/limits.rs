//! `[limits]`: how often a phone is answered and how often a code may be guessed.

use std::time::Duration;

use super::error::ConfigError;
use super::layers::Settings;

/// `[limits]`.
#[derive(Debug, Clone)]
pub struct LimitsConfig {
    /// Answered texts per phone and keyword in an hour.
    pub asks_per_hour: u32,
    /// Time in which the same answer goes out once.
    pub same_answer_window: Duration,
    /// Replies per phone and day, first issuances and compliance answers apart.
    pub replies_per_day: u32,
    /// First codes for phones of one range of numbers within the window; 0 is no limit.
    pub burst_per_range: u32,
    /// The window of `burst_per_range`.
    pub burst_window: Duration,
    /// Toll-free numbers are served like phones.
    pub serve_toll_free: bool,
    /// How long a question of ours waits for its answer.
    pub question_timeout: Duration,
    /// Wrong codes per till key and minute; 0 is no limit.
    pub wrong_codes_per_key_minute: u32,
    /// Wrong codes per network address and minute; 0 is no limit.
    pub wrong_codes_per_address_minute: u32,
    /// Tokens of one partner a minute; 0 is no limit.
    pub tokens_per_client_minute: u32,
    /// Requests for tokens of one network address a minute; 0 is no limit.
    pub tokens_per_address_minute: u32,
    /// Texts with digits of claim pages that one network address may ask for in an hour; 0 is no limit.
    pub web_codes_per_address_hour: u32,
    /// Those to numbers of one country in a minute; 0 is no limit.
    pub web_codes_per_country_minute: u32,
    /// Digits tried from one network address in a minute; 0 is no limit.
    pub web_tries_per_address_minute: u32,
}

impl LimitsConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let budget = 0..=1_000_000;
        let (by_key, by_address) = ("limits.wrong_codes_per_key_minute", "limits.wrong_codes_per_address_minute");
        let (tokens, requests) = ("limits.tokens_per_client_minute", "limits.tokens_per_address_minute");
        Ok(Self {
            asks_per_hour: settings.integer("limits.asks_per_hour", "texts an hour", &(1..=1000))?,
            same_answer_window: settings.seconds("limits.same_answer_window_s", &(0..=3600))?,
            replies_per_day: settings.integer("limits.replies_per_day", "replies a day", &(1..=10_000))?,
            burst_per_range: settings.integer("limits.burst_per_range", "phones of a range", &(0..=1_000_000))?,
            burst_window: settings.seconds("limits.burst_window_s", &(1..=86_400))?,
            serve_toll_free: settings.boolean("limits.serve_toll_free")?,
            question_timeout: settings.seconds("limits.question_timeout_s", &(30..=86_400))?,
            wrong_codes_per_key_minute: settings.integer(by_key, "wrong codes a minute", &budget)?,
            wrong_codes_per_address_minute: settings.integer(by_address, "wrong codes a minute", &budget)?,
            tokens_per_client_minute: settings.integer(tokens, "tokens a minute", &budget)?,
            tokens_per_address_minute: settings.integer(requests, "requests a minute", &budget)?,
            web_codes_per_address_hour: settings.integer(
                "limits.web_codes_per_address_hour",
                "texts an hour",
                &budget,
            )?,
            web_codes_per_country_minute: settings.integer(
                "limits.web_codes_per_country_minute",
                "texts a minute",
                &budget,
            )?,
            web_tries_per_address_minute: settings.integer(
                "limits.web_tries_per_address_minute",
                "tries a minute",
                &budget,
            )?,
        })
    }
}
