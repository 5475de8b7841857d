//! `logflux counts`

use std::io::Write as _;

use clap::Args;
use logflux_envelope::{Level, Node, Timestamp};
use logflux_wire::counts::{Bucket, By, CountsQuery, Step};

use crate::connection::ConnectionArgs;
use crate::escape;
use crate::failure::Outcome;
use crate::moment;
use crate::output::{Format, count};
use crate::streams::stdout;

/// How many entries there are by time, and the bytes of their sealed messages
#[derive(Args, Debug)]
#[command(
    name = "counts",
    after_help = "The key needs the scope `read`. Nothing is opened: nodes, levels and times are as the server tells them.
A count begins at a multiple of the step since 1970-01-01T00:00:00Z; those without an entry are left
out.

Examples:
  logflux counts --since 1d
  logflux counts --since 1h --step 1m --by level
  logflux counts --since 7d --step 1d --by level,node --level error --format json"
)]
pub(crate) struct CountsCommand {
    /// The earliest time, itself included: RFC 3339, or how long ago, such as 1h
    #[arg(
        long,
        visible_alias = "from",
        value_name = "TIME",
        value_parser = moment::parse,
        default_value = "1d"
    )]
    since: Timestamp,
    /// The latest time, itself not included: RFC 3339, or how long ago, such as 10m
    #[arg(long, visible_alias = "to", value_name = "TIME", value_parser = moment::parse)]
    until: Option<Timestamp>,
    /// How long each count lasts, in whole seconds, such as 60s, 5m, 1h or 1d
    #[arg(long, default_value = "1h")]
    step: Step,
    /// What is counted apart: level, node, or level,node
    #[arg(long)]
    by: Option<By>,
    /// The least severe level: `error` counts emergency, alert, critical and error
    #[arg(long)]
    level: Option<Level>,
    /// The sender, exactly
    #[arg(long)]
    node: Option<Node>,
    /// The form of the list
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: ConnectionArgs,
}

impl CountsCommand {
    pub(crate) fn run(&self) -> Outcome {
        let query = CountsQuery {
            from: Some(self.since),
            to: self.until,
            step: self.step,
            by: self.by.unwrap_or_default(),
            level: self.level,
            node: self.node.clone(),
        };
        let counts = self.connection.settings()?.api()?.counts(&query)?;
        let mut stdout = stdout();
        for bucket in &counts.buckets {
            match self.format {
                Format::Json => {
                    writeln!(stdout, "{}", escape::line(&serde_json::to_string(bucket)?))?;
                }
                Format::Text => writeln!(stdout, "{}", text(bucket)?)?,
            }
        }
        Ok(())
    }
}

fn text(bucket: &Bucket) -> Outcome<String> {
    let node = bucket.node.as_deref().map(|node| format!(" {}", escape::line(node)));
    let level = bucket.level.and_then(|number| Level::from_number(number.into()).ok());
    let level = level.map(|level| format!(" {}", level.name()));
    Ok(format!(
        "{}{}{}: {}, {} bytes",
        bucket.start,
        node.unwrap_or_default(),
        level.unwrap_or_default(),
        count(usize::try_from(bucket.entries)?, "entry", "entries"),
        bucket.bytes
    ))
}
