//! A connection through a SOCKS proxy (RFC 1928; user name and password, RFC 1929).

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use zeroize::Zeroizing;

use super::failure::Failure;
use super::proxy::Credentials;

const VERSION: u8 = 5;
const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTED: u8 = 0xff;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Where the proxy shall connect.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target<'a> {
    Address(SocketAddr),
    /// A name, which the proxy looks up, and a port.
    Name(&'a str, u16),
}

/// Asks a SOCKS proxy for a connection.
pub(super) fn connect(
    stream: &mut (impl Read + Write),
    target: Target<'_>,
    credentials: Option<&Credentials>,
) -> Result<(), Failure> {
    let refused = |sentence: &str| Err(Failure::Refused(sentence.to_owned()));
    match credentials {
        Some(_) => send(stream, &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD])?,
        None => send(stream, &[VERSION, 1, NO_AUTHENTICATION])?,
    }
    match (read(stream)?, credentials) {
        ([VERSION, NO_AUTHENTICATION], _) => {}
        ([VERSION, USER_AND_PASSWORD], Some(credentials)) => authenticate(stream, credentials)?,
        ([VERSION, NONE_ACCEPTED], None) => return refused("it wants a user name and a password"),
        ([VERSION, NONE_ACCEPTED], Some(_)) => {
            return refused("it takes no user name and password");
        }
        _ => return refused("it does not answer as a SOCKS 5 proxy does"),
    }
    let mut request = vec![VERSION, 1, 0];
    let port = match target {
        Target::Address(SocketAddr::V4(address)) => {
            request.push(IPV4);
            request.extend(address.ip().octets());
            address.port()
        }
        Target::Address(SocketAddr::V6(address)) => {
            request.push(IPV6);
            request.extend(address.ip().octets());
            address.port()
        }
        Target::Name(name, port) => {
            request.push(NAME);
            request.push(length(name, "the server's name")?);
            request.extend(name.bytes());
            port
        }
    };
    request.extend(port.to_be_bytes());
    send(stream, &request)?;
    match read(stream)? {
        [VERSION, 0, 0, kind] => skip_address(stream, kind),
        [VERSION, 2, ..] => refused("its rules do not allow a connection with the server"),
        [VERSION, 7 | 8, ..] => refused("it does not support what it is asked for"),
        [VERSION, reply, ..] if reply != 0 => Err(Failure::Beyond(match reply {
            3 => "the network is unreachable".to_owned(),
            4 => "the host is unreachable".to_owned(),
            5 => "the connection is refused".to_owned(),
            6 => "the packets' time to live has expired".to_owned(),
            other => format!("SOCKS reply {other}"),
        })),
        _ => refused("it does not answer as a SOCKS 5 proxy does"),
    }
}

fn authenticate(
    stream: &mut (impl Read + Write),
    credentials: &Credentials,
) -> Result<(), Failure> {
    let mut request = Zeroizing::new(Vec::with_capacity(3 + 2 * 255));
    request.push(1);
    for (text, name) in
        [(&credentials.user, "the user name"), (&credentials.password, "the password")]
    {
        request.push(length(text, name)?);
        request.extend(text.bytes());
    }
    send(stream, &request)?;
    match read(stream)? {
        [1, 0] => Ok(()),
        _ => Err(Failure::Refused("it refuses the user name or the password".to_owned())),
    }
}

/// The length of a field, which is one byte.
fn length(text: &str, name: &str) -> Result<u8, Failure> {
    u8::try_from(text.len())
        .map_err(|_| Failure::Refused(format!("{name} is longer than the 255 bytes of SOCKS")))
}

/// Reads past the address that the proxy connects from, and its port.
fn skip_address(stream: &mut impl Read, kind: u8) -> Result<(), Failure> {
    match kind {
        IPV4 => read::<6>(stream).map(drop),
        IPV6 => read::<18>(stream).map(drop),
        NAME => {
            let [length] = read(stream)?;
            for _ in 0..usize::from(length) + 2 {
                read::<1>(stream)?;
            }
            Ok(())
        }
        _ => Err(Failure::Refused("it does not answer as a SOCKS 5 proxy does".to_owned())),
    }
}

fn send(stream: &mut impl Write, bytes: &[u8]) -> Result<(), Failure> {
    stream.write_all(bytes)?;
    Ok(stream.flush()?)
}

