//! Settings that are numbers and durations: a type each, which cannot hold a value out of its
//! bounds.

use std::str::FromStr;
use std::time::Duration;

use logflux_envelope::SecretSource;
use logflux_wire::{parse_duration, parse_size};

use super::error::ConfigError;
use super::kind::Kind;

/// What every such type has.
macro_rules! bounded {
    ($name:ident, $plain:ty, $setting:literal, $min:expr, $max:expr, $default:expr) => {
        impl $name {
            /// The setting's name.
            pub const NAME: &'static str = $setting;
            /// The least value.
            pub const MIN: $plain = $min;
            /// The greatest value.
            pub const MAX: $plain = $max;
            /// The value where none is given.
            pub const DEFAULT: Self = Self($default);

            /// The value.
            #[must_use]
            pub const fn get(self) -> $plain {
                self.0
            }

            fn within(value: Option<$plain>) -> Result<Self, ConfigError> {
                value
                    .filter(|value| (Self::MIN..=Self::MAX).contains(value))
                    .map(Self)
                    .ok_or_else(Self::out_of_bounds)
            }

            /// The error for a value that is not within the bounds, or cannot even be expressed.
            #[must_use]
            pub fn out_of_bounds() -> ConfigError {
                ConfigError::invalid(Self::NAME, &format_args!("must be {}", Self::KIND.values()))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::DEFAULT
            }
        }
    };
}

