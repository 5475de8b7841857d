//! The commands, a file each.

use clap::Subcommand;

use crate::failure::Outcome;

mod alerts;
mod bench;
mod certify;
mod completions;
mod counts;
mod demo;
mod doctor;
mod keygen;
mod keys;
mod nodes;
mod open;
mod pipe;
mod query;
mod seal;
mod send;
mod serve;
mod spool;
mod store;
mod tail;
mod vectors;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Keygen(keygen::Keygen),
    Seal(seal::Seal),
    Open(open::Open),
    Send(send::Send),
    Pipe(pipe::Pipe),
    Query(query::QueryCommand),
    Tail(tail::TailCommand),
    Nodes(nodes::NodesCommand),
    Counts(counts::CountsCommand),
    Serve(serve::Serve),
    Spool(spool::SpoolCommand),
    Keys(keys::KeysCommand),
    Store(store::StoreCommand),
    Alerts(alerts::AlertsCommand),
    Demo(demo::Demo),
    Doctor(doctor::Doctor),
    Bench(bench::Bench),
    Vectors(vectors::Vectors),
    Certify(certify::Certify),
    Completions(completions::Completions),
}

impl Command {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Keygen(command) => command.run(),
            Self::Seal(command) => command.run(),
            Self::Open(command) => command.run(),
            Self::Send(command) => command.run(),
            Self::Pipe(command) => command.run(),
            Self::Query(command) => command.run(),
            Self::Tail(command) => command.run(),
            Self::Nodes(command) => command.run(),
            Self::Counts(command) => command.run(),
            Self::Serve(command) => command.run(),
            Self::Spool(command) => command.run(),
            Self::Keys(command) => command.run(),
            Self::Store(command) => command.run(),
            Self::Alerts(command) => command.run(),
            Self::Demo(command) => command.run(),
            Self::Doctor(command) => command.run(),
            Self::Bench(command) => command.run(),
            Self::Vectors(command) => command.run(),
            Self::Certify(command) => command.run(),
            Self::Completions(command) => command.run(),
        }
    }
}
