//! Round numbers for an axis.

/// Ticks from zero to at least `most`, four to six of them, their step 1, 2 or 5 times a power of ten.
pub(super) fn ticks(most: u64) -> Vec<u64> {
    // Counts have no halves: the smallest axis goes to three.
    let most = most.max(3);
    let mut power = 1_u64;
    loop {
        for digit in [1, 2, 5] {
            let step = power.saturating_mul(digit);
            let steps = most.div_ceil(step);
            if steps <= 5 {
                return (0..=steps).map(|tick| tick.saturating_mul(step)).collect();
            }
        }
        power = power.saturating_mul(10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round_and_begin_at_zero() {
        for (most, wanted) in [
            (0, vec![0, 1, 2, 3]),
            (4, vec![0, 1, 2, 3, 4]),
            (6, vec![0, 2, 4, 6]),
            (11, vec![0, 5, 10, 15]),
            (96, vec![0, 20, 40, 60, 80, 100]),
            (101, vec![0, 50, 100, 150]),
            (12_480, vec![0, 5_000, 10_000, 15_000]),
        ] {
            assert_eq!(ticks(most), wanted, "{most}");
        }
    }

    proptest! {
        #[test]
        fn there_are_four_to_six_and_the_last_holds_the_largest_value(most in 0..1_000_000_000_000_u64) {
            let ticks = ticks(most);
            prop_assert!((4..=6).contains(&ticks.len()));
            prop_assert!(ticks.last().is_some_and(|last| *last >= most));
        }
    }
}
