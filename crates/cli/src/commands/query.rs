//! `logflux query`

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use logflux_envelope::{Entry, Level, Node, Opener, Timestamp};
use logflux_transport::Api;
use logflux_wire::limits::QUERY_MAX;
use logflux_wire::query::{Order, Query};

use crate::connection::ConnectionArgs;
use crate::failure::{Failure, Outcome};
use crate::output::append_opened_json;
use crate::progress;
use crate::secret::SecretArgs;

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
    /// Give the entries as they are stored, sealed; no secret is needed
    #[arg(long, conflicts_with = "format")]
    sealed: bool,
    /// What comes out
    #[arg(long, value_enum, default_value_t)]
    format: QueryFormat,
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    secret: SecretArgs,
}

/// The form of opened entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum QueryFormat {
    /// The messages alone.
    #[default]
    Text,
    /// Time, level, node and message.
    Long,
    /// Every entry's own fields and its "message", one JSON object a line.
    Json,
}

fn parse_order(text: &str) -> Result<Order, logflux_wire::query::QueryError> {
    text.parse()
}

impl QueryCommand {
    pub(crate) fn run(&self) -> Outcome {
        let api = self.connection.settings()?.api()?;
        let opener = match self.sealed {
            true => None,
            false => Some(Opener::new(self.secret.keyring()?)),
        };
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
            failed += self.print(opener.as_ref(), &entries)?;
            Ok(())
        })?;
        if failed > 0 { Err(Failure::Told) } else { Ok(()) }
    }

    /// Prints a page; tells how many of its entries could not be opened.
    fn print(&self, opener: Option<&Opener>, entries: &[Entry]) -> Outcome<usize> {
        let mut out = Vec::new();
        let mut failed = 0;
        if let Some(opener) = opener {
            let bar = progress::bar("opening", entries.len());
            let opened = opener.open_many_bytes(entries, |at| progress::set(&bar, at.done));
            bar.finish_and_clear();
            for (entry, message) in entries.iter().zip(opened) {
                match message {
                    Ok(message) => self.append(entry, &message, &mut out)?,
                    Err(error) => {
                        failed += 1;
                        anstream::eprintln!(
                            "entry of {} from {}: {error}",
                            entry.timestamp(),
                            entry.node()
                        );
                    }
                }
            }
        } else {
            for entry in entries {
                entry.append_json(&mut out);
                out.push(b'\n');
            }
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(&out)?;
        stdout.flush()?;
        Ok(failed)
    }

    fn append(&self, entry: &Entry, message: &[u8], out: &mut Vec<u8>) -> Outcome {
        match self.format {
            QueryFormat::Json => return append_opened_json(entry, message, out),
            QueryFormat::Long => {
                write!(out, "{} {:<9} {} ", entry.timestamp(), entry.level(), entry.node())?;
            }
            QueryFormat::Text => {}
        }
        out.extend_from_slice(message);
        out.push(b'\n');
        Ok(())
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
