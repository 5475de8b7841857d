//! What is installed, and that it can be built against in every documented way.

use std::fs;
use std::path::Path;
use std::process::Command;

use logflux_tests::workspace;

use crate::toolchain::{
    Link, WARNINGS, build_by, build_with, command, empty, flags, installed, package_flags, prefix,
    prefix_without_client, succeed,
};

/// What a strict project asks of a header: its users cannot change it.
const STRICT: [&str; 5] =
    ["-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wundef", "-Wcast-qual"];

/// Uses what the header defines itself, and not only what it declares.
const USES_THE_HEADER: &str = r#"
#include <logflux.h>
static logflux_status use(const logflux_client *client) {
  if (logflux_client_logf(client, LOGFLUX_LEVEL_INFO, "plain") != LOGFLUX_STATUS_OK) {
    return LOGFLUX_STATUS_NULL_ARGUMENT;
  }
  return logflux_client_logf(client, LOGFLUX_LEVEL_DEBUG, "user %d %s", 4711, "logged in");
}
int main(void) { return use(NULL) == LOGFLUX_STATUS_OK; }
"#;

#[test]
fn the_header_compiles_as_every_standard_with_every_warning() {
    let folder = empty("header");
    let standards = [
        ("c", ["gcc", "clang"], &["c99", "c11", "c2x"][..], "-Wc++-compat"),
        ("cpp", ["g++", "clang++"], &["c++11", "c++14", "c++17", "c++20"], "-Wold-style-cast"),
    ];
    for (extension, compilers, standards, warning) in standards {
        let source = folder.join("header").with_extension(extension);
        fs::write(&source, USES_THE_HEADER).unwrap();
        for compiler in compilers {
            for standard in standards {
                succeed(check(compiler, standard, &source).arg(warning));
            }
        }
    }
    let source = folder.join("plus.cpp");
    fs::write(
        &source,
        "#include <logflux.hpp>\nint main() { return logflux::version().empty(); }\n",
    )
    .unwrap();
    for compiler in ["g++", "clang++"] {
        for standard in ["c++17", "c++20"] {
            succeed(check(compiler, standard, &source).arg("-Wold-style-cast"));
        }
    }
    succeed(check("g++", "c++17", &source).args(["-fno-exceptions", "-fno-rtti"]));
}

#[test]
fn an_older_cpp_standard_is_one_error_that_names_the_one_that_is_needed() {
    let folder = empty("old-standard");
    for header in ["logflux.hpp", "logflux/spdlog_sink.hpp"] {
        let source = folder.join("old.cpp");
        fs::write(&source, format!("#include <{header}>\nint main() {{}}\n")).unwrap();
        for compiler in ["g++", "clang++"] {
            for standard in ["c++11", "c++14"] {
                let refused = crate::toolchain::run(&mut check(compiler, standard, &source));
                let said = String::from_utf8_lossy(&refused.stderr);
                assert!(!refused.status.success(), "{compiler} {standard}");
                let errors: Vec<&str> =
                    said.lines().filter(|line| line.contains("error: ")).collect();
                assert_eq!(errors.len(), 1, "{said}");
                let wanted = format!("{header} needs C++17 or later: compile with -std=c++17");
                assert!(errors[0].contains(&wanted), "{said}");
            }
        }
    }
}

fn check(compiler: &str, standard: &str, source: &Path) -> Command {
    let mut compile = Command::new(compiler);
    compile.args(WARNINGS).args(STRICT).arg(format!("-std={standard}")).arg("-fsyntax-only");
    compile.arg("-I").arg(prefix().join("include")).arg(source);
    compile
}

#[test]
fn everything_is_in_its_place() {
    let version = env!("CARGO_PKG_VERSION");
    for file in [
        "include/logflux.h",
        "include/logflux.hpp",
        "include/logflux/spdlog_sink.hpp",
        "lib/liblogflux.a",
        "lib/pkgconfig/logflux.pc",
        "lib/pkgconfig/logflux-static.pc",
        "lib/cmake/logflux/logflux-config.cmake",
        "lib/cmake/logflux/logflux-config-version.cmake",
    ] {
        assert!(prefix().join(file).is_file(), "{file}");
    }
    let major = version.split('.').next().unwrap();
    let shared = prefix().join("lib").join(format!("liblogflux.so.{version}"));
    let soname = format!("liblogflux.so.{major}");
    for link in ["liblogflux.so", &soname] {
        let leads_to = fs::canonicalize(prefix().join("lib").join(link)).unwrap();
        assert_eq!(leads_to, fs::canonicalize(&shared).unwrap(), "{link}");
    }
    let dynamic = succeed(Command::new("readelf").arg("-d").arg(&shared));
    assert!(dynamic.contains(&format!("Library soname: [{soname}]")), "{dynamic}");
    assert!(dynamic.contains("NODELETE"), "{dynamic}");
}

