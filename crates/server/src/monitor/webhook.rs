//! Posts alerts to a URL, signed, until they are taken.
//!
//! What is posted is the alert in JSON, as `GET /v1/alerts` has it. `X-LogFlux-Timestamp` is the time
//! of the post in seconds since 1970, and `X-LogFlux-Signature` is `v1=` and the HMAC-SHA256, in
//! hexadecimal, of that number, a dot and the body. Any 2xx takes the alert; redirects are not followed.

use std::fmt::Write as _;
use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use zeroize::Zeroizing;

use super::settings::WebhookSettings;

/// The shortest secret.
const SECRET_MIN: usize = 16;
/// The first pause between two posts, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

pub(crate) struct Webhook {
    agent: Agent,
    url: String,
    secret: Zeroizing<Vec<u8>>,
    attempts: u32,
}

impl Webhook {
    pub(crate) fn new(settings: &WebhookSettings) -> Result<Self, String> {
        let plain = check_url(&settings.url)?;
        let mut secret = fs::read(&settings.secret_file).map(Zeroizing::new).map_err(|error| {
            format!("webhook.secret_file {}: {error}", settings.secret_file.display())
        })?;
        if secret.ends_with(b"\n") {
            secret.pop();
        }
        if secret.len() < SECRET_MIN {
            return Err(format!(
                "webhook.secret_file {}: the secret has fewer than {SECRET_MIN} bytes",
                settings.secret_file.display()
            ));
        }
        let roots = match &settings.ca_file {
            None => RootCerts::WebPki,
            Some(path) => {
                let pem = fs::read(path)
                    .map_err(|error| format!("webhook.ca_file {}: {error}", path.display()))?;
                let certificates: Vec<Certificate<'static>> = ureq::tls::parse_pem(&pem)
                    .filter_map(|item| match item {
                        Ok(PemItem::Certificate(certificate)) => Some(certificate),
                        _ => None,
                    })
                    .collect();
                if certificates.is_empty() {
                    return Err(format!(
                        "webhook.ca_file {}: there is no certificate in PEM in it",
                        path.display()
                    ));
                }
                certificates.into()
            }
        };
        let mut config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots).build())
            .https_only(!plain)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("logflux-server/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(settings.timeout));
        if plain {
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().new_agent(),
            url: settings.url.clone(),
            secret,
            attempts: settings.attempts,
        })
    }

    /// Posts a body once.
    pub(super) fn post(&self, body: &str, now: u64) -> Result<(), String> {
        let answer = self
            .agent
            .post(&self.url)
            .content_type("application/json")
            .header("x-logflux-timestamp", now.to_string())
            .header("x-logflux-signature", self.sign(body, now))
            .send(body)
            .map_err(|error| error.to_string())?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("it answered {}", status.as_u16())),
        }
    }

    fn sign(&self, body: &str, now: u64) -> String {
        let mut signature = String::from("v1=");
        // A key of any length is taken.
        if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.secret) {
            mac.update(now.to_string().as_bytes());
            mac.update(b".");
            mac.update(body.as_bytes());
            for byte in mac.finalize().into_bytes() {
                let _ = write!(signature, "{byte:02x}");
            }
        }
        signature
    }

    /// How long to wait after a post that failed, the first being 1; none, where it was the last.
    pub(super) fn pause(&self, attempt: u32) -> Option<Duration> {
        (attempt < self.attempts).then(|| {
            let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
            FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
        })
    }
}

/// Whether the URL is plain `http://`, which only a loopback address may be.
fn check_url(url: &str) -> Result<bool, String> {
    let refused = || {
        Err("webhook.url must be https://…, or http:// to a loopback address, without a user name"
            .to_owned())
    };
    let Ok(uri) = url.parse::<Uri>() else { return refused() };
    let Some(authority) = uri.authority().filter(|a| !a.as_str().contains('@')) else {
        return refused();
    };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(false),
        Some("http") if loopback => Ok(true),
        _ => refused(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str, secret: &str) -> Result<Webhook, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, secret).unwrap();
        Webhook::new(&WebhookSettings::new(url, file))
    }

    #[test]
    fn only_https_or_loopback_and_only_a_real_secret() {
        for good in ["https://example.com/hook?token=1", "http://127.0.0.1:9/x", "http://[::1]:9"] {
            assert!(webhook(good, "0123456789abcdef\n").is_ok(), "{good}");
        }
        for bad in
            ["http://example.com", "https://user:pw@example.com", "example.com", "", "ftp://x"]
        {
            assert!(webhook(bad, "0123456789abcdef").is_err_and(|e| e.contains("url")), "{bad}");
        }
        let short = webhook("https://example.com", "0123456789abcde\n").err().unwrap();
        assert!(short.contains("secret_file") && !short.contains("0123"), "{short}");
        let missing = Webhook::new(&WebhookSettings::new("https://example.com", "/nowhere/x"));
        assert!(missing.is_err_and(|error| error.contains("/nowhere/x")));
    }

    #[test]
    fn a_signature_is_the_hmac_of_time_and_body() {
        let webhook = webhook("https://example.com", "0123456789abcdef\n").unwrap();
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        assert_eq!(
            webhook.sign(r#"{"a":1}"#, 1_700_000_000),
            "v1=9eb18f493f8ec135d9eb2dad817c369bb4e9cbfa818657897a7437c1cd8c3a23"
        );
    }

    #[test]
    fn pauses_double_to_ten_minutes_and_end() {
        let webhook = webhook("https://example.com", "0123456789abcdef").unwrap();
        let seconds = |attempt| webhook.pause(attempt).map(|pause| pause.as_secs());
        assert_eq!([1, 2, 3, 10, 11].map(seconds), [1, 2, 4, 512, 600].map(Some));
        assert_eq!((seconds(19), seconds(20)), (Some(600), None));
    }
}
