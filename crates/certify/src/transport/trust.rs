//! Cases of servers that must not be believed: nothing may be sent to them.

use super::arrivals::some;
use super::judged::{Judged, Wrong, must};
use super::shipment::{CANARY, KEY};
use super::stage::{Stage, TransportCase};
use crate::case::Plan;
use crate::endpoint::{Authority, Manner, Reply, self_signed};

const CHECKED: &str = "Certificates are always checked, and nothing turns that off.";
const PRIVATE: &str = "A private authority is trusted by naming its file (`LOGFLUX_CA_FILE`); then only that one is trusted.";
const CALL: &str = "`Authorization: Bearer lf_…` with 32 of `[A-Za-z0-9]`; `Content-Type: application/json`; TLS 1.2 or 1.3.";
const PLAIN: &str =
    "`http://` is refused, but for a loopback address where the program asks for it by name.";
const REDIRECT: &str = "Redirects are not followed, so that the key goes nowhere else.";
const VERIFY: &str = "Leave the verification of your TLS library on: the chain, the dates, the name and the purpose.";
const NO_FOLLOW: &str = "Turn redirects off in your HTTP client.";

pub(super) const CASES: &[TransportCase] = &[
    tls(
        "transport/tls/expired",
        "a certificate that ran out: not a byte is sent to it",
        CHECKED,
        |stage| refused(stage, |authority| Ok(Manner::Tls(authority.expired()?))),
    ),
    tls(
        "transport/tls/not-yet-valid",
        "a certificate whose time has not come: not a byte is sent to it",
        CHECKED,
        |stage| refused(stage, |authority| Ok(Manner::Tls(authority.not_yet_valid()?))),
    ),
    tls(
        "transport/tls/self-signed",
        "a certificate that vouches for itself: not a byte is sent to it",
        PRIVATE,
        |stage| refused(stage, |_| Ok(Manner::Tls(self_signed()?))),
    ),
    tls(
        "transport/tls/unknown-authority",
        "a certificate of another authority than the one in the file: not a byte is sent to it",
        PRIVATE,
        |stage| refused(stage, |_| Ok(Manner::Tls(Authority::new()?.good()?))),
    ),
    tls(
        "transport/tls/wrong-host",
        "a certificate of another host: not a byte is sent to it",
        CHECKED,
        |stage| refused(stage, |authority| Ok(Manner::Tls(authority.wrong_host()?))),
    ),
    tls(
        "transport/tls/for-clients",
        "a certificate that is for clients: not a byte is sent to it",
        CHECKED,
        |stage| refused(stage, |authority| Ok(Manner::Tls(authority.for_clients()?))),
    ),
    tls(
        "transport/tls/version-1.1",
        "a server that chooses TLS 1.1: not a byte is sent to it",
        CALL,
        |stage| refused(stage, |_| Ok(Manner::Bytes(hello_of_tls_1_1()))),
    ),
    tls(
        "transport/tls/plain-answer",
        "a server that answers in plain text: not a byte is sent to it",
        CHECKED,
        |stage| refused(stage, |_| Ok(Manner::Bytes(PLAIN_ANSWER.to_vec()))),
    ),
    TransportCase {
        id: "transport/plain-http",
        plan: Plan {
            flag: "PlainHttp",
            comment: "an endpoint of http:// gets nothing",
            effect: "Whoever is between gets the API key and every entry.",
            rule: PLAIN,
            spec: "PROTOCOL 8",
            remedy: "Refuse every endpoint that is not https://.",
        },
        run: plain_http,
    },
    redirected(
        "transport/redirect/302-to-http",
        "a redirect with 302 to another origin (http://) takes the key nowhere",
        |stage| redirect(stage, 302, false),
    ),
    redirected(
        "transport/redirect/302-to-https",
        "a redirect with 302 to another origin (https://) takes the key nowhere",
        |stage| redirect(stage, 302, true),
    ),
    redirected(
        "transport/redirect/307-to-http",
        "a redirect with 307 to another origin (http://) takes the key nowhere",
        |stage| redirect(stage, 307, false),
    ),
    redirected(
        "transport/redirect/307-to-https",
        "a redirect with 307 to another origin (https://) takes the key nowhere",
        |stage| redirect(stage, 307, true),
    ),
    redirected(
        "transport/redirect/308-to-http",
        "a redirect with 308 to another origin (http://) takes the key nowhere",
        |stage| redirect(stage, 308, false),
    ),
    redirected(
        "transport/redirect/308-to-https",
        "a redirect with 308 to another origin (https://) takes the key nowhere",
        |stage| redirect(stage, 308, true),
    ),
];

