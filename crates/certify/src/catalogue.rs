//! Every case of the suite, of all its parts.

use crate::case::Case;
use crate::load::{self, LoadError};
use crate::static_cases::{self, StaticCase};
use crate::{protocol, round_trips, transport};

/// Every case of the suite, in the order of a run.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) statics: Vec<StaticCase>,
    protocol: Vec<Case>,
    others: Vec<Case>,
}

impl Catalogue {
    /// The suite of this program.
    pub(crate) fn built_in() -> Result<Self, LoadError> {
        let mut statics = Vec::new();
        for (name, bytes) in load::built_in() {
            static_cases::append(name, &load::parse(name, bytes)?, &mut statics)?;
        }
        let others = round_trips::cases().chain(transport::cases()).collect();
        Ok(Self { statics, protocol: protocol::cases().collect(), others })
    }

    pub(crate) fn cases(&self) -> impl Iterator<Item = &Case> {
        let statics = self.statics.iter().map(|item| &item.case);
        self.protocol.iter().chain(statics).chain(&self.others)
    }
}

/// Every case of the suite, in the order of a run.
///
/// # Errors
/// [`LoadError`] only where this program was built wrongly.
pub fn cases() -> Result<Vec<Case>, LoadError> {
    Ok(Catalogue::built_in()?.cases().cloned().collect())
}
