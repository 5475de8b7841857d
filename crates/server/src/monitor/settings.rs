//! What is watched for, and who is told.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// The rules of the monitors, and where alerts go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct MonitorSettings {
    /// The same alert (of one kind, about one key or address) is given once in this time; 10
    /// minutes by default.
    #[serde(with = "humantime_serde")]
    pub quiet: Duration,
    /// How many alerts of each kind are kept for `GET /v1/alerts`, 10,000 by default; above it the
    /// oldest go.
    pub keep: u32,
    /// A key or an address has used this part of its requests of a minute.
    pub limit_near: LimitNear,
    /// Requests refused for a limit; by default one in 5 minutes is told.
    pub limit_exceeded: Burst,
    /// Failed authentications of one address, or with one key from many addresses; by default 10 in 5
    /// minutes are told. Of all together it is ten times as many.
    pub auth_failures: Burst,
    /// A key sends more than in its own past.
    pub unusual_use: UnusualUse,
    /// Payloads near the bound or above it.
    pub large_payload: LargePayload,
    /// Entries or bodies of one key that are refused; by default 100 in 5 minutes are told.
    pub invalid_payloads: Burst,
    /// A salt and iv that came again with another entry; every one is told by default.
    pub nonce_reused: Burst,
    /// Where alerts are posted; nowhere by default.
    pub webhook: Option<WebhookSettings>,
}

impl Default for MonitorSettings {
    fn default() -> Self {
        let burst = |count| Burst { count, ..Burst::default() };
        Self {
            quiet: Duration::from_secs(600),
            keep: 10_000,
            limit_near: LimitNear::default(),
            limit_exceeded: burst(1),
            auth_failures: burst(10),
            unusual_use: UnusualUse::default(),
            large_payload: LargePayload::default(),
            invalid_payloads: burst(100),
            nonce_reused: burst(1),
            webhook: None,
        }
    }
}

/// So many within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Burst {
    /// Whether it is watched for; it is by default.
    pub enabled: bool,
    /// How many, at least 1.
    pub count: u32,
    /// Within which time, 5 minutes by default.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
}

impl Default for Burst {
    fn default() -> Self {
        Self { enabled: true, count: 1, window: Duration::from_secs(300) }
    }
}

/// When a limit is near.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LimitNear {
    /// Whether it is watched for; it is by default.
    pub enabled: bool,
    /// Percent of the limit, 1 to 100; 80 by default.
    pub percent: u8,
}

impl Default for LimitNear {
    fn default() -> Self {
        Self { enabled: true, percent: 80 }
    }
}

/// When a key is used unusually: it has sent in one `window` more than `factor` times its own mean
/// of the past `history`. A key of which less than a sixth of that is known is not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct UnusualUse {
    /// Whether it is watched for; it is by default.
    pub enabled: bool,
    /// How many times the mean, at least 2; 5 by default.
    pub factor: u32,
    /// Entries in a window below which nothing is unusual; 1,000 by default.
    pub least: u32,
    /// The time that is judged, a minute by default.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
    /// The time that it is compared with, an hour by default: at least 6 and at most 1,440 windows.
    #[serde(with = "humantime_serde")]
    pub history: Duration,
}

impl Default for UnusualUse {
    fn default() -> Self {
        Self {
            enabled: true,
            factor: 5,
            least: 1_000,
            window: Duration::from_secs(60),
            history: Duration::from_secs(3_600),
        }
    }
}

/// When a payload is large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LargePayload {
    /// Whether it is watched for; it is by default.
    pub enabled: bool,
    /// A payload of so many base64 characters is large, 960 KiB by default. What is refused as too
    /// large always is.
    pub size: ByteSize,
    /// How many of one key are told, at least 1, which is the default.
    pub count: u32,
    /// Within which time, 5 minutes by default.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
}

impl Default for LargePayload {
    fn default() -> Self {
        let Burst { enabled, count, window } = Burst::default();
        Self { enabled, size: ByteSize::kib(960), count, window }
    }
}

