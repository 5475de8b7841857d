//! Query parameters that have more than one form.

use logflux_wire::Level;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// A level: its number or its name.
pub(crate) struct LevelParameter;

/// The short forms that syslog has of some names.
const SHORT: [&str; 4] = ["emerg", "crit", "err", "warn"];

impl PartialSchema for LevelParameter {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .description(Some("As in an entry: 1 is the most severe."))
            .minimum(Some(1))
            .maximum(Some(8));
        let name = ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A name or its short form; capital letters may be used as well."))
            .enum_values(Some(Level::ALL.map(Level::name).into_iter().chain(SHORT)));
        OneOfBuilder::new().item(number).item(name).into()
    }
}

impl ToSchema for LevelParameter {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_short_form_is_read() {
        for name in SHORT {
            assert!(name.parse::<Level>().is_ok(), "{name}");
        }
    }
}
