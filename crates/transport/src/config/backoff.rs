//! How often a request is sent again, and after what pauses.

use std::time::Duration;

use super::error::ConfigError;
use super::numbers::{BackoffFactor, InitialDelay, MaxDelay, MaxRetries};

/// How often a request is sent again, and how long between the attempts: exponential backoff with
/// jitter, unless the server asks for a pause by `Retry-After`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Retry {
    /// How often a request is sent again after its first failure.
    pub max_retries: MaxRetries,
    /// The pauses.
    pub backoff: Backoff,
}

/// The pauses between attempts: the first, and how they grow up to the longest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    initial_delay: InitialDelay,
    max_delay: MaxDelay,
    factor: BackoffFactor,
}

impl Backoff {
    /// Takes the pause after the first failure, the longest pause, and by what the pause grows with
    /// every failure. The bounds are those of [`InitialDelay`], [`MaxDelay`] and [`BackoffFactor`].
    ///
    /// # Errors
    /// [`ConfigError`] where one is not within its bounds, or the first pause is longer than the
    /// longest.
    pub fn new(
        initial_delay: Duration,
        max_delay: Duration,
        factor: f64,
    ) -> Result<Self, ConfigError> {
        Self::of(
            InitialDelay::new(initial_delay)?,
            MaxDelay::new(max_delay)?,
            BackoffFactor::new(factor)?,
        )
    }

    /// The same from checked values.
    ///
    /// # Errors
    /// [`ConfigError`] where the first pause is longer than the longest.
    pub fn of(
        initial_delay: InitialDelay,
        max_delay: MaxDelay,
        factor: BackoffFactor,
    ) -> Result<Self, ConfigError> {
        if initial_delay.get() > max_delay.get() {
            let what = "must be at most max_delay, the longest pause";
            return Err(ConfigError::invalid(InitialDelay::NAME, &what));
        }
        Ok(Self { initial_delay, max_delay, factor })
    }

    /// The pause after the first failure.
    #[must_use]
    pub const fn initial_delay(&self) -> InitialDelay {
        self.initial_delay
    }

    /// The longest pause.
    #[must_use]
    pub const fn max_delay(&self) -> MaxDelay {
        self.max_delay
    }

    /// By what the pause grows with every failure.
    #[must_use]
    pub const fn factor(&self) -> BackoffFactor {
        self.factor
    }

    /// The same pauses, but that they grow up to `longest`.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) fn up_to(self, longest: Duration) -> Result<Self, ConfigError> {
        Self::of(self.initial_delay, MaxDelay::new(longest)?, self.factor)
    }

    /// The pause after so many failures, from 1, before jitter.
    pub(crate) fn pause(&self, failures: u32) -> Duration {
        let growth = self.factor.get().powf(f64::from(failures.saturating_sub(1)));
        let longest = self.max_delay.get();
        let seconds = self.initial_delay.get().as_secs_f64() * growth;
        // Growth without end is the longest pause.
        Duration::try_from_secs_f64(seconds).map_or(longest, |pause| pause.min(longest))
    }
}

impl Default for Backoff {
    /// 500 ms, 1 s, 2 s, and so on up to 30 s.
    fn default() -> Self {
        Self {
            initial_delay: InitialDelay::DEFAULT,
            max_delay: MaxDelay::DEFAULT,
            factor: BackoffFactor::DEFAULT,
        }
    }
}
