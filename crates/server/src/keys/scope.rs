//! What a key may do.

use std::fmt;
use std::str::FromStr;

/// One thing that a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// `ingest`: send entries.
    Ingest,
    /// `read`: get sealed entries back.
    Read,
    /// `admin`: everything, the other scopes included.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Read, Self::Admin];

    /// `ingest`, `read` or `admin`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Ingest => 1,
            Self::Read => 2,
            Self::Admin => 4,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(name: &str) -> Result<Self, ScopeError> {
        Self::ALL.into_iter().find(|scope| scope.name() == name).ok_or(ScopeError)
    }
}

/// What a key may do: one scope or several.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// These and one more.
    #[must_use]
    pub const fn and(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    /// Whether a key with these may do what `scope` names: it holds the scope itself, or `admin`.
    #[must_use]
    pub const fn allow(self, scope: Scope) -> bool {
        self.0 & (scope.bit() | Scope::Admin.bit()) != 0
    }

    /// The scopes, each once.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl From<Scope> for Scopes {
    fn from(scope: Scope) -> Self {
        Self(scope.bit())
    }
}

/// The names, with commas between them.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.iter().map(Scope::name).collect::<Vec<_>>().join(","))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}

/// Reads names with commas between them, such as `ingest,read`.
impl FromStr for Scopes {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let bits = text
            .split(',')
            .map(|name| name.trim().parse::<Scope>())
            .try_fold(0, |bits, scope| Ok(bits | scope?.bit()))?;
        Ok(Self(bits))
    }
}

/// The text names no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is ingest, read or admin; several have commas between them")]
pub struct ScopeError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_allows_its_own_and_admin_allows_all() {
        let both: Scopes = "read, ingest".parse().unwrap();
        assert_eq!(both.to_string(), "ingest,read");
        assert_eq!(both, Scopes::from(Scope::Read).and(Scope::Ingest));
        let allowed = |scopes: &str| {
            let scopes: Scopes = scopes.parse().unwrap();
            Scope::ALL.map(|scope| scopes.allow(scope))
        };
        assert_eq!(allowed("ingest"), [true, false, false]);
        assert_eq!(allowed("read"), [false, true, false]);
        assert_eq!(allowed("ingest,read"), [true, true, false]);
        assert_eq!(allowed("admin"), [true, true, true]);
        for bad in ["", ",", "write", "ingest,", "Ingest"] {
            assert_eq!(bad.parse::<Scopes>(), Err(ScopeError), "{bad:?}");
        }
    }
}
