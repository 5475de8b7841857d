//! `logflux keys`

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use logflux_envelope::Timestamp;
use logflux_server::{KeyId, KeyInfo, Keys, KeysError, NewKey, Scopes, Tenant};
use serde_json::json;

use crate::escape;
use crate::failure::{Failure, Outcome};
use crate::output::Format;
use crate::streams::{say, stdout};

/// Make, list, rotate and revoke the API keys of a server's data folder, also while it runs
#[derive(Args, Debug)]
#[command(
    name = "keys",
    after_help = "Examples:
  export LOGFLUX_API_KEY=$(logflux keys create --data ./data --scope ingest,read)
  logflux keys list --data ./data
  logflux keys rotate --data ./data key_0123456789ab --grace 24h
  logflux keys revoke --data ./data key_0123456789ab"
)]
pub(crate) struct KeysCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a key and print it; it is shown this once, and kept as a hash
    #[command(after_help = "Example:
  logflux keys create --data ./data --tenant shop --scope ingest --expires 90d --note 'web servers'")]
    Create {
        /// The server's data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// Whose entries the key sends and reads
        #[arg(long, default_value = "default")]
        tenant: Tenant,
        /// What the key may do: ingest, read, admin, or several with commas
        #[arg(long, default_value = "ingest")]
        scope: Scopes,
        /// After how long the key expires, such as 90d [default: never]
        #[arg(long, value_name = "DURATION", value_parser = logflux_transport::parse_duration)]
        expires: Option<Duration>,
        /// A note for people
        #[arg(long)]
        note: Option<String>,
    },
    /// List the keys: never the keys themselves, but their ids, and how much they are used
    #[command(after_help = "Example:
  logflux keys list --data ./data --format json")]
    List {
        /// The server's data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The form of the list
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Make a key in place of another, and print it; the old one stays good for a while
    #[command(
        after_help = "The new key may do what the old one may, and lives as long as that was made for.

Example:
  export LOGFLUX_API_KEY=$(logflux keys rotate --data ./data key_0123456789ab --grace 24h)"
    )]
    Rotate {
        /// The server's data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The old key's id, as `keys list` shows it
        id: KeyId,
        /// How long the old key stays good; 0 for not at all
        #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = logflux_transport::parse_duration)]
        grace: Duration,
    },
    /// Revoke a key: it stops working within a second
    #[command(after_help = "Example:
  logflux keys revoke --data ./data key_0123456789ab")]
    Revoke {
        /// The server's data folder
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
        /// The key's id, as `keys list` shows it
        id: KeyId,
    },
}

impl KeysCommand {
    pub(crate) fn run(self) -> Outcome {
        match self.action {
            Action::Create { data, tenant, scope, expires, note } => {
                let mut new = NewKey::new(tenant, scope);
                new.note = note;
                new.expires = expires.map(after).transpose()?;
                let (key, info) = Keys::open(&data)?.create(&new)?;
                writeln!(stdout(), "{}", key.expose())?;
                say!("{} of tenant {} may {}", info.id, info.tenant, info.scopes);
            }
            Action::List { data, format } => {
                let all = Keys::open(&data)?.list()?;
                for key in &all.keys {
                    list(key, format)?;
                }
                tell_damaged(&all.damaged)?;
            }
            Action::Rotate { data, id, grace } => {
                let keys = Keys::open(&data)?;
                let (key, info) = keys.rotate(&id, grace)?;
                writeln!(stdout(), "{}", key.expose())?;
                let until = keys.get(&id)?.expires.map(|time| time.to_string()).unwrap_or_default();
                say!(
                    "{} of tenant {} takes the place of {id}, which is good until {until}",
                    info.id,
                    info.tenant
                );
            }
            Action::Revoke { data, id } => {
                let keys = Keys::open(&data)?;
                keys.revoke(&id)?;
                match keys.get(&id) {
                    Ok(info) => say!("{id} of tenant {} is revoked", info.tenant),
                    Err(KeysError::Damaged(_)) => say!("{id}, which is damaged, is revoked"),
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }
}

fn after(duration: Duration) -> Outcome<Timestamp> {
    let now = Timestamp::now();
    i64::try_from(duration.as_secs())
        .ok()
        .and_then(|seconds| now.unix_seconds().checked_add(seconds))
        .and_then(|seconds| Timestamp::from_unix(seconds, 0).ok())
        .ok_or_else(|| Failure::new("--expires ends after the year 9999: leave it out for never"))
}

/// Names the keys that are damaged; the command fails where there are any.
fn tell_damaged(damaged: &[Option<KeyId>]) -> Outcome {
    for id in damaged {
        match id {
            Some(id) => say!("{}", KeysError::Damaged(id.clone())),
            None => say!(
                "a key whose id cannot be read is damaged in keys.db, and the server refuses it"
            ),
        }
    }
    if damaged.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

fn list(key: &KeyInfo, format: Format) -> Outcome {
    let state = key.state(Timestamp::now());
    let mut stdout = stdout();
    match format {
        Format::Json => {
            let line = json!({
                "id": key.id.as_str(),
                "tenant": key.tenant.as_str(),
                "scopes": key.scopes.iter().map(|scope| scope.name()).collect::<Vec<_>>(),
                "state": state.to_string(),
                "created": key.created.to_string(),
                "expires": key.expires.map(|time| time.to_string()),
                "revoked": key.revoked.map(|time| time.to_string()),
                "note": key.note,
                "successor": key.successor.as_ref().map(KeyId::as_str),
                "last_used": key.last_used.map(|time| time.to_string()),
                "requests": key.requests,
                "entries": key.entries,
            });
            writeln!(stdout, "{line}")?;
        }
        Format::Text => {
            let used = key.last_used.map_or_else(|| "never".to_owned(), |time| time.to_string());
            let successor = key.successor.as_ref();
            let successor = successor.map_or_else(String::new, |id| format!(" replaced by {id}"));
            let expires = key.expires.map_or_else(|| "never".to_owned(), |time| time.to_string());
            writeln!(
                stdout,
                "{} {state:<8} {:<18} tenant {} created {} expires {expires} last used {used} requests {} entries {}{successor} {}",
                key.id,
                key.scopes,
                key.tenant,
                key.created,
                key.requests,
                key.entries,
                escape::line(key.note.as_deref().unwrap_or_default()),
            )?;
        }
    }
    Ok(())
}
