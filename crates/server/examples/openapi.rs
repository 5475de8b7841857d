//! Prints the description of the API: `make openapi` writes `docs/openapi.json` with it.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(logflux_server::openapi().as_bytes())
}
