//! Formatting into a buffer that a thread uses again and again, whatever the values do.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A buffer that has grown beyond this is given back.
const KEPT: usize = 16 << 10;

/// What stands for a value whose `Display` or `Debug` panicked.
const PANICKED: &str = "[a value panicked when it was formatted]";
/// What stands for a value whose `Display` or `Debug` gave an error.
const FAILED: &str = "[a value could not be formatted]";

/// Formats, and hands the text to `then`.
///
/// A value that panics or fails costs its own text and what would have followed; a message says so,
/// and the caller goes on. A value may itself log while it is formatted.
pub(crate) fn with_text<R>(args: fmt::Arguments<'_>, then: impl FnOnce(&str) -> R) -> R {
    thread_local! {
        static BUFFER: Cell<String> = const { Cell::new(String::new()) };
    }
    if let Some(text) = args.as_str() {
        return then(text);
    }
    // The buffer is taken, not borrowed: a call from within finds an empty one.
    let mut text = BUFFER.try_with(Cell::take).unwrap_or_default();
    text.clear();
    match catch_unwind(AssertUnwindSafe(|| text.write_fmt(args))) {
        Ok(Ok(())) => {}
        Ok(Err(fmt::Error)) => text.push_str(FAILED),
        Err(_) => text.push_str(PANICKED),
    }
    let result = then(&text);
    if text.capacity() <= KEPT {
        let _ = BUFFER.try_with(|buffer| buffer.set(text));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Panics;

    impl fmt::Display for Panics {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("a bad value")
        }
    }

    struct Fails;

    impl fmt::Display for Fails {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }

    struct Nests;

    impl fmt::Display for Nests {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("outer ")?;
            with_text(format_args!("inner {}", 1), |text| f.write_str(text))
        }
    }

    fn text(args: fmt::Arguments<'_>) -> String {
        with_text(args, str::to_owned)
    }

    #[test]
    fn a_bad_value_costs_its_own_text_and_the_next_message_is_whole() {
        assert_eq!(text(format_args!("a {} b", Panics)), format!("a {PANICKED}"));
        assert_eq!(text(format_args!("a {} b", Fails)), format!("a {FAILED}"));
        assert_eq!(text(format_args!("a {} b", Nests)), "a outer inner 1 b");
        assert_eq!(text(format_args!("a {} b", 7)), "a 7 b");
        assert_eq!(text(format_args!("plain")), "plain");
    }

    #[test]
    fn text_is_formatted_while_the_thread_ends_and_while_it_unwinds() {
        struct Last;
        impl Drop for Last {
            fn drop(&mut self) {
                assert_eq!(text(format_args!("{} {}", 1, Panics)), format!("1 {PANICKED}"));
            }
        }
        thread_local! {
            static LAST: Last = const { Last };
        }
        let ended = std::thread::spawn(|| {
            LAST.with(|_| {});
            text(format_args!("{}", 1))
        });
        assert_eq!(ended.join().unwrap(), "1");
        let unwound = std::thread::spawn(|| {
            let _last = Last;
            panic!("on purpose");
        });
        assert_eq!(*unwound.join().unwrap_err().downcast::<&str>().unwrap(), "on purpose");
    }
}