/// Where alerts are posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WebhookSettings {
    /// `https://…`; plain `http://` only to a loopback address.
    pub url: String,
    /// The file of the secret that signs what is posted, 16 bytes or more. One line end at its end
    /// does not count.
    pub secret_file: PathBuf,
    /// The file of a private authority to trust, in PEM, and then nothing else; by default Mozilla's
    /// roots.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// How long one post may take, 10 s by default.
    #[serde(default = "post_timeout", with = "humantime_serde")]
    pub timeout: Duration,
    /// How often an alert is posted at most, 20 by default; between two posts are 1 s, 2 s, 4 s and
    /// so on, at most 10 minutes.
    #[serde(default = "post_attempts")]
    pub attempts: u32,
}

impl WebhookSettings {
    /// Posts to this URL, signed with the secret of this file.
    #[must_use]
    pub fn new(url: impl Into<String>, secret_file: impl Into<PathBuf>) -> Self {
        Self {
            url: url.into(),
            secret_file: secret_file.into(),
            ca_file: None,
            timeout: post_timeout(),
            attempts: post_attempts(),
        }
    }
}

fn post_timeout() -> Duration {
    Duration::from_secs(10)
}

fn post_attempts() -> u32 {
    20
}

impl MonitorSettings {
    /// Checks the bounds.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<(), String> {
        let bursts = [
            ("limit_exceeded", self.limit_exceeded),
            ("auth_failures", self.auth_failures),
            ("invalid_payloads", self.invalid_payloads),
            ("nonce_reused", self.nonce_reused),
        ];
        for (name, burst) in bursts {
            if burst.count == 0 {
                return Err(format!("{name}.count is 0: it must be at least 1"));
            }
        }
        if self.large_payload.count == 0 {
            return Err("large_payload.count is 0: it must be at least 1".to_owned());
        }
        if !(1..=100).contains(&self.limit_near.percent) {
            return Err(format!(
                "limit_near.percent is {}: it must be 1 to 100",
                self.limit_near.percent
            ));
        }
        let unusual = self.unusual_use;
        if unusual.factor < 2 {
            return Err("unusual_use.factor is less than 2: all use would be unusual".to_owned());
        }
        if unusual.window < Duration::from_millis(10)
            || !(6..=1_440)
                .contains(&(unusual.history.as_millis() / unusual.window.as_millis().max(1)))
        {
            return Err("unusual_use.history must be 6 to 1440 times unusual_use.window, and that at least 10ms".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_with_their_defaults_and_checked() {
        let read = |text: &str| serde_json::from_str::<MonitorSettings>(text);
        assert_eq!(read("{}").unwrap(), MonitorSettings::default());
        assert_eq!(MonitorSettings::default().check(), Ok(()));
        let settings = read(
            r#"{"quiet":"1h","auth_failures":{"count":3},"large_payload":{"size":"64kiB"},
                "webhook":{"url":"https://example.com/hook","secret_file":"s"}}"#,
        )
        .unwrap();
        assert_eq!(settings.auth_failures.count, 3);
        assert_eq!(settings.auth_failures.window, Duration::from_secs(300));
        assert_eq!(settings.large_payload.size, ByteSize::kib(64));
        assert_eq!(settings.webhook.unwrap().attempts, 20);
        for (bad, name) in [
            (r#"{"auth_failures":{"count":0}}"#, "auth_failures.count"),
            (r#"{"large_payload":{"count":0}}"#, "large_payload.count"),
            (r#"{"limit_near":{"percent":0}}"#, "limit_near.percent"),
            (r#"{"limit_near":{"percent":101}}"#, "limit_near.percent"),
            (r#"{"unusual_use":{"factor":1}}"#, "unusual_use.factor"),
            (r#"{"unusual_use":{"history":"1m"}}"#, "unusual_use.history"),
            (r#"{"unusual_use":{"window":"0s"}}"#, "unusual_use.window"),
        ] {
            let error = read(bad).unwrap().check().unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert!(read(r#"{"quite":"1h"}"#).is_err());
    }
}
