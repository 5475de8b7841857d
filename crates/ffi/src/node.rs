//! The node of a call: most often that of the call before.

use std::cell::RefCell;

use logflux_envelope::{Field, Node};

use crate::error::{Failure, at_field};
use crate::status::logflux_status;

/// Does `work` with the node of this name. The last one of the thread is kept, since making one
/// anew for every entry would cost as much as all else of a call.
pub(crate) fn with_node<R>(
    name: &str,
    work: impl FnOnce(&Node) -> Result<R, Failure>,
) -> Result<R, Failure> {
    thread_local! {
        static LAST: RefCell<Option<Node>> = const { RefCell::new(None) };
    }
    let last = LAST.try_with(RefCell::take).ok().flatten();
    let node = match last {
        Some(last) if last.as_str() == name => last,
        _ => Node::new(name)
            .map_err(|error| at_field(logflux_status::InvalidNode, Field::Node, error))?,
    };
    let result = work(&node);
    // A thread that is ending has no such place any more.
    let _ = LAST.try_with(|last| last.replace(Some(node)));
    result
}
