//! The subject of the Rust core: what `logflux certify` starts, for the crates of this workspace.

use std::array::TryFromSliceError;
use std::collections::HashMap;
use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::error::Error;
use std::io::{self, BufRead as _, Write as _};
use std::time::Duration;

use logflux_certify::{Base64, Hex};
use logflux_envelope::hazmat::{SaltedKey, derive_key};
use logflux_envelope::{Entry, EntryError, Iv, KeyPolicy, Level, Message, Mode, Node, OpenError};
use logflux_envelope::{Opener, Salt, SealError, Sealer, Secret, Stage, Timestamp};
use logflux_transport::{Backoff, Client, ClientConfig, FlushInterval};
use logflux_wire::{LevelError, NodeError, TimestampError, UnsupportedMode};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is asked. What a request does not have is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Request {
    id: u64,
    op: String,
    entry_b64: Base64,
    secret_hex: Hex,
    salt_hex: Option<Hex>,
    iv_hex: Hex,
    message_hex: Hex,
    mode: u64,
    node: String,
    loglevel: u64,
    timestamp: String,
    endpoint: String,
    ca_file: String,
    api_key: String,
    messages: Vec<Self>,
    hints: HashMap<String, u64>,
    timeout_ms: u64,
}

type Answered = Result<Value, Box<dyn Error>>;

/// What is answered to an error: the stage where something was refused, if it has one, and why.
fn refusal(error: &(dyn Error + 'static)) -> Value {
    let field = error.is::<LevelError>() || error.is::<NodeError>() || error.is::<TimestampError>();
    let too_long = matches!(error.downcast_ref(), Some(SealError::MessageTooLong { .. }));
    let stage = None
        .or(error.downcast_ref().map(EntryError::stage))
        .or(error.downcast_ref().map(OpenError::stage))
        .or(error.is::<UnsupportedMode>().then_some(Stage::Mode))
        .or(field.then_some(Stage::Field))
        .or((too_long || error.is::<TryFromSliceError>()).then_some(Stage::Size));
    json!({"stage": stage.map(Stage::name), "message": error.to_string()})
}

/// What is kept between requests: keys by secret, and a client from `ship` to `flush`.
#[derive(Default)]
struct Subject {
    openers: HashMap<Hex, Opener>,
    sealers: HashMap<(Hex, Mode), Sealer>,
    salted: HashMap<(Hex, Mode, Salt), SaltedKey>,
    client: Option<Client>,
}

impl Subject {
    fn answer(&mut self, request: &Request) -> Answered {
        let secret = || Secret::from_utf8(request.secret_hex.0.clone());
        let mode = || Mode::from_number(request.mode);
        match request.op.as_str() {
            "hello" => Ok(json!({
                "name": "logflux (Rust core)", "version": env!("CARGO_PKG_VERSION"),
                "language": "Rust", "operations": ["open", "parse", "seal", "derive", "ship"],
                "modes": Mode::ALL.map(Mode::number), "key_policy": "unique",
            })),
            "open" => {
                let (entry, secret) = (Entry::parse(&request.entry_b64.0)?, secret()?);
                let opener = self.openers.entry(request.secret_hex.clone());
                let message = opener.or_insert_with(|| Opener::new(secret)).open(&entry)?;
                Ok(json!({"message_hex": Hex(message.into_bytes())}))
            }
            "parse" => Entry::parse(&request.entry_b64.0).map(|_| json!({})).map_err(Into::into),
            "seal" => self.seal(request, secret()?, mode()?),
            "derive" => {
                let salt = request.salt_hex.clone().unwrap_or_default().0.as_slice().try_into()?;
                let key = derive_key(&secret()?, mode()?, &Salt::new(salt))?;
                Ok(json!({"key_hex": Hex(key.as_bytes().to_vec())}))
            }
            "ship" => self.ship(request, secret()?, mode()?),
            "flush" => {
                let client = self.client.take().ok_or("nothing was shipped")?;
                client.close(Duration::from_millis(request.timeout_ms))?;
                let dropped = client.stats().dropped.total();
                if dropped == 0 { Ok(json!({})) } else { Err("some were dropped".into()) }
            }
            _ => Ok(json!({})),
        }
    }

    fn seal(&mut self, request: &Request, secret: Secret, mode: Mode) -> Answered {
        let node = &Node::new(request.node.as_str())?;
        let level = Level::from_number(request.loglevel)?;
        let timestamp = request.timestamp.parse()?;
        let message = Message { bytes: &request.message_hex.0, node, level, timestamp };
        let entry = if let Some(salt) = &request.salt_hex {
            let salt = Salt::new(salt.0.as_slice().try_into()?);
            let iv = Iv::new(request.iv_hex.0.as_slice().try_into()?);
            let key = match self.salted.entry((request.secret_hex.clone(), mode, salt)) {
                Occupied(known) => known.into_mut(),
                Vacant(new) => new.insert(SaltedKey::derive(&secret, mode, salt)?),
            };
            key.seal(message, iv)?
        } else {
            // A new one has derived nothing yet.
            let new = Sealer::builder(secret).mode(mode).key_policy(KeyPolicy::Unique).build()?;
            let sealer = self.sealers.entry((request.secret_hex.clone(), mode)).or_insert(new);
            sealer.seal(message)?
        };
        Ok(json!({"entry_b64": Base64(entry.to_json().into_bytes())}))
    }

    fn ship(&mut self, request: &Request, secret: Secret, mode: Mode) -> Answered {
        let mut settings = ClientConfig::new(request.endpoint.parse()?, request.api_key.parse()?);
        settings.ca_file = Some(request.ca_file.clone().into());
        settings.node = Some(request.node.parse()?);
        let hint = |name| Duration::from_millis(request.hints.get(name).copied().unwrap_or(100));
        settings.flush_interval = FlushInterval::new(hint("flush_interval_ms"))?;
        settings.retry.backoff = Backoff::new(hint("initial_delay_ms"), hint("max_delay_ms"), 2.0)?;
        let client = self.client.insert(Client::builder(settings, secret).mode(mode).build()?);
        for message in &request.messages {
            let (level, bytes) = (Level::from_number(message.loglevel)?, &message.message_hex.0);
            client.log_bytes(level, bytes, Timestamp::now());
        }
        Ok(json!({}))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut subject = Subject::default();
    for line in io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?)?;
        let answer = subject.answer(&request).map_err(|error| refusal(&*error));
        let (name, parts) = answer.map_or_else(|error| ("error", error), |parts| ("ok", parts));
        writeln!(io::stdout(), "{}", json!({"id": request.id, name: parts}))?;
        if request.op == "stop" {
            break;
        }
    }
    Ok(())
}
