//! Cases about what `flush` says: ok where everything was delivered, and only there.

use super::arrivals::{complete, same_bytes, some};
use super::judged::{Judged, must};
use super::stage::{Stage, TransportCase};
use crate::case::Plan;
use crate::endpoint::{Manner, Reply};

const SUCCESS: &str = "Success is 200, and is sent only when the entries are durable";
const REFUSED: &str = "What is refused is kept, with the reason, and never dropped in silence.";

pub(super) const CASES: &[TransportCase] = &[
    flush(
        "transport/flush/delivered",
        "`flush` answers ok where the server took everything",
        |stage| {
            let (requests, said) = stage.ship(3, Reply::taken)?;
            complete(&requests, 3)?;
            said.success()
        },
    ),
    flush(
        "transport/flush/delivered-late",
        "`flush` answers ok where the server took everything at the third attempt",
        |stage| {
            let (requests, said) = stage.ship(3, |request| match request.number {
                0 | 1 => Reply::status(503, &[]),
                _ => Reply::taken(request),
            })?;
            same_bytes(&requests, 2, 3)?;
            said.success()
        },
    ),
    flush(
        "transport/flush/overloaded",
        "`flush` answers an error where the server is overloaded (503) all the time",
        |stage| in_vain(stage, || Reply::status(503, &[])),
    ),
    flush(
        "transport/flush/key-refused",
        "`flush` answers an error where the server knows no such key (401) all the time",
        |stage| in_vain(stage, || Reply::refusal(401, "unauthorized", "no such key")),
    ),
    flush(
        "transport/flush/login-page",
        "`flush` answers an error where a login page answers 200 all the time",
        |stage| in_vain(stage, || Reply::foreign(200)),
    ),
    flush(
        "transport/flush/closed",
        "`flush` answers an error where the server takes requests and never answers them",
        |stage| in_vain(stage, || Reply::Lost),
    ),
    flush(
        "transport/flush/no-connection",
        "`flush` answers an error where no connection is served",
        no_connection,
    ),
    TransportCase {
        id: "transport/flush/all-refused",
        plan: plan("`flush` answers an error where every entry was refused", REFUSED),
        run: |stage| {
            let refusal = |_: &_| Reply::refusal(400, "invalid_entry", "no such entry");
            let (requests, said) = stage.ship(3, refusal)?;
            some(&requests)?;
            said.failure("every entry was refused")
        },
    },
];

const fn flush(
    id: &'static str,
    comment: &'static str,
    run: fn(&mut Stage<'_>) -> Judged,
) -> TransportCase {
    TransportCase { id, plan: plan(comment, SUCCESS), run }
}

const fn plan(comment: &'static str, rule: &'static str) -> Plan {
    Plan {
        flag: "FlushTruth",
        comment,
        effect: "A program does not know whether its logs are stored.",
        rule,
        spec: "PROTOCOL 7, success; docs/certify.md, ship and flush",
        remedy: "Count what the server has answered for: ok where that is everything, an error where the time runs out or an entry is refused.",
    }
}

/// The server takes nothing.
fn in_vain(stage: &mut Stage<'_>, reply: fn() -> Reply) -> Judged {
    let (requests, said) = stage.ship_in_vain(move |_| reply())?;
    some(&requests)?;
    said.failure("the server took nothing")
}

fn no_connection(stage: &mut Stage<'_>) -> Judged {
    let authority = stage.authority()?;
    let endpoint = stage.open(&authority, Manner::Closed, Reply::taken)?;
    let said = stage.try_to_ship(&format!("https://{}", endpoint.address()), &authority)?;
    must(endpoint.connections() > 0, "an attempt to connect", "none")?;
    said.failure("nothing could be sent")
}