#[test]
fn nothing_but_the_interface_is_exported() {
    let header = fs::read_to_string(prefix().join("include/logflux.h")).unwrap();
    for prefix in [prefix(), prefix_without_client()] {
        for (library, option) in [("liblogflux.so", "--dynamic"), ("liblogflux.a", "--extern-only")]
        {
            let mut nm = Command::new("nm");
            nm.args([option, "--defined-only", "--format=posix"])
                .arg(prefix.join("lib").join(library));
            let symbols = succeed(&mut nm);
            let mut names: Vec<&str> = symbols
                .lines()
                .filter(|line| !line.ends_with(':'))
                .filter_map(|line| line.split_whitespace().next())
                .collect();
            names.sort_unstable();
            assert!(names.len() > 40, "{library}: {names:?}");
            for name in &names {
                assert!(name.starts_with("logflux_"), "{library} exports {name}");
                assert!(header.contains(&format!("{name}(")), "{name} is not in the header");
            }
            // And everything that the header declares is there.
            let client = prefix == self::prefix();
            for declared in declared(&header) {
                let clients = ["logflux_client_", "logflux_config_", "logflux_flush_ticket_"];
                let sealing = !clients.iter().any(|prefix| declared.starts_with(prefix));
                if client || sealing {
                    assert!(names.binary_search(&declared).is_ok(), "{library} lacks {declared}");
                }
            }
        }
    }
}

/// The functions of the header, but for the one that it defines itself.
fn declared(header: &str) -> Vec<&str> {
    let functions = header.split("extern \"C\"").nth(1).unwrap();
    let names = functions.split('(').filter_map(|before| before.rsplit([' ', '*', '\n']).next());
    let mut names: Vec<&str> = names
        .filter(|name| name.starts_with("logflux_") && *name != "logflux_client_logf")
        .collect();
    names.sort_unstable();
    names.dedup();
    // What comments mention in passing is no declaration.
    names.retain(|name| functions.contains(&format!("{name}(")) && !name.ends_with('_'));
    names
}

#[test]
fn the_stripped_library_is_small() {
    let size = |prefix: &Path| fs::metadata(prefix.join("lib/liblogflux.so")).unwrap().len();
    let (whole, sealing) = (size(prefix()), size(prefix_without_client()));
    println!("{whole} bytes with the client, {sealing} without");
    assert!(whole <= 4 << 20, "{whole} bytes with the client");
    assert!(sealing <= 1 << 20, "{sealing} bytes without the client");
}

#[test]
fn programs_build_with_pkg_config_alone() {
    for compiler in ["gcc", "clang"] {
        for link in [Link::Shared, Link::Static] {
            let example =
                build_by(compiler, "c/examples/seal_open.c", prefix(), link, &["-std=c99"]);
            let wrote = succeed(&mut command(&example));
            assert!(wrote.ends_with("}\nUser login successful\n"), "{wrote}");
        }
    }
    let needed = |link| {
        let example = build_by("gcc", "c/examples/seal_open.c", prefix(), link, &["-std=c11"]);
        succeed(Command::new("readelf").arg("-d").arg(example)).contains("liblogflux")
    };
    assert!(needed(Link::Shared) && !needed(Link::Static));
    assert!(!flags(prefix(), Link::Static).is_empty());
}

#[test]
fn a_library_without_the_client_seals_and_opens() {
    for link in [Link::Shared, Link::Static] {
        let example =
            build_with("c/examples/seal_open.c", prefix_without_client(), link, &["-DNO_CLIENT"]);
        let mut example = command(&example);
        example.env("LD_LIBRARY_PATH", prefix_without_client().join("lib"));
        assert!(succeed(&mut example).ends_with("}\nUser login successful\n"));
    }
}

