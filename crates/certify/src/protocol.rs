//! Cases about the protocol of subjects itself: every run has them.

use crate::case::{Case, Part, Plan};
use crate::model::Requirement;

pub(crate) const HELLO: &str = "protocol/hello";
pub(crate) const ANSWERS: &str = "protocol/answers";
pub(crate) const STOP: &str = "protocol/stop";

const PLANS: [(&str, Plan); 3] = [
    (
        HELLO,
        Plan {
            flag: "Hello",
            comment: "the subject starts, and says who it is",
            effect: "Nothing can be said of it.",
            rule: "The first request is `hello`.",
            spec: "docs/certify.md, hello",
            remedy: "Start the command by hand, and type {\"id\":1,\"op\":\"hello\",\"protocol\":1}.",
        },
    ),
    (
        ANSWERS,
        Plan {
            flag: "Answers",
            comment: "the subject writes one answer to each request, and nothing else",
            effect: "A program that reads the answers takes one for another.",
            rule: "A request is a JSON object on a line; its answer is a JSON object on a line.",
            spec: "docs/certify.md, the protocol",
            remedy: "Write each answer once, and everything else to standard error.",
        },
    ),
    (
        STOP,
        Plan {
            flag: "Stop",
            comment: "the subject ends when it is asked to",
            effect: "A host that uses it cannot end.",
            rule: "The last request is `stop`: answer it, and exit with status 0",
            spec: "docs/certify.md, stop",
            remedy: "Close the client before the process ends, and wait for no thread for ever.",
        },
    ),
];

/// Every case of this part.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let case = |(id, plan): &(&str, Plan)| {
        plan.case((*id).to_owned(), Part::Protocol, Requirement::Must, &[])
    };
    PLANS.iter().map(case)
}
