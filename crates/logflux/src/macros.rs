//! The macros of the eight levels.

use std::fmt;

use logflux_envelope::Level;

use crate::global::with_client;
use crate::text::with_text;

/// What the macros call. No part of the interface.
#[doc(hidden)]
pub fn __log(level: Level, args: fmt::Arguments<'_>) {
    with_client(|client| with_text(args, |text| client.log(level, text)));
}

/// Logs a message of a [`Level`](crate::Level), formatted as by `format!`, through the client of the
/// process.
///
/// Where there is none, or the level is below its least, nothing is formatted and the call costs a
/// nanosecond. It never fails, never panics, and waits for nothing (unless
/// [`WhenFull::Block`](crate::WhenFull::Block) was chosen). A value that panics or fails when it is
/// formatted is replaced by words that say so.
///
/// ```
/// logflux::log!(logflux::Level::Notice, "{} of {} done", 3, 4);
/// ```
#[macro_export]
macro_rules! log {
    ($level:expr, $($arg:tt)+) => {{
        let level: $crate::Level = $level;
        if $crate::enabled(level) {
            $crate::__log(level, ::core::format_args!($($arg)+));
        }
    }};
}

/// `$d` is a dollar sign, which a macro that writes macros needs.
macro_rules! level_macros {
    ($d:tt $($name:ident $level:ident)*) => {
        $(
            #[doc = concat!("Logs a message of the level [`", stringify!($level), "`](crate::Level::", stringify!($level), "), as [`log!`](crate::log) does.")]
            #[doc = ""]
            #[doc = "```"]
            #[doc = concat!("let id = 4711;\nlogflux::", stringify!($name), "!(\"user {id}\");")]
            #[doc = "```"]
            #[macro_export]
            macro_rules! $name {
                ($d($d arg:tt)+) => {
                    $crate::log!($crate::Level::$level, $d($d arg)+)
                };
            }
        )*
    };
}

level_macros! { $
    emergency Emergency
    alert Alert
    critical Critical
    error Error
    warning Warning
    notice Notice
    info Info
    debug Debug
}
