//! The nodes that have sent entries.

use std::collections::{BTreeMap, HashMap};

use logflux_wire::Timestamp;
use logflux_wire::nodes::{NODES_MAX, NodeSummary};
use rusqlite::{Connection, OptionalExtension as _, Transaction, named_params};

use super::cover::{Range, Scope};
use super::scan::{self, Tell};
use super::spans;
use super::tally::UNITS;
use crate::store::{Nodes, NodesRequest, StoreError};
use crate::tenant::Tenant;

/// Reads a page of a tenant's nodes. What is damaged is told, and passed over.
pub(super) fn nodes(
    connection: &mut Connection,
    tenant: &Tenant,
    request: &NodesRequest,
    damaged: Tell<'_>,
) -> Result<Nodes, StoreError> {
    let snapshot = connection.transaction()?;
    let Some((tenant, _)) = spans::tenant(&snapshot, tenant)? else { return Ok(Nodes::default()) };
    let range = Range::new(request.from, request.to);
    let mut scope = Scope::new(&snapshot, tenant, 8, None, damaged);
    // Those of the page, and one more that only says that there is another page.
    let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    scope.cover(range, &UNITS, &mut |row| {
        let before = request.after.as_deref().is_some_and(|after| row.node.as_bytes() <= after);
        let beyond = || sums.last_key_value().is_some_and(|(last, _)| row.node > last.as_str());
        if before || sums.len() > NODES_MAX && beyond() {
            return Ok(());
        }
        match sums.get_mut(row.node) {
            Some((entries, bytes)) => {
                (*entries, *bytes) = (*entries + row.entries, *bytes + row.bytes);
            }
            None => {
                sums.insert(row.node.to_owned(), (row.entries, row.bytes));
                if sums.len() > NODES_MAX + 1 {
                    sums.pop_last();
                }
            }
        }
        Ok(())
    })?;
    let more = sums.len() > NODES_MAX;
    if more {
        sums.pop_last();
    }
    let ends = match indexed(&snapshot, tenant, sums.keys(), range) {
        Err(error) if error.is_damage() => {
            damaged(error);
            scanned(&snapshot, tenant, &sums, range, damaged)?
        }
        ends => ends?,
    };
    let last = sums.last_key_value().filter(|_| more);
    let mut page = Nodes { nodes: Vec::new(), next: last.map(|(node, _)| node.clone()) };
    for (node, (entries, bytes)) in sums {
        match ends.get(&node) {
            Some((first, last)) => page.nodes.push(NodeSummary {
                node,
                entries: entries.unsigned_abs(),
                bytes: bytes.unsigned_abs(),
                first: *first,
                last: *last,
            }),
            None => damaged(StoreError::Corrupt("entries of a node are not there".to_owned())),
        }
    }
    Ok(page)
}

/// The timestamps of the earliest and the latest entry of nodes.
type Ends = HashMap<String, (Timestamp, Timestamp)>;

/// Finds the ends of nodes in an index.
fn indexed<'a>(
    snapshot: &Transaction<'_>,
    tenant: i64,
    nodes: impl Iterator<Item = &'a String>,
    range: Range,
) -> Result<Ends, StoreError> {
    let mut ends = Ends::new();
    for node in nodes {
        if let Some(of_node) = first_and_last(snapshot, tenant, node, range)? {
            ends.insert(node.clone(), of_node);
        }
    }
    Ok(ends)
}

/// Finds the ends of nodes among all of the tenant's entries.
fn scanned<T>(
    snapshot: &Transaction<'_>,
    tenant: i64,
    nodes: &BTreeMap<String, T>,
    range: Range,
    damaged: Tell<'_>,
) -> Result<Ends, StoreError> {
    let mut ends = Ends::new();
    scan::entries(snapshot, tenant, damaged, |listed| {
        let (seconds, nanoseconds) = listed.moment();
        let time = Timestamp::from_unix(seconds, nanoseconds).ok();
        if let Some(time) = time.filter(|_| range.has(listed.moment()))
            && nodes.contains_key(&listed.node)
        {
            let (first, last) = ends.entry(listed.node).or_insert((time, time));
            (*first, *last) = ((*first).min(time), (*last).max(time));
        }
    })?;
    Ok(ends)
}

/// The timestamps of a node's earliest and latest entry in a range.
fn first_and_last(
    snapshot: &Transaction<'_>,
    tenant: i64,
    node: &str,
    range: Range,
) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
    let end = |direction: &str| -> Result<Vec<Timestamp>, StoreError> {
        let mut statement = snapshot.prepare_cached(&format!(
            "SELECT seconds, nanoseconds FROM entries INDEXED BY entries_by_source
             WHERE tenant = :tenant AND node = :node AND level = :level
               AND (seconds, nanoseconds) >= (:s0, :n0) AND (seconds, nanoseconds) < (:s1, :n1)
             ORDER BY seconds {direction}, nanoseconds {direction} LIMIT 1"
        ))?;
        let mut found = Vec::new();
        for level in 1..=8 {
            let parameters = named_params! {
                ":tenant": tenant, ":node": node, ":level": level,
                ":s0": range.from.0, ":n0": range.from.1, ":s1": range.to.0, ":n1": range.to.1,
            };
            let moment =
                statement.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
            found.extend(moment.and_then(|(s, n)| Timestamp::from_unix(s, n).ok()));
        }
        Ok(found)
    };
    let (first, last) = (end("ASC")?.into_iter().min(), end("DESC")?.into_iter().max());
    Ok(first.zip(last))
}
