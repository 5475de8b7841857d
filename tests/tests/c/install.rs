//! What is installed, and that it can be built against in every documented way.

use std::fs;
use std::path::Path;
use std::process::Command;

use logflux_tests::workspace;

use crate::toolchain::{
    Link, WARNINGS, build_by, build_with, command, empty, flags, prefix, prefix_without_client,
    succeed,
};

#[test]
fn the_header_compiles_as_every_standard_with_every_warning() {
    let folder = empty("header");
    let header = "#include <logflux.h>\nint main(void) { return logflux_version() == 0; }\n";
    let standards = [
        ("c", "gcc", ["c99", "c11"]),
        ("c", "clang", ["c99", "c11"]),
        ("cpp", "g++", ["c++11", "c++20"]),
        ("cpp", "clang++", ["c++11", "c++20"]),
    ];
    for (extension, compiler, standards) in standards {
        let source = folder.join("header").with_extension(extension);
        fs::write(&source, header).unwrap();
        for standard in standards {
            check(compiler, standard, &source);
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
            check(compiler, standard, &source);
        }
    }
    let mut without_exceptions = Command::new("g++");
    without_exceptions.args(WARNINGS).args([
        "-std=c++17",
        "-fno-exceptions",
        "-fno-rtti",
        "-fsyntax-only",
    ]);
    succeed(without_exceptions.arg("-I").arg(prefix().join("include")).arg(&source));
}

fn check(compiler: &str, standard: &str, source: &Path) {
    let mut compile = Command::new(compiler);
    compile.args(WARNINGS).arg(format!("-std={standard}")).arg("-fsyntax-only");
    succeed(compile.arg("-I").arg(prefix().join("include")).arg(source));
}

#[test]
fn everything_is_in_its_place() {
    let version = env!("CARGO_PKG_VERSION");
    for file in [
        "include/logflux.h",
        "include/logflux.hpp",
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
                let sealing = !declared.starts_with("logflux_client_")
                    && !declared.starts_with("logflux_config_");
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
