//! What is kept, and for how long.

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// What a store keeps. The default keeps everything.
///
/// Entries go in the order in which they came, the oldest first, and in small steps, so that sending
/// and querying go on meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreSettings {
    /// Entries that came longer ago are deleted, within a minute (or a tenth of this, where that is
    /// shorter); at least a second. Written as `30d`.
    #[serde(with = "humantime_serde")]
    pub retain: Option<Duration>,
    /// The oldest entries are deleted while the entries and their indexes take more than this; at
    /// least 1 MiB. Written as `20GB`.
    pub max_size: Option<ByteSize>,
}

impl StoreSettings {
    /// The smallest size that can be asked for.
    pub const MIN_SIZE: ByteSize = ByteSize::mib(1);

    /// Checks the bounds.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn check(&self) -> Result<(), &'static str> {
        if self.retain.is_some_and(|retain| retain < Duration::from_secs(1)) {
            return Err("retain is less than a second: leave it out to keep entries for ever");
        }
        if self.max_size.is_some_and(|size| size < Self::MIN_SIZE) {
            return Err("max_size is less than 1MiB: leave it out for no bound");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_written_as_people_write_them_and_checked() {
        let read = |text: &str| serde_json::from_str::<StoreSettings>(text);
        let settings = read(r#"{"retain":"30d","max_size":"20GB"}"#).unwrap();
        assert_eq!(settings.retain, Some(Duration::from_secs(30 * 86_400)));
        assert_eq!(settings.max_size, Some(ByteSize::gb(20)));
        assert_eq!(read("{}").unwrap(), StoreSettings::default());
        assert_eq!(settings.check(), Ok(()));
        for bad in [r#"{"retain":"soon"}"#, r#"{"max_size":"big"}"#, r#"{"retian":"30d"}"#] {
            assert!(read(bad).is_err(), "{bad}");
        }
        for (bad, name) in
            [(r#"{"retain":"10ms"}"#, "retain"), (r#"{"max_size":"1kB"}"#, "max_size")]
        {
            assert!(read(bad).unwrap().check().unwrap_err().contains(name));
        }
    }
}