fn read<const N: usize>(stream: &mut impl Read) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    match stream.read_exact(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let closed = "it closed the connection and did not answer";
            Err(Failure::Broken(io::Error::new(error.kind(), closed)))
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tunnel::tests::Script;
    use super::*;

    fn credentials(user: &str, password: &str) -> Credentials {
        Credentials {
            user: Zeroizing::new(user.to_owned()),
            password: Zeroizing::new(password.to_owned()),
        }
    }

    fn address(text: &str) -> Target<'static> {
        Target::Address(text.parse().unwrap())
    }

    #[test]
    fn a_proxy_is_asked_for_a_name_or_an_address() {
        let ok = [5, 0, 5, 0, 0, 1, 1, 2, 3, 4, 0, 9];
        for (target, asked) in [
            (Target::Name("logs", 258), [b"\x05\x01\0\x03\x04logs".as_slice(), &[1, 2]].concat()),
            (address("1.2.3.4:258"), vec![5, 1, 0, 1, 1, 2, 3, 4, 1, 2]),
            (address("[::1]:258"), [&[5, 1, 0, 4], [0; 15].as_slice(), &[1, 1, 2]].concat()),
        ] {
            let mut script = Script::new(&[&ok, b"tail".as_slice()].concat());
            connect(&mut script, target, None).unwrap();
            assert_eq!(script.asked, [&[5, 1, 0], asked.as_slice()].concat());
            assert_eq!(script.answer.position(), ok.len() as u64, "what follows is the server's");
        }
        for bound in [[&[3, 2][..], b"ab", &[0, 9]].concat(), [&[4][..], &[0; 18]].concat()] {
            let answer = [&[5, 0, 5, 0, 0], bound.as_slice()].concat();
            let mut script = Script::new(&answer);
            connect(&mut script, Target::Name("logs", 1), None).unwrap();
            assert_eq!(script.answer.position(), answer.len() as u64);
        }
    }

    #[test]
    fn a_user_name_and_a_password_are_given_where_they_are_wanted() {
        let credentials = credentials("me", "hunter2");
        let rest = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let mut script = Script::new(&[&[5, 2, 1, 0], rest.as_slice()].concat());
        connect(&mut script, address("1.2.3.4:1"), Some(&credentials)).unwrap();
        assert!(script.asked.starts_with(b"\x05\x02\0\x02\x01\x02me\x07hunter2\x05"));
        let mut script = Script::new(&[&[5, 0], rest.as_slice()].concat());
        connect(&mut script, address("1.2.3.4:1"), Some(&credentials)).unwrap();
        assert!(!script.asked.windows(7).any(|window| window == b"hunter2"));
        let mut script = Script::new(&[5, 2, 1, 1]);
        let failure = connect(&mut script, address("1.2.3.4:1"), Some(&credentials)).unwrap_err();
        assert!(matches!(failure, Failure::Refused(_)) && !failure.to_string().contains("hunter2"));
    }

    #[test]
    fn what_a_proxy_answers_decides_whether_it_may_pass_later() {
        let ask = |answer: &[u8], target| connect(&mut Script::new(answer), target, None);
        let logs = Target::Name("logs", 1);
        for answer in [
            b"HTTP/1.1 400 Bad Request".as_slice(),
            &[5, 0xff],
            &[5, 2],
            &[4, 0],
            &[5, 0, 5, 2, 0, 1],
            &[5, 0, 5, 7, 0, 1],
            &[5, 0, 5, 8, 0, 1],
            &[5, 0, 4, 0, 0, 1],
            &[5, 0, 5, 0, 1, 1],
            &[5, 0, 5, 0, 0, 9],
        ] {
            let failure = ask(answer, logs).unwrap_err();
            assert!(matches!(failure, Failure::Refused(_)), "{answer:?}: {failure:?}");
        }
        for reply in [1, 3, 4, 5, 6, 9] {
            let failure = ask(&[5, 0, 5, reply, 0, 1], logs).unwrap_err();
            assert!(matches!(failure, Failure::Beyond(_)), "{reply}: {failure:?}");
        }
        for answer in [&[][..], &[5], &[5, 0], &[5, 0, 5, 0, 0], &[5, 0, 5, 0, 0, 1, 1]] {
            let failure = ask(answer, logs).unwrap_err();
            assert!(matches!(failure, Failure::Broken(_)), "{answer:?}: {failure:?}");
        }
        let long = "x".repeat(256);
        let failure = ask(&[5, 0], Target::Name(&long, 1)).unwrap_err();
        assert!(matches!(failure, Failure::Refused(_)));
    }
}
