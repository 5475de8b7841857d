//! Cases in which the key or the route is wrong for a while: none of them is a reason to drop
//! entries.

use super::arrivals::same_bytes;
use super::judged::Judged;
use super::retries::mended;
use super::stage::{Stage, TransportCase};
use crate::case::Plan;
use crate::endpoint::{Manner, Reply};

const HOLD: &str = "The key or the route is wrong, not the entries: they wait, with the same bytes, and when it is right again all of them are delivered.";

pub(super) const CASES: &[TransportCase] = &[
    held(
        "transport/hold/status-401",
        "a server that answers 401 (no such key) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(401, "unauthorized", "no such key")),
    ),
    held(
        "transport/hold/status-403",
        "a server that answers 403 (the key may not) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(403, "forbidden", "the key may not")),
    ),
    held(
        "transport/hold/status-404",
        "a server that answers 404 (no such path) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(404, "not_found", "no such path")),
    ),
    held(
        "transport/hold/status-405",
        "a server that answers 405 (method not allowed) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(405, "method_not_allowed", "not here")),
    ),
    held(
        "transport/hold/status-415",
        "a server that answers 415 (media type) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::refusal(415, "unsupported_media_type", "not here")),
    ),
    held(
        "transport/hold/status-426",
        "a server that answers 426 (upgrade required) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::status(426, &[])),
    ),
    held(
        "transport/hold/redirect",
        "a server that redirects twice gets the same bytes again",
        |stage| {
            let location = ("Location", "https://127.0.0.1:1/v1/ingest");
            until_right(stage, move || Reply::status(308, &[location]))
        },
    ),
    held(
        "transport/hold/foreign-200",
        "a login page, which answers 200 twice, has taken nothing",
        |stage| until_right(stage, || Reply::foreign(200)),
    ),
    held(
        "transport/hold/foreign-400",
        "a gateway that answers 400 in its own form twice has refused no entry",
        |stage| until_right(stage, || Reply::foreign(400)),
    ),
    held(
        "transport/hold/tls",
        "a server whose certificate ran out gets the entries when it has a good one",
        certificate_renewed,
    ),
    held(
        "transport/hold/status-418",
        "a server that answers with a status that nobody expects (418) twice gets the same bytes again",
        |stage| until_right(stage, || Reply::status(418, &[])),
    ),
    held(
        "transport/hold/status-511",
        "a network that wants a login first (511) twice has taken nothing",
        |stage| until_right(stage, || Reply::foreign(511)),
    ),
    held(
        "transport/hold/status-204",
        "a server that answers 204, and says of no entry what became of it, twice has taken nothing",
        |stage| until_right(stage, || Reply::status(204, &[])),
    ),
    held(
        "transport/hold/empty-200",
        "a server that answers 200 with an empty body twice has taken nothing",
        |stage| until_right(stage, || Reply::status(200, &[])),
    ),
    held(
        "transport/hold/other-json-200",
        "another service, which answers 200 with JSON of its own twice, has taken nothing",
        |stage| until_right(stage, || Reply::json(200, r#"{"ok":true}"#)),
    ),
];

const fn held(
    id: &'static str,
    comment: &'static str,
    run: fn(&mut Stage<'_>) -> Judged,
) -> TransportCase {
    let plan = Plan {
        flag: "Hold",
        comment,
        effect: "An expired key or a wrong route loses all logs until somebody notices.",
        rule: HOLD,
        spec: "PROTOCOL 8",
        remedy: "Keep the entries, and try again with a growing pause; tell the user what to set right.",
    };
    TransportCase { id, plan, run }
}

/// Something is wrong for two requests, and right from then on.
fn until_right(stage: &mut Stage<'_>, wrong: impl Fn() -> Reply + Send + Sync + 'static) -> Judged {
    let (requests, said) = stage
        .ship(5, move |request| if request.number < 2 { wrong() } else { Reply::taken(request) })?;
    same_bytes(&requests, 2, 5)?;
    said.success()
}

/// The certificate is a good one as soon as there has been a second attempt.
fn certificate_renewed(stage: &mut Stage<'_>) -> Judged {
    let authority = stage.authority()?;
    let (bad, good) = (Manner::Tls(authority.expired()?), Manner::Tls(authority.good()?));
    mended(stage, &authority, bad, good)
}
