//! Passing time and chance, injected: tests move the one and fix the other.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;

/// A wait under way.
pub type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Where a guard lives: what time passes there, and how it throws dice.
pub trait Surroundings: Debug + Send + Sync {
    /// Time since some moment before; it never goes back.
    fn elapsed(&self) -> Duration;

    /// Is over after that time.
    fn sleep(&self, time: Duration) -> Wait;

    /// Any number, each as likely.
    fn chance(&self) -> u64;
}

/// The machine's own time and chance.
#[derive(Debug)]
pub struct Machine {
    start: Instant,
    random: SystemRandom,
}

impl Machine {
    /// Time begins now.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now(), random: SystemRandom::new() }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Surroundings for Machine {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) -> Wait {
        Box::pin(tokio::time::sleep(time))
    }

    fn chance(&self) -> u64 {
        let mut bytes = [0; 8];
        // Chance only spreads tries out here; without it they come at the longest wait.
        match self.random.fill(&mut bytes) {
            Ok(()) => u64::from_ne_bytes(bytes),
            Err(_) => u64::MAX,
        }
    }
}
