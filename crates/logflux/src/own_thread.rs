//! Whether a thread is one of LogFlux's own.
//!
//! What such a thread logs, or what the HTTP stack does that it runs, never goes into the client:
//! every request would log lines, which would make another request.

use std::cell::Cell;
use std::thread;

/// What the names of all threads begin with that LogFlux starts.
const PREFIX: &str = "logflux-";

/// True on a thread of LogFlux's own.
pub(crate) fn is_ours() -> bool {
    thread_local! {
        static OURS: Cell<Option<bool>> = const { Cell::new(None) };
    }
    let known = OURS.try_with(Cell::get).unwrap_or(None);
    known.unwrap_or_else(|| {
        let ours = thread::current().name().is_some_and(|name| name.starts_with(PREFIX));
        let _ = OURS.try_with(|cell| cell.set(Some(ours)));
        ours
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_told_by_its_name() {
        for (name, ours) in [("logflux-worker", true), ("logflux-sender", true), ("main", false)] {
            let thread = thread::Builder::new().name(name.to_owned());
            let told = thread.spawn(|| [is_ours(), is_ours()]).unwrap().join().unwrap();
            assert_eq!(told, [ours, ours], "{name}");
        }
        assert!(!thread::spawn(is_ours).join().unwrap());
    }
}
