//! The sender's name.

use std::fmt;
use std::str::FromStr;

use crate::limits::NODE_MAX_CHARS;

/// The name of the sender: 1 to 255 Unicode characters (scalar values), none a control character.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(Box<str>);

impl Node {
    /// Takes a name as it is: nothing is trimmed or normalised.
    ///
    /// # Errors
    /// [`NodeError`] for an empty name, one over 255 characters, or one with a control character
    /// (U+0000–U+001F, U+007F–U+009F).
    pub fn new(name: impl Into<Box<str>>) -> Result<Self, NodeError> {
        let name = name.into();
        if name.is_empty() {
            return Err(NodeError::Empty);
        }
        // A name of at most 255 bytes cannot have more characters than that.
        if name.len() > NODE_MAX_CHARS && name.chars().count() > NODE_MAX_CHARS {
            return Err(NodeError::TooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(NodeError::ControlCharacter);
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({:?})", &*self.0)
    }
}

impl FromStr for Node {
    type Err = NodeError;

    fn from_str(name: &str) -> Result<Self, NodeError> {
        Self::new(name)
    }
}

/// Why a name is no [`Node`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// There is no character in it.
    #[error("node is empty: give it 1 to 255 characters")]
    Empty,
    /// There are more than 255 characters in it.
    #[error("node has more than 255 characters")]
    TooLong,
    /// A character of it is a control character.
    #[error("node has a control character")]
    ControlCharacter,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_count_and_not_bytes() {
        assert!(Node::new("世".repeat(255)).is_ok());
        assert_eq!(Node::new("世".repeat(256)), Err(NodeError::TooLong));
        assert!(Node::new("a".repeat(255)).is_ok());
        assert_eq!(Node::new("a".repeat(256)), Err(NodeError::TooLong));
    }

    #[test]
    fn control_characters_are_refused_and_spaces_are_not() {
        for wrong in ["\0", "a\nb", "\u{7f}", "\u{85}", "a\tb"] {
            assert_eq!(Node::new(wrong), Err(NodeError::ControlCharacter), "{wrong:?}");
        }
        assert_eq!(Node::new(""), Err(NodeError::Empty));
        assert!(Node::new(" bär 01\u{2028}").is_ok());
    }
}
