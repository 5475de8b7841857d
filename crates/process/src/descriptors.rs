//! Files that belong to one process: their descriptors are closed in a child right after a fork, and
//! are never numbers that the standard streams have.
//!
//! A lock of `flock` belongs to the open file, and a child of `fork` shares that with its parent.
//! When the parent dies, the lock lives on for as long as the child has the file open. So the child
//! closes such files before it does anything else, in a handler of `pthread_atfork`, even if it
//! never calls into this library.
//!
//! The handler walks a list of atomic numbers. It takes no lock and no memory, as POSIX asks of code
//! between `fork` and `exec` in a process with several threads. Nodes of the list are used again and
//! never freed.
//!
//! A child that comes about by `_Fork`, `clone` or the bare system call runs no handler. It keeps
//! the files, and with them the lock, until it ends or calls `exec`: all of them are closed on exec.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

/// A file that children of this process do not keep.
#[derive(Debug)]
pub struct OwnFile(imp::Registered);

impl OwnFile {
    /// Registers an open file. A fork between its opening and this call leaves it open in the child:
    /// where that matters, as it does for a lock, use [`open_between_forks`](Self::open_between_forks).
    ///
    /// # Errors
    /// Numbers 0 to 2 are free, and no other number is: see [`above_standard_streams`].
    pub fn new(file: File) -> io::Result<Self> {
        Ok(Self(imp::Registered::new(above_standard_streams(file)?)))
    }

    /// Opens a file and registers it, with no fork between the two. Where one comes between, the
    /// file is closed and `open` is called again. Lock the file only after this call.
    ///
    /// # Errors
    /// What `open` fails with; [`io::ErrorKind::ResourceBusy`] where other threads fork without
    /// pause for 10 seconds.
    pub fn open_between_forks(mut open: impl FnMut() -> io::Result<File>) -> io::Result<Self> {
        imp::between_forks(|| Self::new(open()?))
    }

    /// The file.
    ///
    /// # Errors
    /// This is a child of the process that opened it, and the file is closed here.
    pub fn get(&self) -> io::Result<&File> {
        self.0.get().ok_or_else(closed)
    }

    /// The file, to be read or written by its own position.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_mut(&mut self) -> io::Result<&mut File> {
        self.0.get_mut().ok_or_else(closed)
    }
}

fn closed() -> io::Error {
    io::Error::other("the file was opened before a fork, and this process does not have it")
}

/// Moves a file away from the descriptors 0, 1 and 2.
///
/// A process that closed its standard streams, as some daemons do, gets these numbers for the next
/// files that it opens. Whatever then prints to "stdout" would write into the file.
///
/// # Errors
/// No other number is free.
pub fn above_standard_streams(file: File) -> io::Result<File> {
    imp::above_standard_streams(file)
}

