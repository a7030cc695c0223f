//! Many codes: in batches of the peer's size, some at a time, and what failed in passing once more.

use super::tries::Tries;
use super::{AT_ONCE, Guarded};
use crate::domain::code::Code;
use crate::redemption::{CallContext, Peer as _, PeerError, Reading, Verb};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

impl Guarded {
    /// Asks for codes of which nothing is remembered, in batches of the peer's size, some at a time.
    pub(super) async fn ask(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        let end = self.surroundings.elapsed() + context.within;
        let batches: Vec<&[Code]> = codes.chunks(self.capabilities().batch_max.max(1)).collect();
        let mut answers = Vec::with_capacity(codes.len());
        for round in batches.chunks(AT_ONCE) {
            let left = context.at_most(end.saturating_sub(self.surroundings.elapsed()));
            let asked = round.iter().map(|batch| Box::pin(self.ask_batch(batch, &left)));
            answers.extend(together(asked.collect()).await.into_iter().flatten());
        }
        answers
    }

    /// One batch; codes that failed in passing are asked again, alone.
    async fn ask_batch(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        let mut tries = Tries::new(self, Verb::Validate, context);
        let mut answers: Vec<Option<Result<Reading, PeerError>>> = vec![None; codes.len()];
        loop {
            let open = |answer: &Option<Result<Reading, PeerError>>| {
                answer.as_ref().is_none_or(|answer| answer.as_ref().is_err_and(PeerError::is_passing))
            };
            let (places, asked): (Vec<usize>, Vec<Code>) =
                codes.iter().enumerate().filter(|(at, _)| answers.get(*at).is_some_and(open)).map(own).unzip();
            let told = match tries.turn().await {
                Ok(turn) => {
                    let context = turn.context(context);
                    turn.make(asked.len(), self.inner.validate(&asked, &context)).await
                }
                Err(error) => {
                    let unasked = answers.into_iter().map(|answer| answer.unwrap_or_else(|| Err(error.clone())));
                    return unasked.collect();
                }
            };
            let mut told = told.into_iter();
            let mut failed: Option<PeerError> = None;
            for place in places {
                let answer = told.next().unwrap_or_else(|| Err(PeerError::Protocol("an answer is missing".to_owned())));
                failed = failed.or_else(|| answer.as_ref().err().filter(|error| error.is_passing()).cloned());
                if let Some(slot) = answers.get_mut(place) {
                    *slot = Some(answer);
                }
            }
            let again = match failed {
                Some(error) => tries.again(error.retry_after()).await,
                None => false,
            };
            if !again {
                let missing = || Err(PeerError::Protocol("an answer is missing".to_owned()));
                return answers.into_iter().map(|answer| answer.unwrap_or_else(missing)).collect();
            }
        }
    }
}

/// Runs futures side by side, each to its end; their answers in their order.
async fn together<F: Future + Unpin>(futures: Vec<F>) -> Vec<F::Output> {
    let mut open: Vec<(Option<F>, Option<F::Output>)> =
        futures.into_iter().map(|future| (Some(future), None)).collect();
    poll_fn(|context| {
        for (future, answer) in &mut open {
            if let Some(Poll::Ready(done)) = future.as_mut().map(|future| Pin::new(future).poll(context)) {
                (*future, *answer) = (None, Some(done));
            }
        }
        if open.iter().all(|(future, _)| future.is_none()) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    open.into_iter().filter_map(|(_, answer)| answer).collect()
}

fn own((place, code): (usize, &Code)) -> (usize, Code) {
    (place, code.clone())
}
