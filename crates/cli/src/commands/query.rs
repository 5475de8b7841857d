//! `logflux query`

use clap::Args;
use logflux_envelope::{Entry, Level, Node, Timestamp};
use logflux_transport::Api;
use logflux_wire::limits::QUERY_MAX;
use logflux_wire::query::{Order, Query};

use crate::connection::ConnectionArgs;
use crate::failure::{Failure, Outcome};
use crate::printing::PrintArgs;

/// Entries come back from the ingest API and are opened
#[derive(Args, Debug)]
#[command(name = "query")]
#[command(
    after_help = "Times are RFC 3339. Node, level and time are as the server tells them: in modes 1 to 4 they are not
authenticated.

Examples:
  logflux query --level error --from 2024-01-17T00:00:00Z
  logflux query --node web-1 --limit 5000 --order asc --format json
  logflux query --sealed | logflux open --secret-file old-secret.txt"
)]
pub(crate) struct QueryCommand {
    /// The earliest time, itself included
    #[arg(long, value_name = "TIME")]
    from: Option<Timestamp>,
    /// The latest time, itself not included
    #[arg(long, value_name = "TIME")]
    to: Option<Timestamp>,
    /// The least severe level: `error` gives emergency, alert, critical and error
    #[arg(long)]
    level: Option<Level>,
    /// The sender, exactly
    #[arg(long)]
    node: Option<Node>,
    /// How many entries at most; 0 for all
    #[arg(long, default_value_t = 100)]
    limit: usize,
    /// The newest first (desc) or the oldest first (asc)
    #[arg(long, default_value = "desc", value_parser = parse_order)]
    order: Order,
    #[command(flatten)]
    print: PrintArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

fn parse_order(text: &str) -> Result<Order, logflux_wire::query::QueryError> {
    text.parse()
}

impl QueryCommand {
    pub(crate) fn run(&self) -> Outcome {
        let api = self.connection.settings()?.api()?;
        let printer = self.print.printer()?;
        let query = Query {
            from: self.from,
            to: self.to,
            level: self.level,
            node: self.node.clone(),
            order: self.order,
            ..Query::default()
        };
        let limit = if self.limit == 0 { usize::MAX } else { self.limit };
        let mut failed = 0;
        pages(&api, query, limit, |entries| {
            failed += printer.print(&entries)?;
            Ok(())
        })?;
        if failed > 0 { Err(Failure::Told) } else { Ok(()) }
    }
}

/// Queries page after page, up to `limit` entries.
pub(crate) fn pages(
    api: &Api,
    mut query: Query,
    limit: usize,
    mut each: impl FnMut(Vec<Entry>) -> Outcome,
) -> Outcome {
    let mut left = limit;
    while left > 0 {
        query.limit = left.min(QUERY_MAX);
        let page = api.query(&query)?;
        left -= page.entries.len().min(left);
        let entries = page.entries.into_iter().collect::<Result<Vec<_>, _>>().map_err(|error| {
            Failure::new(format!("the server answered an entry that is none: {error}"))
        })?;
        each(entries)?;
        let Some(cursor) = page.cursor else { break };
        query.cursor = Some(cursor);
    }
    Ok(())
}
