//! What every function runs inside: a panic becomes an exception, and so does an error, of the class that
//! Java has for it.
//!
//! No error of the core has a secret, a message or a key in it.

use std::any::Any;

use jni::errors::{Error, ErrorPolicy};
use jni::objects::{JObject, JString, JThrowable, JValue};
use jni::{Env, EnvUnowned, jni_sig, jni_str};
use logflux_envelope::{Field, Stage};
use logflux_host::Kind;

logflux_host::failure!(pub(crate));

impl Failure {
    /// The exception, made by Java.
    pub(crate) fn exception<'l>(&self, env: &mut Env<'l>) -> Result<JObject<'l>, Error> {
        let kind = match self.kind {
            Kind::Entry => "entry",
            Kind::LogFlux => "other",
            Kind::Open => "open",
            Kind::Seal => "seal",
            Kind::Secret => "secret",
            Kind::Settings => "settings",
        };
        let stage = self.stage.map_or("", Stage::name);
        let field = self.field.map_or("", Field::name);
        let mut texts = Vec::new();
        for text in [kind, stage, field, &self.message] {
            texts.push(JString::from_str(env, text)?);
        }
        let values: Vec<JValue<'_>> = texts.iter().map(|text| JValue::Object(text)).collect();
        env.call_static_method(
            jni_str!("io/logflux/Errors"),
            jni_str!("make"),
            jni_sig!("(Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;)Lio/logflux/LogfluxException;"),
            &values,
        )?
        .l()
    }

    fn throw(&self, env: &mut Env<'_>) -> Result<(), Error> {
        let exception = self.exception(env)?;
        let exception = env.cast_local::<JThrowable<'_>>(exception)?;
        env.throw(&exception)
    }
}

/// An error of JNI itself, such as for a value that is null, or too little memory.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::other(&error.to_string())
    }
}

/// Throws, and gives what Java does not look at.
struct Throw;

impl<T: Default> ErrorPolicy<T, Failure> for Throw {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _: &mut Self::Captures<'unowned_env_local, 'native_method>,
        failure: Failure,
    ) -> Result<T, Error> {
        // One of Java's own, as for too little memory, is on its way.
        if !env.exception_check() {
            // It says that there is an exception now, which is what it is for.
            let _ = failure.throw(env);
        }
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        captures: &mut Self::Captures<'unowned_env_local, 'native_method>,
        _: Box<dyn Any + Send + 'static>,
    ) -> Result<T, Error> {
        let fault = Failure::other("a fault of LogFlux: please report it");
        <Self as ErrorPolicy<T, Failure>>::on_error(env, captures, fault)
    }
}

/// Does the work of a function. A panic ends nothing.
pub(crate) fn guarded<'l, T: Default>(
    env: &mut EnvUnowned<'l>,
    work: impl FnOnce(&mut Env<'l>) -> Result<T, Failure>,
) -> T {
    env.with_env(work).resolve::<Throw>()
}

/// Functions of the class `io.logflux.Native`.
macro_rules! exports {
    ($($(#[doc = $doc:literal])* fn $export:ident($env:ident $(, $name:ident: $kind:ty)* $(,)?) $(-> $answer:ty)? $work:block)*) => {
        $(
            $(#[doc = $doc])*
            #[unsafe(no_mangle)]
            #[allow(non_snake_case, clippy::too_many_arguments)] // Java looks for this name.
            pub extern "system" fn $export<'l>(
                mut env: jni::EnvUnowned<'l>,
                _class: jni::objects::JClass<'l>,
                $($name: $kind),*
            ) $(-> $answer)? {
                $crate::boundary::guarded(&mut env, |$env: &mut jni::Env<'l>| $work)
            }
        )*
    };
}
