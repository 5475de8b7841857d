//! A terminal that the program writes to.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Stdio;
use std::thread;

use rustix::fs::OFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::run::Call;

pub(crate) struct Terminal {
    master: File,
    path: String,
}

impl Terminal {
    pub(crate) fn new() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let path = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        Self { master: File::from(master), path }
    }

    /// The side of the program.
    pub(crate) fn side(&self, blocking: bool) -> File {
        let flags = if blocking { OFlags::NOCTTY } else { OFlags::NOCTTY | OFlags::NONBLOCK };
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true);
        options.custom_flags(i32::try_from(flags.bits()).unwrap()).open(&self.path).unwrap()
    }

    /// What is written to it until this is there.
    pub(crate) fn wait_for(&mut self, text: &[u8]) -> Vec<u8> {
        let (mut shown, mut byte) = (Vec::new(), [0]);
        while !shown.ends_with(text) {
            self.master.read_exact(&mut byte).unwrap();
            shown.extend_from_slice(&byte);
        }
        shown
    }

    /// Everything that is written to it until nobody has it open.
    pub(crate) fn read(mut self) -> Vec<u8> {
        let mut shown = Vec::new();
        // Linux says EIO at the end.
        let _ = self.master.read_to_end(&mut shown);
        shown
    }
}

/// Runs a call with its output on a terminal; gives what is shown.
pub(crate) fn shown(mut call: Call, input: &[u8], stderr_too: bool) -> Vec<u8> {
    let terminal = Terminal::new();
    let side = terminal.side(true);
    call.0.stdin(Stdio::piped()).env("TERM", "xterm").env_remove("NO_COLOR");
    call.0.stderr(if stderr_too { side.try_clone().unwrap().into() } else { Stdio::null() });
    let mut child = call.0.stdout(side).spawn().unwrap();
    // The command keeps its copies of the terminal's side until it is dropped.
    drop(call);
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = thread::spawn(move || drop(std::io::Write::write_all(&mut stdin, &input)));
    let shown = terminal.read();
    writer.join().unwrap();
    child.wait().unwrap();
    shown
}
