//! What fails in a call of an SDK, and the class of error or exception that the SDK has for it.

/// The class of an error in an SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An entry, or a field of one, is not valid.
    Entry,
    /// Anything that has no class of its own.
    LogFlux,
    /// An entry does not open.
    Open,
    /// A message is not sealed.
    Seal,
    /// A secret is not valid, or cannot be read.
    Secret,
    /// A setting is missing or wrong.
    Settings,
}

/// Defines `Failure`: what failed, in words, and where. Each runtime has a type of its own, since it
/// adds the conversion from the errors of its bindings, which only its own crate may write.
///
/// No error of the core has a secret, a message or a key in it.
#[macro_export]
macro_rules! failure {
    ($visibility:vis) => {
        /// What failed, in words, and where.
        #[derive(Clone, Debug)]
        $visibility struct Failure {
            kind: $crate::Kind,
            message: String,
            stage: Option<$crate::errors::Stage>,
            field: Option<$crate::errors::Field>,
        }

        impl Failure {
            fn new(kind: $crate::Kind, message: impl ToString) -> Self {
                Self { kind, message: message.to_string(), stage: None, field: None }
            }

            /// A setting is missing or wrong; `name` is the one that the caller gave.
            pub(crate) fn setting(name: &str, error: impl ToString) -> Self {
                Self::new($crate::Kind::Settings, format!("{name}: {}", error.to_string()))
            }

            /// A setting is missing or wrong, which the error says itself.
            pub(crate) fn settings(error: impl ToString) -> Self {
                Self::new($crate::Kind::Settings, error)
            }

            pub(crate) fn secret(error: impl ToString) -> Self {
                Self::new($crate::Kind::Secret, error)
            }

            /// A field of an entry has a value that is not allowed.
            pub(crate) fn field(
                field: $crate::errors::Field,
                stage: $crate::errors::Stage,
                error: impl ToString,
            ) -> Self {
                let (stage, field) = (Some(stage), Some(field));
                Self { stage, field, ..Self::new($crate::Kind::Entry, error) }
            }

            pub(crate) fn other(message: &str) -> Self {
                Self::new($crate::Kind::LogFlux, message)
            }
        }

        impl From<$crate::errors::EntryError> for Failure {
            fn from(error: $crate::errors::EntryError) -> Self {
                let (stage, field) = (Some(error.stage()), error.field());
                Self { stage, field, ..Self::new($crate::Kind::Entry, error) }
            }
        }

        impl From<$crate::errors::OpenError> for Failure {
            fn from(error: $crate::errors::OpenError) -> Self {
                Self { stage: Some(error.stage()), ..Self::new($crate::Kind::Open, error) }
            }
        }

        impl From<$crate::errors::SealError> for Failure {
            fn from(error: $crate::errors::SealError) -> Self {
                let too_long = matches!(error, $crate::errors::SealError::MessageTooLong { .. });
                let stage = too_long.then_some($crate::errors::Stage::Size);
                Self { stage, ..Self::new($crate::Kind::Seal, error) }
            }
        }

        impl From<$crate::errors::KeyPolicyError> for Failure {
            fn from(error: $crate::errors::KeyPolicyError) -> Self {
                Self::setting("keyPolicy", error)
            }
        }

        impl From<$crate::Fault> for Failure {
            fn from(fault: $crate::Fault) -> Self {
                match fault {
                    $crate::Fault::Settings(text) => Self::settings(text),
                    $crate::Fault::Secret(text) => Self::secret(text),
                    $crate::Fault::Other(text) => Self::other(text),
                }
            }
        }
    };
}