/// A setting that is a whole number.
macro_rules! whole_number {
    (
        $(#[$about:meta])*
        $name:ident($plain:ty), $setting:literal, $kind:ident, $min:expr, $max:expr, $default:expr
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($plain);

        bounded!($name, $plain, $setting, $min, $max, $default);

        impl $name {
            pub(crate) const KIND: Kind = Kind::$kind {
                min: Self::MIN as u64,
                max: Self::MAX as u64,
                default: Self::DEFAULT.0 as u64,
            };

            /// Takes a number of any type within [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
            ///
            /// # Errors
            /// [`ConfigError`], which names the setting and its bounds.
            pub fn new(number: impl TryInto<$plain>) -> Result<Self, ConfigError> {
                Self::within(number.try_into().ok())
            }
        }

        whole_number!(@text $kind $name);
    };
    (@text Number $name:ident) => {
        /// Reads decimal digits.
        impl FromStr for $name {
            type Err = ConfigError;

            fn from_str(text: &str) -> Result<Self, ConfigError> {
                Self::within(text.parse().ok())
            }
        }
    };
    (@text Size $name:ident) => {
        /// Reads a number of bytes, or a size such as `64MiB`.
        impl FromStr for $name {
            type Err = ConfigError;

            fn from_str(text: &str) -> Result<Self, ConfigError> {
                parse_size(text)
                    .map_err(|error| ConfigError::invalid(Self::NAME, &error))
                    .and_then(|bytes| Self::new(bytes))
            }
        }
    };
}

/// A setting that is a duration.
macro_rules! duration {
    (
        $(#[$about:meta])*
        $name:ident, $setting:literal, $min:expr, $max:expr, $default:expr
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Duration);

        bounded!($name, Duration, $setting, $min, $max, $default);

        impl $name {
            pub(crate) const KIND: Kind =
                Kind::Duration { min: Self::MIN, max: Self::MAX, default: Self::DEFAULT.0 };

            /// Takes a duration within [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
            ///
            /// # Errors
            /// [`ConfigError`], which names the setting and its bounds.
            pub fn new(duration: Duration) -> Result<Self, ConfigError> {
                Self::within(Some(duration))
            }
        }

        /// Reads a duration such as `250ms` or `5s`; seconds without a unit.
        impl FromStr for $name {
            type Err = ConfigError;

            fn from_str(text: &str) -> Result<Self, ConfigError> {
                parse_duration(text)
                    .map_err(|error| ConfigError::invalid(Self::NAME, &error))
                    .and_then(Self::new)
            }
        }
    };
}

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The longest pause, interval or timeout.
const DAY: Duration = Duration::from_secs(86_400);

whole_number! {
    /// How many messages may wait in memory (`queue_size`).
    QueueSize(usize), "queue_size", Number, 1, 16_000_000, 10_000
}

whole_number! {
    /// How many bytes of messages may wait in memory (`queue_bytes`). One longer message is taken
    /// where nothing else waits.
    QueueBytes(u64), "queue_bytes", Size, 1, 64 << 30, 8 << 20
}

whole_number! {
    /// How many requests may be in flight at once (`max_in_flight`).
    InFlight(usize), "max_in_flight", Number, 1, 16, 2
}

whole_number! {
    /// How often a request is sent again after its first failure (`max_retries`).
    MaxRetries(u32), "max_retries", Number, 0, 1_000_000, 5
}

whole_number! {
    /// How many bytes the spool may take on disk (`spool_max_bytes`).
    SpoolMaxBytes(u64), "spool_max_bytes", Size, 1 << 20, 1 << 40, 256 << 20
}

whole_number! {
    /// How many bytes a segment of the spool has at most (`spool_segment_bytes`). A longer entry has
    /// a segment of its own.
    SpoolSegmentBytes(u64), "spool_segment_bytes", Size, 1 << 10, 64 << 20, 8 << 20
}

whole_number! {
    /// How many bytes of spooled entries are kept in memory (`spool_memory_bytes`): those that are
    /// not durable yet, and then the youngest, so that they need not be read back.
    SpoolMemoryBytes(usize), "spool_memory_bytes", Size, 1 << 10, 1 << 30, 4 << 20
}

duration! {
    /// How long one request may take (`http_timeout`).
    HttpTimeout, "http_timeout", ms(1), DAY, Duration::from_secs(30)
}

duration! {
    /// How long a message may wait for others to be sent with (`flush_interval`).
    FlushInterval, "flush_interval", ms(1), DAY, Duration::from_secs(1)
}

duration! {
    /// How long a spooled entry may wait to be durable (`sync_interval`).
    SyncInterval, "sync_interval", ms(1), DAY, ms(100)
}

duration! {
    /// The pause after the first failure (`initial_delay`).
    InitialDelay, "initial_delay", ms(1), DAY, ms(500)
}

duration! {
    /// The longest pause between two attempts (`max_delay`).
    MaxDelay, "max_delay", ms(1), DAY, Duration::from_secs(30)
}

duration! {
    /// How long a batch is tried at most where there is no spool (`retry_deadline`).
    RetryDeadline, "retry_deadline", Duration::ZERO, Duration::from_secs(7 * 86_400),
    Duration::from_secs(300)
}

duration! {
    /// How long closing waits at the end of the process, or where no other time is given
    /// (`close_timeout`).
    CloseTimeout, "close_timeout", Duration::ZERO, DAY, Duration::from_secs(5)
}

duration! {
    /// How long the command that prints the secret may run (`secret_command_timeout`).
    SecretCommandTimeout, "secret_command_timeout", SecretSource::COMMAND_TIMEOUT_MIN,
    SecretSource::COMMAND_TIMEOUT_MAX, SecretSource::COMMAND_TIMEOUT
}

duration! {
    /// How often the callback for statistics is called (`stats_interval`).
    StatsInterval, "stats_interval", ms(10), DAY, Duration::from_secs(60)
}

/// By what the pause grows with every failure (`backoff_factor`).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct BackoffFactor(f64);

bounded!(BackoffFactor, f64, "backoff_factor", 1.0, 100.0, 2.0);

impl BackoffFactor {
    pub(crate) const KIND: Kind =
        Kind::Factor { min: Self::MIN, max: Self::MAX, default: Self::DEFAULT.0 };

    /// Takes a number within [`MIN`](Self::MIN) and [`MAX`](Self::MAX).
    ///
    /// # Errors
    /// [`ConfigError`], which names the setting and its bounds; also for what is not a number.
    pub fn new(factor: f64) -> Result<Self, ConfigError> {
        Self::within(Some(factor))
    }
}

/// Reads a decimal number such as `1.5`.
impl FromStr for BackoffFactor {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::within(text.parse().ok())
    }
}
