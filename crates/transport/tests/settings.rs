//! What documents and doc comments say of the settings is what the table of settings says.
//!
//! `make settings` writes the parts between the markers anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A failed test may say so.

use std::fs;
use std::path::{Path, PathBuf};

use logflux_transport::{Kind, SETTINGS, Setting};

/// Set to write the parts anew instead of comparing them.
const UPDATE: &str = "LOGFLUX_UPDATE_SETTINGS";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Compares the part of a file between two marker lines with `expected`, or writes it.
fn assert_part(file: &str, [begin, end]: [&str; 2], expected: &str) {
    let text = read(file);
    let (before, rest) = text.split_once(begin).unwrap_or_else(|| panic!("{file}: no {begin:?}"));
    let (part, after) = rest.split_once(end).unwrap_or_else(|| panic!("{file}: no {end:?}"));
    if std::env::var_os(UPDATE).is_some() {
        fs::write(root().join(file), format!("{before}{begin}{expected}{end}{after}")).unwrap();
    } else if part != expected {
        panic!("{file} is not what the table of settings says: run `make settings`");
    }
}

const MARKDOWN: [&str; 2] = ["<!-- settings: begin -->\n", "<!-- settings: end -->"];

fn default(setting: &Setting) -> String {
    if setting.variable.is_none() {
        return "comes with the callback".to_owned();
    }
    setting.kind.default().unwrap_or_else(|| "needed".to_owned())
}

fn code(text: Option<&str>) -> String {
    text.map_or_else(|| "–".to_owned(), |text| format!("`{text}`"))
}

#[test]
fn the_table_of_all_settings() {
    let mut table =
        "| setting | variable | it is | default | |\n|---|---|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let (name, variable) = (setting.name, code(setting.variable));
        let (values, default) = (setting.kind.values(), default(setting));
        table += &format!("| `{name}` | {variable} | {values} | {default} | {} |\n", setting.about);
    }
    assert_part("docs/settings.md", MARKDOWN, &table);
}

#[test]
fn the_table_of_c() {
    let mut table = "| function | setting | it is | default |\n|---|---|---|---|\n".to_owned();
    for setting in SETTINGS {
        let Some(function) = setting.c else { continue };
        let (name, values, default) = (setting.name, setting.kind.values(), default(setting));
        table += &format!("| `{function}` | `{name}` | {values} | {default} |\n");
    }
    assert_part("docs/c.md", MARKDOWN, &table);
}

/// The field of a setting in Go: `QueueSize` of `queue_size`.
fn in_go(name: &str) -> String {
    let word = |word: &str| match word {
        "url" | "api" | "ca" | "http" => word.to_uppercase(),
        _ => word.get(..1).unwrap().to_uppercase() + word.get(1..).unwrap(),
    };
    name.split('_').map(word).collect()
}

#[test]
fn the_table_of_go() {
    let mut table = "| field | it is | default | |\n|---|---|---|---|\n".to_owned();
    let elsewhere = |name: &str| name.ends_with("_file") && name != "ca_file";
    for setting in SETTINGS {
        let (name, about) = (setting.name, setting.about);
        if elsewhere(name) || name.starts_with("secret_") || name == "stats_interval" {
            continue;
        }
        let (values, default) = match name {
            "api_key" | "secret" => (setting.kind.values(), "needed without `FromEnv`".to_owned()),
            "key_policy" => ("a `KeyPolicy`".to_owned(), "adaptive".to_owned()),
            _ => (setting.kind.values(), default(setting)),
        };
        table += &format!("| `{}` | {values} | {default} | {about} |\n", in_go(name));
    }
    assert_part("docs/go.md", MARKDOWN, &table.replace("max_delay", "MaxDelay"));
}

/// What a client of Python is given by name, beside its first four arguments.
fn python() -> impl Iterator<Item = &'static Setting> {
    let arguments = ["server_url", "api_key", "secret", "node"];
    SETTINGS.iter().filter(move |setting| setting.python && !arguments.contains(&setting.name))
}

#[test]
fn the_table_of_python() {
    let mut table = "| setting | it is | default | |\n|---|---|---|---|\n".to_owned();
    for setting in python() {
        let (name, about) = (setting.name, setting.about);
        let (values, default) = match name {
            "key_policy" => ("a `KeyPolicy`".to_owned(), "`KeyPolicy.adaptive()`".to_owned()),
            _ => (setting.kind.values(), default(setting)),
        };
        table += &format!("| `{name}` | {values} | {default} | {about} |\n");
    }
    assert_part("docs/python.md", MARKDOWN, &table);
}

