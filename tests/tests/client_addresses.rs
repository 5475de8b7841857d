//! Addresses that do not answer, names without a thread to look them up, and descriptors that are
//! not for sockets.

#![cfg(unix)]
#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use logflux_envelope::Mode;
use logflux_tests::{ENOUGH, Place, in_child, logflux, secret};
use logflux_transport::{Client, HttpTimeout, SecretSource};
use socket2::{Domain, Socket, Type};

/// The addresses of a name, in the order of the system's resolver.
fn addresses(name: &str) -> Vec<IpAddr> {
    let found = (name, 0).to_socket_addrs().map(Iterator::collect::<Vec<_>>);
    found.unwrap_or_default().iter().map(SocketAddr::ip).collect()
}

/// A listener that takes no more connections, with those that fill it: who comes now waits without
/// an answer, as for an address that leads nowhere.
fn silent(address: SocketAddr) -> std::io::Result<Vec<Socket>> {
    let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    listener.bind(&address.into())?;
    listener.listen(0)?;
    let mut sockets = vec![listener];
    for _ in 0..16 {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        let answered = socket.connect_timeout(&address.into(), Duration::from_millis(500));
        sockets.push(socket);
        if answered.is_err() {
            return Ok(sockets);
        }
    }
    Err(std::io::Error::other("a full listener answers on this system"))
}

/// Where the local host has one address only, this test runs itself again where it has both, for
/// which it must be root.
#[test]
fn an_ipv6_address_that_does_not_answer_keeps_nobody_waiting() {
    const AGAIN: &str = "LOGFLUX_TEST_HAS_BOTH_FAMILIES";
    let both = [IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)];
    if addresses("localhost") != both && std::env::var_os(AGAIN).is_none() {
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().join("hosts");
        fs::write(&hosts, "::1 localhost\n127.0.0.1 localhost\n").unwrap();
        let script = r#"mount --bind "$0" /etc/hosts && touch "$0.mounted" && exec "$1" --nocapture --exact "$2""#;
        let ended = Command::new("unshare")
            .args(["--mount", "sh", "-c", script])
            .arg(&hosts)
            .arg(std::env::current_exe().unwrap())
            .arg("an_ipv6_address_that_does_not_answer_keeps_nobody_waiting")
            .env(AGAIN, "1")
            .status();
        if folder.path().join("hosts.mounted").exists() {
            assert!(ended.unwrap().success());
        } else {
            println!("skipped: localhost has one address here, and only root can give it another");
        }
        return;
    }
    if addresses("localhost") != both {
        println!("skipped: the system's resolver does not begin with IPv6 for localhost");
        return;
    }
    let (place, _running) = Place::new();
    let port = place.address().rsplit_once(':').unwrap().1.parse::<u16>().unwrap();
    let sockets = match silent((Ipv6Addr::LOCALHOST, port).into()) {
        Ok(sockets) => sockets,
        Err(error) => {
            println!("skipped: {error}");
            return;
        }
    };
    let mut settings = place.settings();
    settings.endpoint = format!("https://localhost:{port}").parse().unwrap();
    // Addresses that were tried one after another would share this, and the first take most of it.
    settings.http_timeout = HttpTimeout::new(Duration::from_secs(600)).unwrap();
    let begun = Instant::now();
    settings.api().unwrap().version().unwrap();
    let took = begun.elapsed();
    println!("a call beside an address that does not answer took {took:?}");
    assert!(took < ENOUGH, "{took:?}");
    drop(sockets);
}

/// What the standard streams of this process are, as far as they are open.
fn standard_streams() -> Vec<String> {
    [0, 1, 2]
        .iter()
        .filter_map(|fd| fs::read_link(format!("/proc/self/fd/{fd}")).ok())
        .map(|target| target.to_string_lossy().into_owned())
        .collect()
}

/// How many sockets this process has.
fn sockets() -> usize {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let targets = descriptors.filter_map(|fd| fs::read_link(fd.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_without_standard_streams_keeps_their_numbers_free() {
    let (place, _running) = Place::new();
    let told = tempfile::NamedTempFile::new().unwrap();
    let good = in_child(|| {
        // What fails here cannot be said on stderr.
        let check = |what: &str, good: bool| {
            if !good {
                fs::write(told.path(), format!("{what}: {:?}", standard_streams())).unwrap();
            }
            assert!(good);
        };
        let settings = place.settings();
        fork::close_fd().unwrap();
        check("open from the start", standard_streams().is_empty());
        let lowest = TcpListener::bind("127.0.0.1:0").unwrap();
        check("no number is free", lowest.as_raw_fd() == 0);
        drop(lowest);
        let client = Client::builder(settings, secret()).mode(Mode::Hkdf).build().unwrap();
        for batch in 0..5 {
            client.info(&format!("line {batch}"));
            client.flush(ENOUGH).unwrap();
            // A connection is open, and stays so for the next batch.
            check("no connection", sockets() > 0);
            check("taken", standard_streams().is_empty());
        }
        client.close(ENOUGH).unwrap();
    });
    assert!(good, "{}", fs::read_to_string(told.path()).unwrap());
    assert_eq!(place.stored().len(), 5);
}

#[cfg(target_os = "linux")]
#[test]
fn a_secrets_command_works_in_a_process_without_standard_streams() {
    let told = tempfile::NamedTempFile::new().unwrap();
    let good = in_child(|| {
        fork::close_fd().unwrap();
        // Its own streams are all open, and what it complains of goes nowhere else.
        let command = "cat; exec 3< /dev/null; test -e /proc/self/fd/2 && echo nothing >&2; echo x"
            .to_owned();
        let secret = SecretSource::Command(command).load_within(ENOUGH);
        fs::write(told.path(), format!("{secret:?}")).unwrap();
        assert_eq!(secret.unwrap().expose(), "x");
        assert!(standard_streams().is_empty());
    });
    assert!(good, "{}", fs::read_to_string(told.path()).unwrap());
}

/// No thread can be had by a program that wants a larger stack than there are addresses.
#[test]
fn a_name_is_looked_up_where_no_thread_can_be_had() {
    let (place, _running) = Place::new();
    let program = |args: &[&str], ca: &Path| {
        let mut command = Command::new(logflux().unwrap());
        command
            .args(args)
            .env("RUST_MIN_STACK", (1_u64 << 47).to_string())
            .env(
                "LOGFLUX_SERVER_URL",
                format!("https://{}", place.address()).replace("127.0.0.1", "localhost"),
            )
            .env("LOGFLUX_API_KEY", place.key().expose())
            .env("LOGFLUX_CA_FILE", ca)
            .env("LOGFLUX_SECRET", "correct horse battery staple");
        let output = command.output().unwrap();
        (
            output.status,
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    };
    let data = tempfile::tempdir().unwrap();
    let serve =
        ["serve", "--dev", "--listen", "127.0.0.1:0", "--data", data.path().to_str().unwrap()];
    let (status, told) = program(&serve, &place.ca_file());
    assert!(!status.success(), "there are threads: {told}");
    let (status, told) = program(&["doctor"], &place.ca_file());
    assert!(status.success() && !told.contains("panicked"), "{told}");
}
