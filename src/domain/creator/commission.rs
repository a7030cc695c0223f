//! What a creator earns with a redemption, and when it is hers for good. We report commissions; we pay none.

use chrono::{DateTime, Duration, Utc};

/// Ten thousandths in a whole.
const WHOLE: i128 = 10_000;

/// What one redemption earns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// The same for every redemption.
    Flat {
        /// In minor units of the campaign's currency.
        minor: i64,
    },
    /// A share of what the customer paid; without an amount nothing.
    Percent {
        /// Hundredths of a percent: 1 000 is 10 %.
        basis_points: u32,
    },
}

/// A rate, and how long what it earns can still be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commission {
    /// How much.
    pub rate: Rate,
    /// From the redemption until it is confirmed, as a shop's time for returns.
    pub hold: Duration,
}

/// Where the commission of one redemption stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommissionState {
    /// Earned, and may still be reversed.
    Pending {
        /// When it will be confirmed.
        until: DateTime<Utc>,
    },
    /// Hers.
    Confirmed {
        /// Since when.
        since: DateTime<Utc>,
    },
    /// The redemption was rolled back; also after it was confirmed.
    Reversed {
        /// When.
        at: DateTime<Utc>,
    },
}

impl Commission {
    /// What a sale of `amount` minor units earns: a share is rounded half up to a minor unit, and never below zero.
    #[must_use]
    pub fn earned(&self, amount: Option<i64>) -> i64 {
        match self.rate {
            Rate::Flat { minor } => minor.max(0),
            Rate::Percent { basis_points } => {
                let amount = i128::from(amount.unwrap_or(0).max(0));
                let earned = (amount * i128::from(basis_points) + WHOLE / 2) / WHOLE;
                i64::try_from(earned).unwrap_or(i64::MAX)
            }
        }
    }

    /// Where it stands at `now`; the end of the hold is the first confirmed moment.
    #[must_use]
    pub fn state(
        &self,
        redeemed_at: DateTime<Utc>,
        reversed_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> CommissionState {
        if let Some(at) = reversed_at {
            return CommissionState::Reversed { at };
        }
        let end = redeemed_at.checked_add_signed(self.hold).unwrap_or(DateTime::<Utc>::MAX_UTC);
        if now < end { CommissionState::Pending { until: end } } else { CommissionState::Confirmed { since: end } }
    }

    /// What is left of `earned` once `refunded` of `amount` went back to the customer: pro rata, rounded half up.
    #[must_use]
    pub fn kept(earned: i64, amount: i64, refunded: i64) -> i64 {
        if refunded <= 0 {
            return earned;
        }
        if amount <= 0 || refunded >= amount {
            return 0;
        }
        let (amount, left) = (i128::from(amount), i128::from(amount) - i128::from(refunded));
        i64::try_from((i128::from(earned) * left + amount / 2) / amount).unwrap_or(earned)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    const fn percent(basis_points: u32) -> Commission {
        Commission { rate: Rate::Percent { basis_points }, hold: Duration::days(30) }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_share_is_rounded_half_up_and_a_flat_rate_asks_for_no_amount() {
        for (commission, amount, earned) in [
            (percent(1_000), Some(2_500), 250),
            (percent(1_000), Some(2_505), 251),
            (percent(1_000), Some(2_504), 250),
            (percent(750), Some(1_999), 150),
            (percent(1_000), None, 0),
            (percent(1_000), Some(-500), 0),
            (percent(10_000), Some(i64::MAX), i64::MAX),
            (percent(u32::MAX), Some(i64::MAX), i64::MAX),
            (Commission { rate: Rate::Flat { minor: 200 }, hold: Duration::zero() }, None, 200),
            (Commission { rate: Rate::Flat { minor: -1 }, hold: Duration::zero() }, None, 0),
        ] {
            assert_eq!(commission.earned(amount), earned, "{commission:?} of {amount:?}");
        }
    }

    #[test]
    fn it_is_pending_through_the_hold_then_confirmed_and_reversed_at_any_time() {
        let redeemed = at("2026-11-01T12:00:00Z");
        let end = at("2026-12-01T12:00:00Z");
        let reversed = at("2026-12-24T00:00:00Z");
        for (now, back, state) in [
            ("2026-11-01T12:00:00Z", None, CommissionState::Pending { until: end }),
            ("2026-12-01T11:59:59Z", None, CommissionState::Pending { until: end }),
            ("2026-12-01T12:00:00Z", None, CommissionState::Confirmed { since: end }),
            ("2027-01-01T00:00:00Z", Some(reversed), CommissionState::Reversed { at: reversed }),
        ] {
            assert_eq!(percent(1_000).state(redeemed, back, at(now)), state, "{now}");
        }
    }

    #[test]
    fn a_hold_without_end_never_confirms() {
        let commission = Commission { hold: Duration::MAX, ..percent(1_000) };
        let state = commission.state(at("2026-11-01T12:00:00Z"), None, at("2099-01-01T00:00:00Z"));
        assert_eq!(state, CommissionState::Pending { until: DateTime::<Utc>::MAX_UTC });
    }

    #[test]
    fn a_partial_refund_takes_its_part_back() {
        for (earned, amount, refunded, kept) in [
            (250, 2_500, 0, 250),
            (250, 2_500, 1_000, 150),
            (251, 2_505, 1_252, 126),
            (250, 2_500, 2_500, 0),
            (200, 0, 1, 0),
        ] {
            assert_eq!(Commission::kept(earned, amount, refunded), kept, "{refunded} of {amount}");
        }
    }

    proptest! {
        #[test]
        fn a_share_of_at_most_a_whole_never_exceeds_the_sale(amount in 0..i64::MAX, basis_points in 0..=10_000_u32) {
            let earned = percent(basis_points).earned(Some(amount));
            prop_assert!((0..=amount).contains(&earned));
            prop_assert!((0..=earned).contains(&Commission::kept(earned, amount, amount / 3)));
        }
    }
}
