//! Sender threads: each makes one call at a time, and nothing else.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};

use super::outbox::BatchName;
use super::state::{Shared, State};
use crate::api::{Answer, Api};
use crate::call_error::CallError;

/// A request to make.
pub(crate) struct Request {
    pub(crate) batch: BatchName,
    pub(crate) body: Vec<u8>,
}

/// What came of it.
pub(crate) struct Answered {
    pub(crate) batch: BatchName,
    /// What made the call.
    pub(crate) api: Arc<Api>,
    pub(crate) answer: Answer,
}

/// Hands a request to a sender that is idle, or to a new one. False where no thread can be had.
pub(crate) fn send(shared: &Arc<Shared>, state: &mut State, request: Request) -> bool {
    if state.idle_senders <= state.requests.len() {
        let sender = Arc::clone(shared);
        let spawned = logflux_process::start_thread("logflux-sender", move || run(&sender));
        if spawned.is_err() && state.idle_senders == 0 {
            return false;
        }
    }
    state.requests.push_back(request);
    shared.requests.notify_one();
    true
}

fn run(shared: &Shared) {
    let mut state = shared.lock();
    while !state.stopped {
        let Some(request) = state.requests.pop_front() else {
            state.idle_senders += 1;
            state = shared.requests.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle_senders -= 1;
            continue;
        };
        drop(state);
        // Whatever happens, the worker hears of its request.
        let api = shared.config.rotating.api();
        let call = AssertUnwindSafe(|| api.ingest_paced(&request.body));
        let answer = catch_unwind(call).unwrap_or_else(|_| Answer {
            result: Err(CallError::Unreachable("the call panicked".to_owned())),
            rate: None,
        });
        state = shared.lock();
        state.answers.push(Answered { batch: request.batch, api, answer });
        shared.sleep.end();
        shared.work.notify_one();
    }
}