/// Reads a whole file, as [`std::fs::read`] does, away from the descriptors 0, 1 and 2.
///
/// # Errors
/// The file cannot be opened or read; see [`above_standard_streams`].
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    above_standard_streams(File::open(path)?)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Refuses to open a path whose last part is a symbolic link, and does not wait for the other end
/// of a named pipe.
pub fn no_follow(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

/// The user whose rights this process has.
#[cfg(unix)]
#[must_use]
pub fn effective_user() -> u32 {
    // SAFETY: the call has no argument, changes nothing and always succeeds.
    #[allow(unsafe_code)]
    unsafe {
        libc::geteuid()
    }
}

#[cfg(unix)]
mod imp {
    use std::fs::File;
    use std::io;
    use std::mem::ManuallyDrop;
    use std::os::fd::{AsRawFd, FromRawFd};
    use std::ptr;
    use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU8, AtomicU64, Ordering};
    use std::time::{Duration, Instant};

    /// How often a fork lets others run while a file is being opened.
    const YIELDS_MAX: u32 = 10_000;
    /// No file has this node.
    const FREE: i32 = -1;
    /// The file of this node was closed after a fork, and whoever dropped it does not know yet.
    const CLOSED: i32 = -2;

    /// A place in the list of files to close. Nodes are leaked, and used again.
    #[derive(Debug)]
    struct Node {
        descriptor: AtomicI32,
        next: *const Self,
    }

    // SAFETY: `next` is set before the node is shared, never changes, and points to a node that is
    // never freed. The rest is atomic.
    #[allow(unsafe_code)]
    unsafe impl Send for Node {}
    // SAFETY: as above.
    #[allow(unsafe_code)]
    unsafe impl Sync for Node {}

    static FIRST: AtomicPtr<Node> = AtomicPtr::new(ptr::null_mut());
    /// How many threads open a file that no fork may see half done.
    static OPENING: AtomicU64 = AtomicU64::new(0);
    /// How many forks began, and how many ended, as this process sees it.
    static BEGUN: AtomicU64 = AtomicU64::new(0);
    static ENDED: AtomicU64 = AtomicU64::new(0);

    #[derive(Debug)]
    pub(super) struct Registered {
        file: ManuallyDrop<File>,
        node: &'static Node,
    }

    impl Registered {
        pub(super) fn new(file: File) -> Self {
            watch();
            let node = register(file.as_raw_fd());
            Self { file: ManuallyDrop::new(file), node }
        }

        fn is_open(&self) -> bool {
            self.node.descriptor.load(Ordering::Acquire) != CLOSED
        }

        pub(super) fn get(&self) -> Option<&File> {
            self.is_open().then_some(&*self.file)
        }

        pub(super) fn get_mut(&mut self) -> Option<&mut File> {
            self.is_open().then_some(&mut *self.file)
        }
    }

    impl Drop for Registered {
        fn drop(&mut self) {
            // First the number leaves the list, then the file is closed: a child that is born
            // between the two keeps a file, but never closes one that got the number meanwhile.
            if self.node.descriptor.swap(FREE, Ordering::AcqRel) != CLOSED {
                // SAFETY: the file is dropped once, here, and is not used after that.
                #[allow(unsafe_code)]
                unsafe {
                    ManuallyDrop::drop(&mut self.file);
                }
            }
        }
    }

    /// Notes a number in a free node, or in a new one.
    fn register(descriptor: i32) -> &'static Node {
        let mut node = FIRST.load(Ordering::Acquire).cast_const();
        // SAFETY: the pointer is null or that of a leaked node.
        #[allow(unsafe_code)]
        while let Some(known) = unsafe { node.as_ref::<'static>() } {
            let order = (Ordering::AcqRel, Ordering::Relaxed);
            if known.descriptor.compare_exchange(FREE, descriptor, order.0, order.1).is_ok() {
                return known;
            }
            node = known.next;
        }
        let new =
            Box::leak(Box::new(Node { descriptor: AtomicI32::new(descriptor), next: ptr::null() }));
        let mut first = FIRST.load(Ordering::Acquire);
        loop {
            new.next = first;
            let (done, again) = (Ordering::AcqRel, Ordering::Acquire);
            match FIRST.compare_exchange(first, ptr::from_mut(new), done, again) {
                Ok(_) => return new,
                Err(now) => first = now,
            }
        }
    }

    extern "C" fn before_fork() {
        // A courtesy, so that a process that forks all the time can open files. It has a bound,
        // since the fork may be that of a signal handler which interrupted the thread that opens.
        let mut yields = 0;
        while OPENING.load(Ordering::SeqCst) > 0 && yields < YIELDS_MAX {
            // SAFETY: the call has no argument and changes no memory.
            #[allow(unsafe_code)]
            unsafe {
                libc::sched_yield();
            }
            yields += 1;
        }
        BEGUN.fetch_add(1, Ordering::SeqCst);
    }

    extern "C" fn in_parent() {
        ENDED.fetch_add(1, Ordering::SeqCst);
    }

    /// Closes every registered file. Where it runs twice, the second time finds nothing to do.
    extern "C" fn in_child() {
        // The forks of other threads, which this process does not have, never end here.
        ENDED.store(BEGUN.load(Ordering::SeqCst), Ordering::SeqCst);
        OPENING.store(0, Ordering::SeqCst);
        let mut node = FIRST.load(Ordering::Acquire).cast_const();
        // SAFETY: the pointer is null or that of a leaked node.
        #[allow(unsafe_code)]
        while let Some(known) = unsafe { node.as_ref::<'static>() } {
            let descriptor = known.descriptor.load(Ordering::Acquire);
            if descriptor >= 0 {
                known.descriptor.store(CLOSED, Ordering::Release);
                // SAFETY: the number is in the list, so it is that of a file of ours, which nobody
                // uses or closes from here on: its owner finds `CLOSED` in the node. `close` is
                // allowed in a child of a process with several threads.
                unsafe {
                    libc::close(descriptor);
                }
            }
            node = known.next;
        }
    }

    /// Asks to be told of forks. Where the system cannot tell, children keep the files.
    fn watch() {
        const WATCHED: u8 = 1;
        // No lock: one that another thread held at a fork would hang the child. Threads that come
        // first may both ask, and then everything is done twice, which is as good.
        static STATE: AtomicU8 = AtomicU8::new(0);
        if STATE.load(Ordering::Acquire) == WATCHED {
            return;
        }
        // SAFETY: the handlers are functions that live as long as the code that holds them (the C
        // library forgets them when a library that holds them is unloaded), and do what is allowed
        // at a fork: atomic operations, and `close`.
        #[allow(unsafe_code)]
        let watched =
            unsafe { libc::pthread_atfork(Some(before_fork), Some(in_parent), Some(in_child)) };
        if watched == 0 {
            STATE.store(WATCHED, Ordering::Release);
        }
    }

    /// Does something while nobody forks.
    pub(super) fn between_forks<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        watch();
        let _opening = Opening::begin();
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            // In this order: a fork that begins after the second line changes the first number.
            let begun = BEGUN.load(Ordering::SeqCst);
            if ENDED.load(Ordering::SeqCst) == begun {
                let done = work()?;
                if BEGUN.load(Ordering::SeqCst) == begun {
                    return Ok(done);
                }
            }
            if Instant::now() > end {
                return Err(io::Error::new(
                    io::ErrorKind::ResourceBusy,
                    "other threads of this process fork without pause; try again",
                ));
            }
            std::thread::yield_now();
        }
    }

    /// Asks forks to wait, until it is dropped.
    struct Opening;

    impl Opening {
        fn begin() -> Self {
            OPENING.fetch_add(1, Ordering::SeqCst);
            Self
        }
    }

    impl Drop for Opening {
        fn drop(&mut self) {
            OPENING.fetch_sub(1, Ordering::SeqCst);
        }
    }

    pub(super) fn above_standard_streams(file: File) -> io::Result<File> {
        const FIRST_FREE: i32 = 3;
        if file.as_raw_fd() >= FIRST_FREE {
            return Ok(file);
        }
        // SAFETY: the descriptor is open, and the call only makes another one for the same file.
        #[allow(unsafe_code)]
        let moved = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, FIRST_FREE) };
        if moved < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call gave a new descriptor, and nobody else has it.
        #[allow(unsafe_code)]
        Ok(unsafe { File::from_raw_fd(moved) })
    }
}

/// There is no fork.
#[cfg(not(unix))]
mod imp {
    use std::fs::File;
    use std::io;

    #[derive(Debug)]
    pub(super) struct Registered(File);

    impl Registered {
        pub(super) fn new(file: File) -> Self {
            Self(file)
        }

        pub(super) fn get(&self) -> Option<&File> {
            Some(&self.0)
        }

        pub(super) fn get_mut(&mut self) -> Option<&mut File> {
            Some(&mut self.0)
        }
    }

    pub(super) fn between_forks<T>(mut work: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        work()
    }

    pub(super) fn above_standard_streams(file: File) -> io::Result<File> {
        Ok(file)
    }
}
