//! The end of the process. Java's shutdown hook comes before the C library's `atexit`.

use logflux_host::ending;

exports! {
    /// Flushes every client, each within its `closeTimeout`, and waits. It closes none: what is logged
    /// after it is still delivered.
    fn Java_io_logflux_Native_flushAtExit(_env) {
        // What is left is told of at the very end.
        let _ = ending::flush();
        Ok(())
    }
}