#[test]
fn the_types_of_python() {
    const WIDTH: usize = 100;
    let mut part = String::new();
    for setting in python() {
        let words;
        let kind = match (setting.name, setting.kind) {
            ("key_policy", _) => "KeyPolicy",
            ("mode", _) => "Mode | int | str",
            ("min_level", _) => "Level | int | str",
            ("ca_file" | "spool_dir", _) => "str | os.PathLike[str]",
            (_, Kind::Number { .. } | Kind::Size { .. }) => "int",
            (_, Kind::Factor { .. }) => "float",
            (_, Kind::Duration { .. }) => "Duration",
            (_, Kind::Choice { words: choices, .. }) => {
                let quoted: Vec<_> = choices.iter().map(|word| format!("\"{word}\"")).collect();
                words = format!("Literal[{}]", quoted.join(", "));
                &words
            }
            _ => "str",
        };
        let (values, default) = match setting.name {
            "key_policy" => (String::new(), "``KeyPolicy.adaptive()``".to_owned()),
            _ => (format!("{}; ", setting.kind.values()), default(setting)),
        };
        let text = format!("\"\"\"{}: {values}{default} by default.\"\"\"", setting.about);
        part += &format!("    {}: {kind} | None\n", setting.name);
        let mut line = "   ".to_owned();
        for word in text.split(' ') {
            if line.len() + 1 + word.len() > WIDTH {
                part += &format!("{line}\n");
                "   ".clone_into(&mut line);
            }
            line += &format!(" {word}");
        }
        part += &format!("{line}\n");
    }
    let markers = ["    # settings: begin\n", "    # settings: end"];
    assert_part("bindings/python/python/logflux/_settings.py", markers, &part);
}

/// The comment that stands before what `declares`, in one line.
fn comment_before(text: &str, declares: &str) -> String {
    let at = text.find(declares).unwrap_or_else(|| panic!("there is no {declares:?}"));
    let above = text.get(..at).unwrap().lines().rev();
    let is_comment =
        |line: &&str| line.trim_start().starts_with(['/', '*']) || line.trim().starts_with("#[");
    let mut lines: Vec<_> = above.take_while(is_comment).collect();
    lines.reverse();
    let words = lines.iter().map(|line| line.trim_matches(['/', '*', ' ']));
    words.collect::<Vec<_>>().join(" ")
}

/// Two values with commas and without a unit, as C has them, and the default.
fn in_c(kind: Kind) -> Option<(String, String)> {
    let comma = |number: u128| {
        let digits = number.to_string();
        let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
        let groups: Vec<_> =
            groups.into_iter().map(|group| str::from_utf8(group).unwrap()).collect();
        groups.join(",")
    };
    let [min, max, default] = match kind {
        Kind::Number { min, max, default } | Kind::Size { min, max, default } => {
            [min, max, default].map(u128::from)
        }
        Kind::Duration { min, max, default } => [min, max, default].map(|time| time.as_millis()),
        Kind::Factor { min, max, default } => {
            return Some((format!("{min} to {max}"), default.to_string()));
        }
        _ => return None,
    };
    Some((format!("{} to {}", comma(min), comma(max)), comma(default)))
}

#[test]
fn the_comments_of_the_header() {
    let header = read("include/logflux.h");
    for setting in SETTINGS {
        let Some((function, (bounds, default))) = setting.c.zip(in_c(setting.kind)) else {
            continue;
        };
        let comment = comment_before(&header, &format!("logflux_status {function}("));
        assert!(comment.contains(&bounds), "{function} does not say {bounds:?}: {comment}");
        // Without a callback there are no statistics, and so no default.
        let has_default = setting.name == "stats_interval" || comment.contains(&default);
        assert!(has_default, "{function} does not say that {default} is the default: {comment}");
    }
}

#[test]
fn the_comments_of_the_rust_configuration() {
    let text = read("crates/logflux/src/config.rs");
    let mut checked = 0;
    for setting in SETTINGS {
        let method = match setting.name {
            "close_timeout" => "close_within",
            "stats_interval" => "on_stats",
            name => name,
        };
        let declares = format!("    pub fn {method}(");
        let values = setting.kind.values();
        let Some((_, bounds)) = values.split_once(" from ") else { continue };
        if !text.contains(&declares) {
            continue;
        }
        let without_spaces = |text: &str| text.replace(' ', "");
        let comment = without_spaces(&comment_before(&text, &declares));
        let bounds = without_spaces(bounds);
        assert!(comment.contains(&bounds), "{method} does not say {bounds:?}: {comment}");
        let default = without_spaces(&default(setting));
        let has_default = setting.name == "stats_interval" || comment.contains(&default);
        assert!(has_default, "{method} does not say that {default} is the default: {comment}");
        checked += 1;
    }
    assert_eq!(checked, 10, "a method was renamed");
}
