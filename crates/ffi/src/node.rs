//! The node of a call: most often that of the call before.

use std::cell::RefCell;

use logflux_envelope::{Field, Node};

use crate::arguments::utf8;
use crate::error::{Failure, at_field};
use crate::status::logflux_status;

thread_local! {
    static LAST: RefCell<Option<Node>> = const { RefCell::new(None) };
}

/// Does `work` with the node of this name. The last one of the thread is kept, since making one
/// anew for every entry would cost as much as all else of a call, and is known by its bytes, which
/// are UTF-8. `work` must not need another node.
pub(crate) fn with_node<R>(
    name: &[u8],
    mut work: impl FnMut(&Node) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let done = LAST.try_with(|last| {
        let last = &mut *last.borrow_mut();
        match last {
            Some(node) if node.as_str().as_bytes() == name => work(node),
            _ => work(last.insert(new(name)?)),
        }
    });
    // A thread that is ending has no such place any more.
    done.unwrap_or_else(|_| work(&new(name)?))
}

fn new(name: &[u8]) -> Result<Node, Failure> {
    let node = Node::new(utf8(name, "node")?);
    node.map_err(|error| at_field(logflux_status::InvalidNode, Field::Node, error))
}