const fn tls(
    id: &'static str,
    comment: &'static str,
    rule: &'static str,
    run: fn(&mut Stage<'_>) -> Judged,
) -> TransportCase {
    let plan = Plan {
        flag: "Tls",
        comment,
        effect: "Whoever is between gets the API key and every entry.",
        rule,
        spec: "PROTOCOL 7 and 8",
        remedy: VERIFY,
    };
    TransportCase { id, plan, run }
}

const fn redirected(
    id: &'static str,
    comment: &'static str,
    run: fn(&mut Stage<'_>) -> Judged,
) -> TransportCase {
    let plan = Plan {
        flag: "Redirect",
        comment,
        effect: "Whoever can make a server redirect collects API keys.",
        rule: REDIRECT,
        spec: "PROTOCOL 8",
        remedy: NO_FOLLOW,
    };
    TransportCase { id, plan, run }
}

const PLAIN_ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

/// A handshake record of TLS 1.1: a server hello that chooses it.
fn hello_of_tls_1_1() -> Vec<u8> {
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    // No session; ECDHE-RSA-AES128-CBC-SHA; no compression.
    hello.extend([0, 0xc0, 0x13, 0]);
    let mut record = vec![22, 3, 2, 0, 42, 2, 0, 0, 38];
    record.append(&mut hello);
    record
}

/// Nothing but a handshake may come.
fn refused(stage: &mut Stage<'_>, manner: fn(&Authority) -> Result<Manner, Wrong>) -> Judged {
    let authority = stage.authority()?;
    let endpoint = stage.open(&authority, manner(&authority)?, Reply::taken)?;
    let said = stage.try_to_ship(&format!("https://{}", endpoint.address()), &authority)?;
    let (below, above) = endpoint.bytes();
    let expected = "no byte but those of the handshake";
    must(above == 0, expected, format!("{above} bytes of application data"))?;
    let seen = [KEY, CANARY, "POST "].iter().any(|text| endpoint.has_seen(text.as_bytes()));
    must(!seen, expected, "a request in clear")?;
    said.failure("this server must not be believed")?;
    must(below > 0, "an attempt to connect", "none")
}

fn plain_http(stage: &mut Stage<'_>) -> Judged {
    let authority = stage.authority()?;
    let endpoint = stage.open(&authority, Manner::Plain, Reply::taken)?;
    let said = stage.try_to_ship(&format!("http://{}", endpoint.address()), &authority)?;
    stage.arrived(&endpoint);
    let (below, _) = endpoint.bytes();
    must(below == 0, "not a byte over http://", format!("{below} bytes"))?;
    said.failure("an endpoint of http:// must be refused")
}

fn redirect(stage: &mut Stage<'_>, status: u16, tls: bool) -> Judged {
    let authority = stage.authority()?;
    let manner = if tls { Manner::Tls(authority.good()?) } else { Manner::Plain };
    let elsewhere = stage.open(&authority, manner, Reply::taken)?;
    let scheme = if tls { "https" } else { "http" };
    let location = format!("{scheme}://{}/v1/ingest", elsewhere.address());
    let (requests, said) =
        stage.ship_in_vain(move |_| Reply::status(status, &[("Location", &location)]))?;
    stage.arrived(&elsewhere);
    must(!elsewhere.has_seen(KEY.as_bytes()), "no key at the redirect's target", "the key")?;
    let count = elsewhere.requests().len();
    must(count == 0, "no request at the redirect's target", format!("{count} requests"))?;
    some(&requests)?;
    said.failure("a redirect takes nothing")
}
