//! Opening: an entry becomes its message again.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use jni::objects::{JByteArray, JObject, JObjectArray};
use jni::sys::{jboolean, jint, jlong};
use logflux_envelope::{Entry, OpenError, Opener};

use crate::boundary::Failure;
use crate::handles::{self, Held};
use crate::values;

/// Many entries that are being opened on other threads.
pub(crate) struct OpenMany {
    done: AtomicUsize,
    opened: OnceLock<Vec<Opened>>,
}

type Opened = Result<Vec<u8>, Failure>;

exports! {
    /// Makes an opener of a keyring. 0 stands for the default.
    fn Java_io_logflux_Native_openerNew(
        _env, keyring: jlong, remember: jint, threads: jint,
    ) -> jlong {
        let or = |value: jint, default: NonZeroUsize| {
            usize::try_from(value).ok().and_then(NonZeroUsize::new).unwrap_or(default)
        };
        let keys = NonZeroUsize::MIN.saturating_add(4_095);
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let opener = Opener::new((*handles::keyring(keyring)?).clone())
            .remember(or(remember, keys))
            .threads(or(threads, cores));
        Ok(handles::keep(Held::Opener(Arc::new(opener))))
    }

    /// Reads an entry strictly; gives its canonical JSON.
    fn Java_io_logflux_Native_entryParse(env, entry: JByteArray<'l>) -> JByteArray<'l> {
        let entry = Entry::parse(&env.convert_byte_array(&entry)?)?.to_json();
        values::bytes(env, entry.as_bytes())
    }

    /// Opens an entry; as text, its message must be UTF-8.
    fn Java_io_logflux_Native_openerOpen(
        env, opener: jlong, entry: JByteArray<'l>, as_text: jboolean,
    ) -> JByteArray<'l> {
        let opener = handles::opener(opener)?;
        let entry = Entry::parse(&env.convert_byte_array(&entry)?)?;
        let message = if as_text {
            opener.open(&entry)?.into_bytes()
        } else {
            opener.open_bytes(&entry)?
        };
        values::bytes(env, &message)
    }

    /// Begins to open many entries on other threads.
    fn Java_io_logflux_Native_openManyBegin(
        env, opener: jlong, entries: JObjectArray<'l, JByteArray<'l>>, as_text: jboolean,
    ) -> jlong {
        let opener = handles::opener(opener)?;
        let mut given = Vec::new();
        for index in 0..entries.len(env)? {
            let entry = entries.get_element(env, index)?;
            given.push(env.convert_byte_array(&entry)?);
            // A frame has room for few.
            env.delete_local_ref(entry);
        }
        let many = Arc::new(OpenMany { done: AtomicUsize::new(0), opened: OnceLock::new() });
        let opening = Arc::clone(&many);
        let work = move || {
            let opened = opening.open(&opener, &given, as_text);
            // It is set once.
            let _ = opening.opened.set(opened);
        };
        logflux_process::start_thread("logflux-open", work)
            .map_err(|_| Failure::other("no thread can be started to open entries on"))?;
        Ok(handles::keep(Held::OpenMany(many)))
    }

    /// How many entries are open; -1 where all are.
    fn Java_io_logflux_Native_openManyDone(_env, many: jlong) -> jint {
        let many = handles::open_many(many)?;
        if many.opened.get().is_some() {
            return Ok(-1);
        }
        Ok(jint::try_from(many.done.load(Ordering::Relaxed)).unwrap_or(jint::MAX))
    }

    /// What came of them: bytes, or an exception.
    fn Java_io_logflux_Native_openManyResult(env, many: jlong) -> JObject<'l> {
        let many = handles::open_many(many)?;
        let opened = many.opened.get().map(Vec::as_slice).unwrap_or_default();
        let array = JObjectArray::<JObject<'_>>::new(env, opened.len(), JObject::null())?;
        for (index, opened) in opened.iter().enumerate() {
            let made: JObject<'_> = match opened {
                Ok(message) => env.byte_array_from_slice(message)?.into(),
                Err(failure) => failure.exception(env)?,
            };
            array.set_element(env, index, &made)?;
            env.delete_local_ref(made);
        }
        Ok(array.into())
    }
}

impl OpenMany {
    fn open(&self, opener: &Opener, entries: &[Vec<u8>], as_text: bool) -> Vec<Opened> {
        let parsed: Vec<_> = entries.iter().map(|entry| Entry::parse(entry)).collect();
        let good: Vec<Entry> = parsed.iter().flatten().cloned().collect();
        let opened = opener.open_many_bytes(&good, |progress| {
            self.done.fetch_max(progress.done, Ordering::Relaxed);
        });
        let mut opened = opened.into_iter();
        let mut next = || opened.next().unwrap_or(Err(OpenError::Authentication));
        let message = |entry: Result<Entry, _>| {
            entry?;
            let message = next()?;
            if as_text && std::str::from_utf8(&message).is_err() {
                return Err(OpenError::Utf8.into());
            }
            Ok(message)
        };
        parsed.into_iter().map(message).collect()
    }
}
