//! Forgetting what nothing asks for any more.

use super::{Engine, EngineError};
use std::time::Instant;

/// Rounds of one sweep; what is left then waits for the next one.
const ROUNDS: u32 = 100;

impl Engine {
    /// Drops rows that nothing asks for any more, until there are none, or enough for once.
    ///
    /// # Errors
    /// What the database says; the same call may be made again.
    pub async fn forget(&self) -> Result<(), EngineError> {
        for _ in 0..ROUNDS {
            let began = Instant::now();
            if !self.parts().store.forget(self.now()).await? {
                break;
            }
            // It has at most half of the database's time; people have the rest.
            tokio::time::sleep(began.elapsed()).await;
        }
        Ok(())
    }
}
