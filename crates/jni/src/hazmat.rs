//! For test vectors only.

use jni::objects::{JByteArray, JString};
use jni::sys::{jint, jlong};
use logflux_envelope::hazmat::{self, Given};
use logflux_envelope::{Field, Iv, Salt, Stage};

use crate::boundary::Failure;
use crate::{handles, values};

exports! {
    /// Seals with the salt and the iv that are given. **For test vectors only.**
    fn Java_io_logflux_Native_hazmatSeal(
        env, message: JByteArray<'l>, secret: jlong, salt: JByteArray<'l>, iv: JByteArray<'l>,
        node: JString<'l>, level: jint, timestamp: JString<'l>, mode: JString<'l>,
    ) -> JByteArray<'l> {
        let message = env.convert_byte_array(&message)?;
        let iv: [u8; Iv::LEN] = env.convert_byte_array(&iv)?
            .try_into()
            .map_err(|_| Failure::field(Field::Iv, Stage::Size, "iv must be 12 bytes"))?;
        let node = values::node(values::text(env, &node)?)?;
        let given = Given {
            mode: values::mode(values::text(env, &mode)?.as_deref())?,
            salt: salt_of(env.convert_byte_array(&salt)?)?,
            iv: iv.into(),
            node: &node,
            level: values::level(level)?,
            timestamp: values::timestamp(values::text(env, &timestamp)?.as_deref())?,
        };
        let secret = handles::secret(secret)?;
        let entry = hazmat::seal_with_salt_and_iv(&message, &secret, &given)?.to_json();
        values::bytes(env, entry.as_bytes())
    }

    /// The 32 bytes that key the cipher of an entry with this salt. **For test vectors only.**
    fn Java_io_logflux_Native_hazmatDeriveKey(
        env, secret: jlong, salt: JByteArray<'l>, mode: JString<'l>,
    ) -> JByteArray<'l> {
        let mode = values::mode(values::text(env, &mode)?.as_deref())?;
        let salt = salt_of(env.convert_byte_array(&salt)?)?;
        let key = hazmat::derive_key(&*handles::secret(secret)?, mode, &salt)?;
        values::bytes(env, key.as_bytes())
    }
}

fn salt_of(salt: Vec<u8>) -> Result<Salt, Failure> {
    let salt: [u8; Salt::LEN] = salt
        .try_into()
        .map_err(|_| Failure::field(Field::Salt, Stage::Size, "salt must be 32 bytes"))?;
    Ok(salt.into())
}
