//! A new secret, API key or CA file for a client that runs.
//!
//! What can change is behind atomic pointers: a fork finds no lock that is held, and a child goes on
//! with what its parent had at that moment. The worker and the senders look there before they seal
//! or call. What is sealed already keeps its bytes.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use logflux_envelope::{Sealer, Secret};
use logflux_wire::ApiKey;

use crate::api::{Api, ApiError, Trust};

/// What a client is to use from now on. What is not given stays as it is.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use logflux_transport::{Client, ClientConfig, SecretSource};
/// # let config = ClientConfig::from_env()?;
/// # let secret = SecretSource::from_env()?.load_within(config.secret_command_timeout.get())?;
/// # let client = Client::builder(config, secret).build()?;
/// use logflux_transport::Rotation;
///
/// let key = "lf_0123456789abcdefABCDEF0123456789".parse()?;
/// client.rotate(Rotation::new().api_key(key))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
#[must_use = "a rotation does nothing before `Client::rotate`"]
pub struct Rotation {
    secret: Option<Secret>,
    api_key: Option<ApiKey>,
    ca_file: Option<PathBuf>,
}

impl Rotation {
    /// A rotation of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Seals with this secret. To open older entries as well, a reader needs a
    /// [`Keyring`](logflux_envelope::Keyring) of both.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secret = Some(secret);
        self
    }

    /// Makes requests with this API key.
    pub fn api_key(mut self, key: ApiKey) -> Self {
        self.api_key = Some(key);
        self
    }

    /// Trusts the authorities in this file, in PEM, and no others. The file is read by
    /// [`Client::rotate`](crate::Client::rotate), also where its path is the same as before.
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.ca_file = Some(path.into());
        self
    }
}

/// Shows what it replaces, and nothing of a secret or a key.
impl fmt::Debug for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotation")
            .field("secret", &self.secret.is_some())
            .field("api_key", &self.api_key.is_some())
            .field("ca_file", &self.ca_file)
            .finish()
    }
}

/// What a rotation replaces.
pub(crate) struct Rotating {
    sealer: ArcSwap<Sealer>,
    api: ArcSwap<Api>,
}

impl Rotating {
    pub(crate) fn new(sealer: Arc<Sealer>, api: Arc<Api>) -> Self {
        Self { sealer: ArcSwap::new(sealer), api: ArcSwap::new(api) }
    }

    /// What to seal with now.
    pub(crate) fn sealer(&self) -> Arc<Sealer> {
        self.sealer.load_full()
    }

    /// What to call with now.
    pub(crate) fn api(&self) -> Arc<Api> {
        self.api.load_full()
    }

    /// Replaces everything that is given, or, where a part cannot be used, nothing. True where calls
    /// are made in another way from now on.
    pub(crate) fn rotate(&self, rotation: Rotation) -> Result<bool, ApiError> {
        let Rotation { secret, api_key, ca_file } = rotation;
        let trust = ca_file.map(|path| Trust::from_file(&path)).transpose()?;
        if let Some(secret) = secret {
            let sealer = self.sealer.load().with_secret(secret);
            self.sealer.store(Arc::new(sealer));
        }
        let other_calls = api_key.is_some() || trust.is_some();
        if other_calls {
            // Another thread may replace the key while this one replaces the CA file.
            self.api.rcu(|api| api.renewed(api_key.as_ref(), trust.as_ref()));
        }
        Ok(other_calls)
    }
}
