//! `logflux nodes`

use std::io::Write as _;

use clap::Args;
use logflux_envelope::Timestamp;
use logflux_wire::nodes::NodesQuery;

use crate::connection::ConnectionArgs;
use crate::escape;
use crate::failure::Outcome;
use crate::moment;
use crate::output::{Format, count};
use crate::streams::stdout;

/// The nodes that have sent entries, with how many, and the first and the last time
#[derive(Args, Debug)]
#[command(
    name = "nodes",
    after_help = "The key needs the scope `read`. Nothing is opened: names and times are as the server tells them.

Examples:
  logflux nodes
  logflux nodes --since 1h --format json"
)]
pub(crate) struct NodesCommand {
    /// The earliest time, itself included: RFC 3339, or how long ago, such as 1h
    #[arg(long, visible_alias = "from", value_name = "TIME", value_parser = moment::parse)]
    since: Option<Timestamp>,
    /// The latest time, itself not included: RFC 3339, or how long ago, such as 10m
    #[arg(long, visible_alias = "to", value_name = "TIME", value_parser = moment::parse)]
    until: Option<Timestamp>,
    /// The form of the list
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl NodesCommand {
    pub(crate) fn run(&self) -> Outcome {
        let api = self.connection.settings()?.api()?;
        let mut query = NodesQuery { from: self.since, to: self.until, cursor: None };
        let mut stdout = stdout();
        loop {
            let page = api.nodes(&query)?;
            for node in &page.nodes {
                match self.format {
                    Format::Json => {
                        writeln!(stdout, "{}", escape::line(&serde_json::to_string(node)?))?;
                    }
                    Format::Text => writeln!(
                        stdout,
                        "{}: {}, {} bytes, {} to {}",
                        escape::line(&node.node),
                        count(usize::try_from(node.entries)?, "entry", "entries"),
                        node.bytes,
                        node.first,
                        node.last
                    )?,
                }
            }
            query.cursor = page.cursor;
            if query.cursor.is_none() {
                return Ok(());
            }
        }
    }
}
