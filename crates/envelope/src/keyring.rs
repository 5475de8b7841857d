//! Several secrets, so that old entries stay readable after a rotation.

use logflux_wire::Timestamp;

use crate::secret::Secret;

/// One or more secrets, the newest first. An opener tries them in an order that fits the entry.
#[derive(Clone, Debug)]
pub struct Keyring {
    secrets: Vec<Link>,
}

/// A secret, and since when it seals.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) secret: Secret,
    pub(crate) since: Option<Timestamp>,
}

impl Keyring {
    /// A keyring of one secret.
    #[must_use]
    pub fn new(newest: Secret) -> Self {
        Self { secrets: vec![Link { secret: newest, since: None }] }
    }

    /// A keyring of several secrets, the newest first.
    ///
    /// # Errors
    /// [`KeyringError`] where there is none.
    pub fn from_secrets(
        newest_first: impl IntoIterator<Item = Secret>,
    ) -> Result<Self, KeyringError> {
        let secrets: Vec<Link> =
            newest_first.into_iter().map(|secret| Link { secret, since: None }).collect();
        if secrets.is_empty() { Err(KeyringError) } else { Ok(Self { secrets }) }
    }

    /// Adds a secret older than all others.
    #[must_use]
    pub fn with_older(mut self, secret: Secret) -> Self {
        self.secrets.push(Link { secret, since: None });
        self
    }

    /// Says since when the oldest secret that was added seals. An entry whose timestamp lies in a
    /// secret's time is tried with that one first; the others still are tried, since clocks differ.
    #[must_use]
    pub fn since(mut self, since: Timestamp) -> Self {
        if let Some(last) = self.secrets.last_mut() {
            last.since = Some(since);
        }
        self
    }

    /// The newest secret, the one to seal with.
    #[must_use]
    pub fn newest(&self) -> Option<&Secret> {
        self.secrets.first().map(|link| &link.secret)
    }

    /// How many secrets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether there is none; there always is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    pub(crate) fn links(&self) -> &[Link] {
        &self.secrets
    }

    /// The places of the secrets in the order in which to try them for an entry of this time:
    /// those that had begun by then, the newest first, and then the others.
    pub(crate) fn order(&self, timestamp: Timestamp) -> Vec<usize> {
        let begun = |place: &usize| {
            self.secrets
                .get(*place)
                .is_some_and(|link| link.since.is_none_or(|since| since <= timestamp))
        };
        let (first, then): (Vec<_>, Vec<_>) = (0..self.secrets.len()).partition(begun);
        first.into_iter().chain(then).collect()
    }
}

impl From<Secret> for Keyring {
    fn from(secret: Secret) -> Self {
        Self::new(secret)
    }
}

/// A keyring needs a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a keyring needs at least one secret")]
pub struct KeyringError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_the_time_is_tried_first() {
        let secret = |text: &str| Secret::new(text).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let ring = Keyring::new(secret("c"))
            .since(at("2024-03-01T00:00:00Z"))
            .with_older(secret("b"))
            .since(at("2024-02-01T00:00:00Z"))
            .with_older(secret("a"));
        assert_eq!(ring.order(at("2024-03-05T00:00:00Z")), [0, 1, 2]);
        assert_eq!(ring.order(at("2024-02-05T00:00:00Z")), [1, 2, 0]);
        assert_eq!(ring.order(at("2024-01-05T00:00:00Z")), [2, 0, 1]);
        assert_eq!(ring.newest().map(Secret::expose), Some("c"));
    }

    #[test]
    fn a_keyring_is_never_empty() {
        assert_eq!(Keyring::from_secrets([]).unwrap_err(), KeyringError);
    }
}
