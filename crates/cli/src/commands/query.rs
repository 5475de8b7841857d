//! `logflux query`

use clap::Args;
use logflux_envelope::{Entry, Level, Node, Timestamp};
use logflux_transport::{Api, Unread};
use logflux_wire::limits::QUERY_MAX;
use logflux_wire::query::{Order, Query};

use crate::batch::Batch;
use crate::connection::ConnectionArgs;
use crate::failure::Outcome;
use crate::moment;
use crate::output::count;
use crate::printing::PrintArgs;
use crate::streams::say;

/// Entries come back from the ingest API and are opened
#[derive(Args, Debug)]
#[command(name = "query")]
#[command(
    after_help = "Times are RFC 3339, or how long ago, such as 90s, 15m, 1h or 7d. Node, level and time are as the server
tells them: in modes 1 to 4 they are not authenticated.

--grep and --field look at the messages after they are opened here, since the server cannot read them;
--limit then counts the entries that match. Where --limit is reached and there are more entries, stderr
says so. An entry that cannot be read or opened is told on stderr, the others come out, and the exit
status is 1: entries that cannot be opened are counted in one line, and --verbose names each.

A line that was too long for one message is several entries, its parts; --format json gives them a member
\"part\" with the line's name, the part's number, and whether it is the last.

Examples:
  logflux query --since 1h --level error
  logflux query --since 2024-01-17T00:00:00Z --until 2024-01-18T00:00:00Z --limit 0
  logflux query --since 1d --grep 'connection refused' --format long
  logflux query --field user=4711 --field http.status=500 --format json
  logflux query --node web-1 --limit 5000 --order asc --format json
  logflux query --sealed | logflux open --secret-file old-secret.txt"
)]
pub(crate) struct QueryCommand {
    /// The earliest time, itself included: RFC 3339, or how long ago, such as 1h
    #[arg(long, visible_alias = "from", value_name = "TIME", value_parser = moment::parse)]
    since: Option<Timestamp>,
    /// The latest time, itself not included: RFC 3339, or how long ago, such as 10m
    #[arg(long, visible_alias = "to", value_name = "TIME", value_parser = moment::parse)]
    until: Option<Timestamp>,
    /// The least severe level: `error` gives emergency, alert, critical and error
    #[arg(long)]
    level: Option<Level>,
    /// The sender, exactly
    #[arg(long)]
    node: Option<Node>,
    /// How many entries at most, of those that --grep and --field leave; 0 for all
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
            from: self.since,
            to: self.until,
            level: self.level,
            node: self.node.clone(),
            order: self.order,
            ..Query::default()
        };
        let limit = if self.limit == 0 { usize::MAX } else { self.limit };
        let filtered = self.print.is_filtered();
        // What a filter leaves is not known before.
        let next_page =
            |left: usize| if filtered { left.min(1).saturating_mul(QUERY_MAX) } else { left };
        let mut faults = self.print.faults();
        let (mut left, mut received, mut unseen) = (limit, 0, false);
        let asked = Query { limit: next_page(limit).min(QUERY_MAX), ..query };
        let ended = pages(&api, asked, |page| {
            let count = page.len();
            let batch = Batch::of(page, printer.is_sealed(), |number, error| {
                faults.unreadable(format_args!("entry {}", received + number), error);
            });
            received += count;
            let (looked, printed) = printer.print(&batch, left, &mut faults)?;
            left = left.saturating_sub(if filtered { printed } else { count });
            unseen = looked < batch.len();
            Ok(next_page(left))
        });
        let more = unseen || *ended.as_ref().unwrap_or(&false);
        if more && left == 0 {
            let there = if filtered { "there may be more" } else { "there are more" };
            say!("{}: {there} (--limit 0 gives all)", count(limit, "entry", "entries"));
        }
        faults.tell();
        ended?;
        faults.end()
    }
}

/// An entry that a server returned, or what this version cannot read.
pub(crate) type Returned = Result<Entry, Unread>;

/// Queries page after page, until `each` wants no further entry: it says how many it wants. Gives
/// whether there are more.
pub(crate) fn pages(
    api: &Api,
    mut query: Query,
    mut each: impl FnMut(Vec<Returned>) -> Outcome<usize>,
) -> Outcome<bool> {
    loop {
        let page = api.query(&query)?;
        let wanted = each(page.entries)?;
        let Some(cursor) = page.cursor else { return Ok(false) };
        if wanted == 0 {
            return Ok(true);
        }
        (query.cursor, query.limit) = (Some(cursor), wanted.min(QUERY_MAX));
    }
}
