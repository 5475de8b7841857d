//! What stands in the file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::SettingsError;
use super::units::{Size, Span};
use crate::monitor::MonitorSettings;
use crate::store::StoreSettings;

/// A server's settings. What is not set is at its default; see `deploy/logflux.toml` for all of
/// them with their meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// The address and port.
    pub listen: Option<SocketAddr>,
    /// The data folder.
    pub data: Option<PathBuf>,
    /// The encryption modes that are taken.
    pub modes: Option<Vec<u64>>,
    /// The certificate.
    #[serde(default)]
    pub tls: TlsSettings,
    /// How much is taken, and how often.
    #[serde(default)]
    pub limits: LimitSettings,
    /// How long things may take.
    #[serde(default)]
    pub timeouts: TimeoutSettings,
    /// What is kept, and for how long.
    #[serde(default)]
    pub store: StoreSettings,
    /// What is watched for, and who is told.
    #[serde(default)]
    pub monitor: MonitorSettings,
}

/// `[tls]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsSettings {
    /// The certificate chain in PEM.
    pub cert: Option<PathBuf>,
    /// The private key in PEM.
    pub key: Option<PathBuf>,
}

/// `[limits]`; what they mean is said at [`Limits`](crate::Limits) and [`Rates`](crate::Rates).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs)] // See there.
pub struct LimitSettings {
    pub requests_per_key: Option<u32>,
    pub requests_per_address: Option<u32>,
    pub addresses: Option<usize>,
    pub handshakes_per_address: Option<u32>,
    pub trusted_proxies: Option<Vec<String>>,
    pub batch: Option<usize>,
    pub payload: Option<Size>,
    pub body: Option<Size>,
    pub bodies: Option<Size>,
    pub queue_requests: Option<usize>,
    pub queue_bytes: Option<Size>,
    pub page: Option<Size>,
    pub answers: Option<Size>,
    pub tails: Option<usize>,
    pub connections: Option<usize>,
    pub connections_per_address: Option<usize>,
}

/// `[timeouts]`; what they mean is said at [`Timeouts`](crate::Timeouts).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs)] // See there.
pub struct TimeoutSettings {
    pub handshake: Option<Span>,
    pub header: Option<Span>,
    pub body: Option<Span>,
    pub write: Option<Span>,
    pub shutdown: Option<Span>,
}

impl Settings {
    /// Reads a file. Paths in it that are not absolute begin at the file's folder.
    ///
    /// # Errors
    /// [`SettingsError::Read`] or [`SettingsError::Form`].
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
        let mut settings = Self::parse(&text, path)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let Self { data, tls: TlsSettings { cert, key }, .. } = &mut settings;
        for path in [data, cert, key].into_iter().flatten() {
            *path = folder.join(&*path);
        }
        if let Some(webhook) = &mut settings.monitor.webhook {
            for path in [Some(&mut webhook.secret_file), webhook.ca_file.as_mut()] {
                path.into_iter().for_each(|path| *path = folder.join(&*path));
            }
        }
        Ok(settings)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        let form = |setting: &str, error: &toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
            let message = plain(&error.message().lines().collect::<Vec<_>>().join(", "));
            let reason = match setting {
                "" | "." => message,
                setting => format!("{setting}: {message}"),
            };
            SettingsError::Form { path: path.to_owned(), line, reason }
        };
        let document = toml::Deserializer::parse(text).map_err(|error| form("", &error))?;
        serde_path_to_error::deserialize(document)
            .map_err(|error| form(&error.path().to_string(), error.inner()))
    }
}

/// A message without the names that types have in the code.
fn plain(message: &str) -> String {
    let types = [
        ("expected u8", "expected a number from 0 to 255"),
        ("expected u16", "expected a number from 0 to 65535"),
        ("expected u32", "expected a number from 0 to 4294967295"),
        ("expected u64", "expected a number that is not negative"),
        ("expected usize", "expected a number that is not negative"),
    ];
    let found = types.iter().find(|(of_type, _)| message.ends_with(of_type));
    found.map_or_else(|| message.to_owned(), |(of_type, words)| message.replace(of_type, words))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, named) in [
            ("listen = \"0.0.0.0:443\"\nlimit = 3\n", 2, &["limit", "`limits`"][..]),
            ("[limits]\n\nrequests_per_kye = 3\n", 3, &["requests_per_kye", "`requests_per_key`"]),
            ("[limits]\nbatch = \"many\"\n", 2, &["limits.batch", "\"many\""]),
            ("[limits]\nbatch = -1\n", 2, &["limits.batch", "-1", "not negative"]),
            (
                "[monitor]\nlimit_near = { percent = 800 }\n",
                2,
                &["monitor.limit_near.percent", "800", "a number from 0 to 255"],
            ),
            ("[limits]\nbody = \"5 apples\"\n", 2, &["limits.body", "64MiB"]),
            ("[limits]\nbody = 1.5\n", 2, &["limits.body", "64MiB"]),
            ("[timeouts]\nheader = \"soon\"\n", 2, &["timeouts.header", "250ms"]),
            ("[timeouts]\nheader = 5\n", 2, &["timeouts.header", "string"]),
            ("listen = \"localhost\"\n", 1, &["listen", "socket address"]),
            ("listen = \"0.0.0.0:443\"\nlisten = \"0.0.0.0:443\"\n", 2, &["duplicate key"]),
            ("modes = [1, \"two\"]\n", 1, &["modes[1]", "\"two\""]),
            ("[tls\n", 1, &["table"]),
        ] {
            let error = Settings::parse(text, Path::new("x.toml")).unwrap_err().to_string();
            assert!(error.starts_with(&format!("settings file x.toml, line {line}: ")), "{error}");
            for name in named {
                assert!(error.contains(name), "{name} is not in: {error}");
            }
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn paths_begin_at_the_folder_of_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("logflux.toml");
        let missing = Settings::read(&file).unwrap_err().to_string();
        assert!(missing.starts_with(&format!("settings file {}: ", file.display())), "{missing}");
        let text = "data = \"data\"\n[tls]\ncert = \"/etc/cert.pem\"\nkey = \"../key.pem\"\n\
                    [timeouts]\nbody = \"1.5s\"\n[limits]\nbody = 17\n";
        std::fs::write(&file, text).unwrap();
        let settings = Settings::read(&file).unwrap();
        assert_eq!(settings.data, Some(folder.path().join("data")));
        assert_eq!(settings.tls.cert, Some(PathBuf::from("/etc/cert.pem")));
        assert_eq!(settings.tls.key, Some(folder.path().join("../key.pem")));
        assert_eq!(settings.timeouts.body, Some(Span(Duration::from_millis(1_500))));
        assert_eq!(settings.limits.body, Some(Size(17)));
    }
}
