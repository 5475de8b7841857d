//! The subject of the Rust core: what `logflux certify` starts, for the crates of this workspace.

#![allow(clippy::indexing_slicing)] // What is not there is null, and answers have an object.

mod shipment;

use std::error::Error;
use std::io::{self, BufRead as _, Write as _};

use logflux_certify::{Base64, Hex};
use logflux_envelope::hazmat::{Given, derive_key, seal_with_salt_and_iv};
use logflux_envelope::{Entry, Iv, KeyPolicy, Level, Message, Mode, Node, Opener, Salt, SealError};
use logflux_envelope::{Sealer, Secret, Stage, Timestamp};
use logflux_transport::Client;
use serde_json::{Value, from_value, json};

/// Where something was refused, if it has a stage.
type Refused = Option<Stage>;
type Answered = Result<Value, Refused>;

/// What is kept between requests.
#[derive(Default)]
struct Subject {
    /// Remembers keys, as long as the secret is the same.
    opener: Option<(Vec<u8>, Opener)>,
    /// Seals with salts and ivs of its own.
    sealer: Option<(Vec<u8>, Mode, Sealer)>,
    client: Option<Client>,
}

fn hex(request: &Value, name: &str) -> Vec<u8> {
    from_value::<Hex>(request[name].clone()).unwrap_or_default().0
}

fn text<'a>(request: &'a Value, name: &str) -> &'a str {
    request[name].as_str().unwrap_or_default()
}

fn number(request: &Value, name: &str) -> u64 {
    request[name].as_u64().unwrap_or(u64::MAX)
}

fn secret(request: &Value) -> Result<Secret, Refused> {
    Secret::from_utf8(hex(request, "secret_hex")).map_err(|_| None)
}

fn mode(request: &Value) -> Result<Mode, Refused> {
    Mode::from_number(number(request, "mode")).map_err(|_| Some(Stage::Mode))
}

fn array<const N: usize>(request: &Value, name: &str) -> Result<[u8; N], Refused> {
    hex(request, name).try_into().map_err(|_| Some(Stage::Size))
}

fn entry(request: &Value) -> Result<Entry, Refused> {
    let bytes = from_value::<Base64>(request["entry_b64"].clone()).unwrap_or_default().0;
    Entry::parse(&bytes).map_err(|error| Some(error.stage()))
}

fn sealed(entry: Result<Entry, SealError>) -> Answered {
    match entry {
        Ok(entry) => Ok(json!({"entry_b64": Base64(entry.to_json().into_bytes()).to_string()})),
        Err(SealError::MessageTooLong { .. }) => Err(Some(Stage::Size)),
        Err(_) => Err(None),
    }
}

impl Subject {
    fn open(&mut self, request: &Value) -> Answered {
        let entry = entry(request)?;
        let bytes = hex(request, "secret_hex");
        if self.opener.as_ref().is_none_or(|(known, _)| *known != bytes) {
            self.opener = Some((bytes, Opener::new(secret(request)?)));
        }
        let Some((_, opener)) = &self.opener else { return Err(None) };
        let message = opener.open(&entry).map_err(|error| Some(error.stage()))?;
        Ok(json!({"message_hex": Hex(message.into_bytes()).to_string()}))
    }

    fn seal(&mut self, request: &Value) -> Answered {
        let mode = mode(request)?;
        let node = Node::new(text(request, "node")).map_err(|_| Some(Stage::Field))?;
        let level = number(request, "loglevel");
        let level = Level::from_number(level).map_err(|_| Some(Stage::Field))?;
        let time = text(request, "timestamp");
        let timestamp: Timestamp = time.parse().map_err(|_| Some(Stage::Field))?;
        let message = hex(request, "message_hex");
        if !request["salt_hex"].is_null() {
            let (salt, iv) = (array(request, "salt_hex")?, array(request, "iv_hex")?);
            let (salt, iv) = (Salt::new(salt), Iv::new(iv));
            let given = Given { mode, salt, iv, node: &node, level, timestamp };
            return sealed(seal_with_salt_and_iv(&message, &secret(request)?, &given));
        }
        let bytes = hex(request, "secret_hex");
        if self.sealer.as_ref().is_none_or(|(known, of, _)| *known != bytes || *of != mode) {
            let builder = Sealer::builder(secret(request)?).mode(mode);
            let sealer = builder.key_policy(KeyPolicy::Unique).build().map_err(|_| None)?;
            self.sealer = Some((bytes, mode, sealer));
        }
        let Some((.., sealer)) = &self.sealer else { return Err(None) };
        sealed(sealer.seal(Message { bytes: &message, node: &node, level, timestamp }))
    }

    fn derive(request: &Value) -> Answered {
        let salt = Salt::new(array(request, "salt_hex")?);
        let key = derive_key(&secret(request)?, mode(request)?, &salt).map_err(|_| None)?;
        Ok(json!({"key_hex": Hex(key.as_bytes().to_vec()).to_string()}))
    }

    fn answer(&mut self, request: &Value) -> Value {
        let words = |done: Result<Value, Box<dyn Error>>| match done {
            Ok(parts) => json!({"ok": parts}),
            Err(error) => json!({"error": {"message": error.to_string()}}),
        };
        let answered = match text(request, "op") {
            "hello" => Ok(json!({
                "name": "logflux (Rust core)", "version": env!("CARGO_PKG_VERSION"),
                "language": "Rust", "operations": ["open", "parse", "seal", "derive", "ship"],
                "modes": Mode::ALL.map(Mode::number), "key_policy": "unique",
            })),
            "open" => self.open(request),
            "parse" => entry(request).map(|_| json!({})),
            "seal" => self.seal(request),
            "derive" => Self::derive(request),
            "ship" => return words(self.ship(request)),
            "flush" => return words(self.flush(request)),
            "stop" => Ok(json!({})),
            other => return json!({"unsupported": other}),
        };
        match answered {
            Ok(parts) => json!({"ok": parts}),
            Err(stage) => json!({"error": {"stage": stage.map(Stage::name)}}),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut subject = Subject::default();
    for line in io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let mut answer = subject.answer(&request);
        answer["id"] = request["id"].clone();
        writeln!(io::stdout(), "{answer}")?;
        if request["op"] == "stop" {
            break;
        }
    }
    Ok(())
}
