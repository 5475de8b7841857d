//! What an entry is made of, and the sealing of it.
//!
//! Only here does the generator use the code that it tests: the ciphertexts of valid entries are
//! its own, and another implementation confirms each of them. What must be refused, and where, is
//! stated by the author of each case.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use logflux_envelope::hazmat::{self, Given};
use logflux_envelope::{Iv, Level, Mode, Node, Salt, Secret};

use super::draft::{Draft, Parts};
use super::error::GenerateError;

/// The secret of most cases.
pub(super) const SECRET: &str = "correct horse battery staple";
/// The message of most cases.
pub(super) const MESSAGE: &str = "User login successful";
/// The time of most cases.
pub(super) const TIMESTAMP: &str = "2024-01-17T10:30:45Z";

/// Everything that one entry is made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Recipe {
    pub(super) secret: String,
    pub(super) mode: Mode,
    pub(super) salt: [u8; 32],
    pub(super) iv: [u8; 12],
    pub(super) node: String,
    pub(super) loglevel: u64,
    /// In the form that is written.
    pub(super) timestamp: String,
    pub(super) message: Vec<u8>,
}

impl Recipe {
    /// The entry from which most cases are made.
    pub(super) fn new(mode: Mode) -> Self {
        Self {
            secret: SECRET.to_owned(),
            mode,
            salt: counting(0),
            iv: counting(100),
            node: "app-server-01".to_owned(),
            loglevel: 7,
            timestamp: TIMESTAMP.to_owned(),
            message: MESSAGE.as_bytes().to_vec(),
        }
    }

    pub(super) fn secret(mut self, secret: &str) -> Self {
        secret.clone_into(&mut self.secret);
        self
    }

    /// A salt that counts from `first`.
    pub(super) fn salt_from(mut self, first: u8) -> Self {
        self.salt = counting(first);
        self
    }

    /// An iv that counts from `first`.
    pub(super) fn iv_from(mut self, first: u8) -> Self {
        self.iv = counting(first);
        self
    }

    pub(super) fn node(mut self, node: &str) -> Self {
        node.clone_into(&mut self.node);
        self
    }

    pub(super) fn loglevel(mut self, loglevel: u64) -> Self {
        self.loglevel = loglevel;
        self
    }

    pub(super) fn timestamp(mut self, timestamp: &str) -> Self {
        timestamp.clone_into(&mut self.timestamp);
        self
    }

    pub(super) fn message(mut self, message: impl Into<Vec<u8>>) -> Self {
        self.message = message.into();
        self
    }
}

/// Bytes that count upwards, and after 255 from 0.
pub(super) fn counting<const N: usize>(first: u8) -> [u8; N] {
    let mut next = first;
    std::array::from_fn(|_| {
        let byte = next;
        next = next.wrapping_add(1);
        byte
    })
}

/// Seals recipes, each derivation only once where the payload would be the same. Topics share it
/// from their threads.
#[derive(Default)]
pub(super) struct Forge {
    payloads: Mutex<HashMap<Recipe, Vec<u8>>>,
}

impl Forge {
    pub(super) fn seal(&self, recipe: &Recipe) -> Result<Draft, GenerateError> {
        // Modes 1 to 4 seal nothing but the message.
        let of = match recipe.mode {
            Mode::Hkdf => recipe.clone(),
            _ => recipe.clone().node("n").loglevel(1).timestamp(TIMESTAMP),
        };
        let known = self.payloads().get(&of).cloned();
        let payload = match known {
            Some(payload) => payload,
            None => {
                let payload = seal(&of)?;
                self.payloads().insert(of, payload.clone());
                payload
            }
        };
        Ok(Draft::new(Parts {
            node: &recipe.node,
            payload,
            loglevel: recipe.loglevel,
            timestamp: &recipe.timestamp,
            mode: recipe.mode.number().into(),
            iv: recipe.iv.to_vec(),
            salt: recipe.salt.to_vec(),
        }))
    }

    fn payloads(&self) -> MutexGuard<'_, HashMap<Recipe, Vec<u8>>> {
        self.payloads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of an entry with this secret, mode and salt.
pub(super) fn key(secret: &str, mode: Mode, salt: [u8; 32]) -> Result<Vec<u8>, GenerateError> {
    let secret = Secret::new(secret)?;
    Ok(hazmat::derive_key(&secret, mode, &Salt::new(salt))?.as_bytes().to_vec())
}

fn seal(recipe: &Recipe) -> Result<Vec<u8>, GenerateError> {
    let node = Node::new(recipe.node.as_str())?;
    let given = Given {
        mode: recipe.mode,
        salt: Salt::new(recipe.salt),
        iv: Iv::new(recipe.iv),
        node: &node,
        level: Level::from_number(recipe.loglevel)?,
        timestamp: recipe.timestamp.parse()?,
    };
    let secret = Secret::new(recipe.secret.as_str())?;
    let entry = hazmat::seal_with_salt_and_iv(&recipe.message, &secret, &given)?;
    Ok(entry.payload().as_bytes().to_vec())
}
