//! The secret, and several of them.

use std::sync::Arc;

use jni::objects::{JByteArray, JLongArray, JObjectArray, JString};
use jni::sys::jlong;
use logflux_envelope::{Keyring, Secret};
use logflux_host::secret;
use logflux_host::settings::Environment;

use crate::boundary::Failure;
use crate::handles::{self, Held};
use crate::values;

fn keep(secret: Secret) -> jlong {
    handles::keep(Held::Secret(Arc::new(secret)))
}

exports! {
    /// Takes a secret: its UTF-8.
    fn Java_io_logflux_Native_secretNew(env, bytes: JByteArray<'l>) -> jlong {
        let bytes = env.convert_byte_array(&bytes)?;
        Secret::from_utf8(bytes).map(keep).map_err(Failure::secret)
    }

    /// Makes a new secret of 256 bits.
    fn Java_io_logflux_Native_secretGenerate(_env) -> jlong {
        Secret::generate().map(keep).map_err(Failure::secret)
    }

    /// The secret that the environment names.
    fn Java_io_logflux_Native_secretFromEnv(
        env, environment: JObjectArray<'l, JString<'l>>,
    ) -> jlong {
        let environment: Environment = values::pairs(env, &environment)?;
        Ok(keep(secret::of(&environment)?))
    }

    /// The secret itself, in UTF-8.
    fn Java_io_logflux_Native_secretExpose(env, secret: jlong) -> JByteArray<'l> {
        values::bytes(env, handles::secret(secret)?.expose().as_bytes())
    }

    /// Several secrets, the newest first, each with the time from when on it sealed, or null.
    fn Java_io_logflux_Native_keyringNew(
        env, secrets: JLongArray<'l>, since: JObjectArray<'l, JString<'l>>,
    ) -> jlong {
        let mut keyring: Option<Keyring> = None;
        for (secret, since) in values::longs(env, &secrets)?.into_iter().zip(values::texts(env, &since)?) {
            let secret = (*handles::secret(secret)?).clone();
            let next = match keyring.take() {
                Some(keyring) => keyring.with_older(secret),
                None => Keyring::new(secret),
            };
            keyring = Some(match since {
                Some(since) => next.since(values::timestamp(Some(&since))?),
                None => next,
            });
        }
        let keyring = keyring.ok_or_else(|| Failure::secret("a keyring needs a secret"))?;
        Ok(handles::keep(Held::Keyring(Arc::new(keyring))))
    }
}
