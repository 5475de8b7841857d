//! `logflux doctor`

use std::io::Write;

use anstyle::{AnsiColor, Style};
use clap::Args;
use logflux_envelope::Secret;
use logflux_transport::{Api, ApiError, CallError, ClientConfig};
use logflux_wire::query::Query;
use serde_json::json;

use crate::connection::ConnectionArgs;
use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use crate::secret::SecretArgs;
use crate::streams::{print_styled, stdout};

/// Check the settings, the server, TLS, the key and the secret, and say how to fix what is wrong
#[derive(Args, Debug)]
#[command(
    after_help = "Nothing is stored, and nothing of a key or a secret is shown. The exit status is 1 if a check fails.

Examples:
  logflux doctor
  logflux doctor --format json"
)]
pub(crate) struct Doctor {
    /// The form of the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

/// What a check found.
struct Finding {
    check: &'static str,
    result: Result<String, String>,
    remedy: &'static str,
}

impl Doctor {
    pub(crate) fn run(&self) -> Outcome {
        let mut findings = vec![self.check_secret()];
        match self.connection.settings() {
            Ok(settings) => check_server(&settings, &mut findings),
            Err(failure) => findings.push(Finding {
                check: "settings",
                result: Err(text(failure)),
                remedy: "set the variable that is named",
            }),
        }
        let failed = findings.iter().filter(|finding| finding.result.is_err()).count();
        for finding in &findings {
            self.print(finding)?;
        }
        if failed > 0 { Err(Failure::Told) } else { Ok(()) }
    }

    fn check_secret(&self) -> Finding {
        let result = match self.secret.secret() {
            Ok(secret) => Ok(describe(&secret)),
            Err(failure) => Err(text(failure)),
        };
        Finding { check: "secret", result, remedy: "export LOGFLUX_SECRET=$(logflux keygen)" }
    }

    fn print(&self, finding: &Finding) -> Outcome {
        let Finding { check, result, remedy } = finding;
        if self.format == Format::Json {
            let line = match result {
                Ok(found) => json!({ "check": check, "ok": true, "found": found }),
                Err(fault) => {
                    json!({ "check": check, "ok": false, "fault": fault, "remedy": remedy })
                }
            };
            writeln!(stdout(), "{}", escape::line(&line.to_string()))?;
            return Ok(());
        }
        let colour = |colour: AnsiColor| Style::new().bold().fg_color(Some(colour.into()));
        let (green, red) = (colour(AnsiColor::Green), colour(AnsiColor::Red));
        print_styled(&match result {
            Ok(found) => format!("{green}ok  {green:#} {check:<9} {}\n", escape::line(found)),
            Err(fault) => format!(
                "{red}FAIL{red:#} {check:<9} {}\n               fix: {remedy}\n",
                escape::line(fault)
            ),
        })
    }
}

/// How long a secret is, which is all that may be said of it.
fn describe(secret: &Secret) -> String {
    let characters = secret.expose().chars().count();
    if characters < 16 {
        format!("{characters} characters: short for a secret, `logflux keygen` makes 256 bits")
    } else {
        format!("{characters} characters")
    }
}

fn check_server(settings: &ClientConfig, findings: &mut Vec<Finding>) {
    let mut find = |check, result, remedy| findings.push(Finding { check, result, remedy });
    find("settings", Ok(format!("key for {}", settings.endpoint)), "");
    let api = match settings.api() {
        Ok(api) => api,
        Err(error @ ApiError::Proxy(_)) => {
            let remedy =
                "set the variable that is named to the proxy's URL, or LOGFLUX_PROXY=direct";
            return find("proxy", Err(error.to_string()), remedy);
        }
        Err(error) => {
            let remedy = "name the authority's certificate by LOGFLUX_CA_FILE or --ca-file";
            return find("ca_file", Err(error.to_string()), remedy);
        }
    };
    find("proxy", Ok(api.route().to_string()), "");
    let proxied = api.route().proxy().is_some();
    match api.version() {
        Ok(version) if version.supported_versions.iter().any(|v| v == "v1") => {
            find("server", Ok(format!("{} speaks v1", version.service)), "");
        }
        Ok(version) => {
            let fault = format!("{} does not speak v1", version.service);
            return find("server", Err(fault), "use a LogFlux of the server's version");
        }
        Err(error) => {
            let remedy = remedy_for(&error, proxied);
            return find("server", Err(error.to_string()), remedy);
        }
    }
    check_key(&api, find);
}

fn check_key(api: &Api, mut find: impl FnMut(&'static str, Result<String, String>, &'static str)) {
    let create = "make a key on the server: logflux keys create --data DIR --scope ingest,read";
    match api.check_key() {
        Ok(()) => find("ingest", Ok("the key may send".to_owned()), ""),
        Err(error) => find("ingest", Err(error.to_string()), create),
    }
    match api.query(&Query { limit: 1, ..Query::default() }) {
        Ok(_) => find("read", Ok("the key may query".to_owned()), ""),
        // Most keys that send may not read, and should not.
        Err(CallError::Refused { status: 403, .. }) => {
            find("read", Ok("the key may not query (a sender does not need to)".to_owned()), "");
        }
        Err(error) => find("read", Err(error.to_string()), create),
    }
}

fn remedy_for(error: &CallError, proxied: bool) -> &'static str {
    match error {
        CallError::Proxy(_) => {
            "check the user name, the password and the rules of the proxy above; LOGFLUX_PROXY=direct uses no proxy"
        }
        CallError::Unreachable(_) | CallError::TimedOut(_) if proxied => {
            "check the proxy above, and that it reaches the server of LOGFLUX_SERVER_URL; LOGFLUX_PROXY=direct uses no proxy"
        }
        CallError::Tls(_) => {
            "for a private authority, name its certificate by LOGFLUX_CA_FILE; otherwise renew the server's certificate: no switch skips this check"
        }
        CallError::Unreachable(_) | CallError::TimedOut(_) => {
            "check the host and the port of LOGFLUX_SERVER_URL, and that the server runs: logflux serve"
        }
        _ => "check LOGFLUX_SERVER_URL: this is not a LogFlux ingest API",
    }
}

fn text(failure: Failure) -> String {
    match failure {
        Failure::Message(message) | Failure::Lines(message) | Failure::Usage(message) => message,
        Failure::Told | Failure::Status(_) | Failure::ReaderGone => String::new(),
    }
}
