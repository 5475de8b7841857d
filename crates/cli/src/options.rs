//! The client's settings as options, made from the table of settings.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::sync::LazyLock;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgMatches, Args, Command, Error, FromArgMatches};
use logflux_transport::{ClientConfig, ConfigError, Kind, SETTINGS, Setting};

use crate::failure::{Failure, Outcome};

/// How long a command waits at its end where nothing else is said: longer than an application, since
/// it may have read much at once.
const CLOSE_TIMEOUT: &str = "10s";

/// Settings that have options of another kind, or are of no use to a command.
const NOT_HERE: [&str; 12] = [
    // Those of a server, a secret, and sealing.
    "server_url",
    "api_key_file",
    "ca_file",
    "secret_file",
    "secret_command",
    "secret_command_timeout",
    "node",
    "mode",
    "key_policy",
    // An argument would show in `ps`.
    "api_key",
    "secret",
    // Every line that is read is shipped.
    "min_level",
];

/// A setting with its option.
struct Named {
    setting: &'static Setting,
    variable: &'static str,
    /// Such as `queue-size`.
    long: String,
    /// Such as `--queue-size`.
    option: String,
}

static OPTIONS: LazyLock<Vec<Named>> = LazyLock::new(|| {
    let here = SETTINGS.iter().filter(|setting| !NOT_HERE.contains(&setting.name));
    let named = |setting: &'static Setting| {
        let long = setting.name.replace('_', "-");
        let option = format!("--{long}");
        Some(Named { setting, variable: setting.variable?, long, option })
    };
    here.filter_map(named).collect()
});

/// What was given of them, by the variable that says the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct ClientOptions(Vec<(&'static str, OsString)>);

impl ClientOptions {
    /// The configuration that these options and, for what they leave out, the environment name.
    pub(crate) fn config(
        &self,
        server_url: Option<&str>,
        key_file: Option<&Path>,
    ) -> Result<ClientConfig, ConfigError> {
        let given = |name| {
            let option = self.0.iter().find(|(variable, _)| *variable == name);
            option.map(|(_, value)| value.clone())
        };
        let config = ClientConfig::from_variables(&|name| match (name, server_url) {
            ("LOGFLUX_SERVER_URL", Some(url)) => Some(url.into()),
            ("LOGFLUX_API_KEY_FILE", _) if key_file.is_some() => key_file.map(Into::into),
            // An option comes before a variable.
            ("LOGFLUX_API_KEY", _) if key_file.is_some() => None,
            ("LOGFLUX_MIN_LEVEL", _) => None,
            _ => given(name)
                .or_else(|| env::var_os(name).filter(|value| !value.is_empty()))
                .or_else(|| (name == "LOGFLUX_CLOSE_TIMEOUT").then(|| CLOSE_TIMEOUT.into())),
        });
        config.map_err(|error| {
            let named = OPTIONS.iter().find(|named| named.variable == error.setting);
            match named {
                None if error.setting == "LOGFLUX_API_KEY_FILE" && key_file.is_some() => {
                    error.named("--api-key-file")
                }
                Some(named) if given(error.setting).is_some() => error.named(&named.option),
                _ => error,
            }
        })
    }
}

/// What a setting is, as the help of its option.
pub(crate) fn help(name: &str) -> String {
    let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
        return String::new();
    };
    let variable = setting.variable.map(|name| format!(" ({name})")).unwrap_or_default();
    let default = match setting.kind.default() {
        _ if name == "api_key_file" => String::new(),
        _ if name == "close_timeout" => format!(" [default: {CLOSE_TIMEOUT}]"),
        // The words of an option have hyphens.
        Some(default) if matches!(setting.kind, Kind::Choice { .. }) => {
            format!(" [default: {}]", default.replace('_', "-"))
        }
        Some(default) => format!(" [default: {default}]"),
        None => String::new(),
    };
    match setting.kind {
        // Clap lists the words itself, and a path needs no words.
        Kind::Choice { .. } | Kind::Text { .. } => format!("{}{variable}{default}", setting.about),
        kind => format!("{}: {}{variable}{default}", setting.about, kind.values()),
    }
}

/// What the variable of a setting says, where it is set and not empty.
pub(crate) fn variable<T>(name: &str, read: impl FnOnce(&str) -> Option<T>) -> Outcome<Option<T>> {
    let setting = SETTINGS.iter().find(|setting| setting.name == name);
    let Some((setting, variable)) = setting.and_then(|setting| Some((setting, setting.variable?)))
    else {
        return Ok(None);
    };
    let Some(value) = env::var_os(variable).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let invalid = || Failure::new(format!("{variable}: must be {}", setting.kind.values()));
    value.to_str().and_then(read).map(Some).ok_or_else(invalid)
}

fn option(named: &'static Named) -> Arg {
    let setting = named.setting;
    let value_name = match (setting.kind, setting.name) {
        (Kind::Number { .. }, _) => "N",
        (Kind::Size { .. }, _) => "SIZE",
        (Kind::Factor { .. }, _) => "FACTOR",
        (Kind::Duration { .. }, _) => "DURATION",
        (_, "spool_dir") => "DIR",
        (_, "proxy") => "URL",
        _ => "VALUE",
    };
    let arg = Arg::new(setting.name)
        .long(named.long.as_str())
        .value_name(value_name)
        .help(help(setting.name))
        .help_heading("Client");
    match setting.kind {
        // The words of an option have hyphens.
        Kind::Choice { words, .. } => {
            let words: Vec<String> = words.iter().map(|word| word.replace('_', "-")).collect();
            let parser = PossibleValuesParser::new(words);
            arg.value_parser(parser.map(|word| OsString::from(word.replace('-', "_"))))
        }
        _ => arg.value_parser(OsStringValueParser::new()),
    }
}

impl Args for ClientOptions {
    fn augment_args(command: Command) -> Command {
        OPTIONS.iter().fold(command, |command, named| command.arg(option(named)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for ClientOptions {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let given = |named: &Named| {
            let value = matches.get_one::<OsString>(named.setting.name)?;
            Some((named.variable, value.clone()))
        };
        Ok(Self(OPTIONS.iter().filter_map(given).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
