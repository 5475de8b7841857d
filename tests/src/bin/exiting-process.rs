//! A process that ends in the handler of a signal, wherever that interrupted it, for the tests of the
//! end. Its argument says by what: `rust` for `std::process::exit`, `c` for `exit`.

use std::error::Error;
use std::io;

use logflux::Config;

extern "C" fn by_rust(_: libc::c_int) {
    std::process::exit(7);
}

extern "C" fn by_c(_: libc::c_int) {
    // SAFETY: not allowed in a handler, but that is what is tested.
    unsafe { libc::exit(7) };
}

fn main() -> Result<(), Box<dyn Error>> {
    let handler = match std::env::args().nth(1).as_deref() {
        Some("rust") => by_rust,
        Some("c") => by_c as extern "C" fn(_),
        _ => return Err("usage: exiting-process rust|c [idle]".into()),
    };
    let idle = std::env::args().nth(2).is_some();
    let guard = logflux::init(Config::from_env()?)?;
    logflux::info!("first");
    // SAFETY: the handler is a function that takes the number of a signal.
    unsafe { libc::signal(libc::SIGTERM, handler as libc::sighandler_t) };
    // Not through the library's stdout: `std::process::exit` would find that in use, and abort.
    let ready = b"ready\n";
    // SAFETY: the line has that many bytes.
    if unsafe { libc::write(libc::STDOUT_FILENO, ready.as_ptr().cast(), ready.len()) } < 0 {
        return Err(io::Error::last_os_error().into());
    }
    loop {
        if idle {
            std::thread::park();
        } else {
            logflux::info!("busy");
            let _ = guard.stats();
        }
    }
}
