//! Telling C in sentences what happens to messages.

use std::ffi::{CString, c_char, c_void};

use crate::gate::Gate;

/// A sentence about the client.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct logflux_notice {
    /// The sentence, in UTF-8. It ends with NUL, and is there for the call alone.
    pub sentence: *const c_char,
    /// Its length in bytes, without the NUL.
    pub sentence_length: usize,
}

/// Is called with a sentence when messages were dropped, and when something holds messages up, or
/// does so no more: the server refuses the API key, the server's limit is reached, the spool's disk is
/// full. The sentence has the cause. It runs on a thread of the client's, or inside
/// logflux_client_free; see "Callbacks" in docs/c-conventions.md for what it may do.
pub type logflux_notice_callback =
    Option<extern "C" fn(context: *mut c_void, notice: *const logflux_notice)>;

/// The way of sentences to C. It keeps how many drops it told of.
pub(crate) type NoticeGate = Gate<logflux_notice, u64>;

impl NoticeGate {
    /// Tells a sentence; this many drops are in it.
    pub(crate) fn tell_of(&self, dropped: u64, sentence: String) {
        let sentence = text(sentence);
        self.tell(|told| {
            *told += dropped;
            notice(&sentence)
        });
    }

    /// Tells of what was dropped in all and not told of yet, and never again.
    pub(crate) fn end_with(&self, dropped: u64) {
        let mut sentence = CString::default();
        self.shut(|told| {
            let rest = dropped.checked_sub(*told).filter(|rest| *rest > 0)?;
            sentence = text(format!("messages dropped: {rest}"));
            Some(notice(&sentence))
        });
    }
}

/// Good for as long as the sentence.
fn notice(sentence: &CString) -> logflux_notice {
    logflux_notice { sentence: sentence.as_ptr(), sentence_length: sentence.as_bytes().len() }
}

/// A sentence may quote a file's name; no name holds a NUL.
fn text(sentence: String) -> CString {
    let mut bytes = sentence.into_bytes();
    bytes.retain(|byte| *byte != 0);
    CString::new(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::gate::Callback;

    #[test]
    fn every_sentence_is_told_and_the_drops_that_none_told_of_at_the_end() {
        extern "C" fn keep(context: *mut c_void, notice: *const logflux_notice) {
            // SAFETY: the context is the list below, and the sentence is there for the call.
            unsafe {
                let sentence = CStr::from_ptr((*notice).sentence).to_str().unwrap().to_owned();
                assert_eq!(sentence.len(), (*notice).sentence_length);
                (*context.cast::<Vec<String>>()).push(sentence);
            }
        }
        let mut told: Vec<String> = Vec::new();
        let gate = NoticeGate::new(Callback::new(Some(keep), (&raw mut told).cast()).unwrap());
        gate.tell_of(0, "the server\0 refuses the key".to_owned());
        gate.tell_of(3, "messages dropped: 3 queue full".to_owned());
        gate.end_with(5);
        gate.tell_of(1, "too late".to_owned());
        gate.end_with(9);
        assert_eq!(
            told,
            ["the server refuses the key", "messages dropped: 3 queue full", "messages dropped: 2"]
        );
    }
}