/// A program without any shared library, by both packages; the C library's own warning about names of
/// hosts is no error.
#[test]
fn programs_build_fully_static() {
    let source = workspace().join("bindings/c/examples/seal_open.c");
    for package in ["logflux-static", "logflux"] {
        for compiler in ["gcc", "clang"] {
            let program = empty("fully-static").join("seal_open");
            let mut compile = Command::new(compiler);
            compile.arg("-static").arg("-o").arg(&program).arg(&source);
            let flags = package_flags(prefix(), &["--static", "--cflags", "--libs", package]);
            succeed(compile.args(flags));
            let dynamic = succeed(Command::new("readelf").arg("-d").arg(&program));
            assert!(!dynamic.contains("NEEDED"), "{package}: {dynamic}");
            let wrote = succeed(&mut Command::new(&program));
            assert!(wrote.ends_with("}\nUser login successful\n"), "{package}: {wrote}");
        }
    }
}

/// Cargo builds into another folder where it is told a target or a folder; an earlier library, here
/// one with the client, is where it would be otherwise.
#[test]
fn what_is_installed_is_what_was_just_built() {
    let symbols = |prefix: &Path| {
        let library = prefix.join("lib/liblogflux.so");
        succeed(Command::new("nm").args(["--dynamic", "--defined-only"]).arg(library))
    };
    assert!(symbols(prefix()).contains("logflux_client_new"));
    let rustc = succeed(Command::new("rustc").arg("-vV"));
    let host = rustc.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
    for (name, setting) in [
        ("prefix-of-cargo-target", format!("CARGO_BUILD_TARGET={host}")),
        ("prefix-of-target", format!("TARGET={host}")),
    ] {
        let prefix = installed(name, &["CLIENT=no", &setting]);
        let symbols = symbols(&prefix);
        assert!(symbols.contains("logflux_seal"), "{setting}");
        assert!(!symbols.contains("logflux_client_new"), "{setting}: an older library");
    }
}

#[test]
fn the_sink_for_spdlog_is_found_by_cmake() {
    let folder = empty("cmake-spdlog");
    fs::write(
        folder.join("CMakeLists.txt"),
        "cmake_minimum_required(VERSION 3.16)\nproject(s CXX)\nset(CMAKE_CXX_STANDARD 17)\n\
         find_package(logflux REQUIRED)\nfind_package(spdlog REQUIRED)\n\
         add_executable(s s.cpp)\n\
         target_link_libraries(s PRIVATE logflux::logflux spdlog::spdlog)\n",
    )
    .unwrap();
    fs::write(
        folder.join("s.cpp"),
        "#include <logflux/spdlog_sink.hpp>\n\
         int main() { return logflux::spdlog_sink_mt(nullptr).should_log(spdlog::level::off); }\n",
    )
    .unwrap();
    let build = folder.join("build");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(&folder).arg("-B").arg(&build);
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display()));
    succeed(&mut configure);
    succeed(Command::new("cmake").arg("--build").arg(&build));
    let status = crate::toolchain::run(&mut Command::new(build.join("s"))).status;
    assert_eq!(status.code(), Some(1));
}

#[test]
fn programs_build_with_cmake_s_find_package() {
    let build = empty("cmake");
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(workspace().join("bindings/c/examples")).arg("-B").arg(&build);
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display()));
    succeed(&mut configure);
    succeed(Command::new("cmake").arg("--build").arg(&build));
    for program in ["seal_open", "seal_open_static"] {
        // CMake puts the library's folder into the program.
        let wrote = succeed(&mut Command::new(build.join(program)));
        assert!(wrote.ends_with("}\nUser login successful\n"), "{program}: {wrote}");
    }
}

#[test]
fn cmake_refuses_a_version_that_is_another() {
    let folder = empty("cmake-version");
    let project =
        "cmake_minimum_required(VERSION 3.16)\nproject(v C)\nfind_package(logflux 9.0 REQUIRED)\n";
    fs::write(folder.join("CMakeLists.txt"), project).unwrap();
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(&folder).arg("-B").arg(folder.join("build"));
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix().display()));
    assert!(!crate::toolchain::run(&mut configure).status.success());
}

#[test]
fn a_prefix_that_is_none_is_refused() {
    let mut install = Command::new("bash");
    install.current_dir(workspace()).arg("bindings/c/install.sh").arg("relative/prefix");
    let refused = crate::toolchain::run(&mut install);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("PREFIX must be an absolute path"));
}
