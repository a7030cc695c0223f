//! Named points where tests park a batch or cut a commit. Without the feature `faults` they are nothing.

/// The fault points of one engine.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    #[cfg(feature = "faults")]
    armed: std::sync::Arc<std::sync::Mutex<std::collections::HashMap<&'static str, Fault>>>,
}

/// What happens at an armed point, once.
#[cfg(feature = "faults")]
#[derive(Debug)]
enum Fault {
    Park { reached: tokio::sync::oneshot::Sender<()>, resume: tokio::sync::oneshot::Receiver<()> },
    Cut,
}

/// A batch that waits at a fault point: `reached` resolves when it is there, dropping `resume` lets it go on.
#[cfg(feature = "faults")]
#[derive(Debug)]
pub struct Parked {
    /// Resolves when the batch is there.
    pub reached: tokio::sync::oneshot::Receiver<()>,
    /// Dropped or used, it lets the batch go on.
    pub resume: tokio::sync::oneshot::Sender<()>,
}

#[cfg(feature = "faults")]
impl Faults {
    /// The next batch to come to `point` waits there.
    #[must_use]
    pub fn park(&self, point: &'static str) -> Parked {
        let (reached, is_reached) = tokio::sync::oneshot::channel();
        let (resume, resumed) = tokio::sync::oneshot::channel();
        self.arm(point, Fault::Park { reached, resume: resumed });
        Parked { reached: is_reached, resume }
    }

    /// The next batch to come to `point` hears that the outcome of its commit is unknown.
    pub fn cut(&self, point: &'static str) {
        self.arm(point, Fault::Cut);
    }

    fn arm(&self, point: &'static str, fault: Fault) {
        let mut armed = self.armed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        armed.insert(point, fault);
    }

    pub(super) async fn hit(&self, point: &'static str) -> Result<(), crate::store::StoreError> {
        let fault = self.armed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(point);
        match fault {
            None => Ok(()),
            Some(Fault::Cut) => Err(crate::store::StoreError::cut()),
            Some(Fault::Park { reached, resume }) => {
                // A test that looks no longer lets the batch go on.
                let _ = reached.send(());
                let _ = resume.await;
                Ok(())
            }
        }
    }
}

/// Passes a named fault point of `$faults`.
macro_rules! fault {
    ($faults:expr, $point:literal) => {
        #[cfg(feature = "faults")]
        $faults.hit($point).await?;
    };
}
pub(crate) use fault;
