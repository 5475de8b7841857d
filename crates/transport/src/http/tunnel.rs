//! A connection through an HTTP proxy: the method CONNECT (RFC 9110, section 9.3.6).

use std::io::{self, Read, Write};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};
use zeroize::Zeroizing;

use super::failure::Failure;
use super::proxy::Credentials;

/// The most bytes that are read of a proxy's answer.
const HEAD_MAX: usize = 16 << 10;

/// Asks an HTTP proxy for a connection with a server, `HOST:PORT`. `variable` names where the
/// credentials come from.
pub(super) fn connect(
    stream: &mut (impl Read + Write),
    server: &str,
    credentials: Option<&Credentials>,
    variable: &str,
) -> Result<(), Failure> {
    let mut request = Zeroizing::new(format!("CONNECT {server} HTTP/1.1\r\nHost: {server}\r\n"));
    if let Some(Credentials { user, password }) = credentials {
        let pair = Zeroizing::new(format!("{}:{}", **user, **password));
        let encoded = Zeroizing::new(base64_simd::STANDARD.encode_to_string(pair.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&encoded);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    match status(&head(stream)?) {
        Some(200..=299) => Ok(()),
        // Some proxies say 401 where 407 is right.
        Some(status @ (401 | 407)) => Err(Failure::Refused(format!(
            "it answered CONNECT with {status}: {}, as http://USER:PASSWORD@HOST:PORT in {variable}",
            match credentials {
                Some(_) => "it wants another user name or password",
                None => "it wants a user name and a password",
            }
        ))),
        Some(status @ (408 | 429 | 500..)) => {
            Err(Failure::Beyond(format!("it answered CONNECT with {status}")))
        }
        Some(status) => Err(Failure::Refused(format!("it answered CONNECT with {status}"))),
        None => Err(Failure::Refused("it does not answer as an HTTP proxy does".to_owned())),
    }
}

/// Reads an answer's head, and nothing of what follows.
fn head(stream: &mut impl Read) -> Result<Vec<u8>, Failure> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_MAX {
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) => {
                let closed = "it closed the connection and did not answer CONNECT";
                return Err(Failure::Broken(io::Error::new(io::ErrorKind::UnexpectedEof, closed)));
            }
            Ok(_) => head.extend(byte),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(head)
}

/// The status of a whole head.
fn status(head: &[u8]) -> Option<u16> {
    let line = head.strip_suffix(b"\r\n\r\n")?.split(|byte| *byte == b'\r').next()?;
    let rest = line.strip_prefix(b"HTTP/1.0 ").or_else(|| line.strip_prefix(b"HTTP/1.1 "))?;
    let (digits, behind) = rest.split_at_checked(3)?;
    let digits = digits.iter().all(u8::is_ascii_digit).then_some(digits)?;
    let status = str::from_utf8(digits).ok()?.parse().ok()?;
    (behind.is_empty() || behind.starts_with(b" ")).then_some(status)
}

/// A connection with a server through a proxy. Where TLS is spoken with the proxy, it is not yet
/// with the server.
#[derive(Debug)]
pub(super) struct Tunnel(pub(super) Box<dyn Transport>);

impl Transport for Tunnel {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.0.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A proxy that has its answer ready.
    pub(in super::super) struct Script {
        pub(in super::super) asked: Vec<u8>,
        pub(in super::super) answer: io::Cursor<Vec<u8>>,
    }

    impl Script {
        pub(in super::super) fn new(answer: &[u8]) -> Self {
            Self { asked: Vec::new(), answer: io::Cursor::new(answer.to_vec()) }
        }
    }

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.answer.read(buffer)
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.asked.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn ask(answer: &[u8], credentials: Option<(&str, &str)>) -> (Script, Result<(), Failure>) {
        let credentials = credentials.map(|(user, password)| Credentials {
            user: Zeroizing::new(user.to_owned()),
            password: Zeroizing::new(password.to_owned()),
        });
        let mut script = Script::new(answer);
        let result = connect(&mut script, "[::1]:8443", credentials.as_ref(), "ALL_PROXY");
        (script, result)
    }

    #[test]
    fn a_proxy_is_asked_and_only_its_head_is_read() {
        for status in ["HTTP/1.1 200 OK", "HTTP/1.0 200 Connection established", "HTTP/1.1 204"] {
            let answer = format!("{status}\r\nVia: x\r\n\r\ntail");
            let (script, result) = ask(answer.as_bytes(), None);
            result.unwrap();
            assert_eq!(script.asked, b"CONNECT [::1]:8443 HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n");
            assert_eq!(script.answer.position(), answer.len() as u64 - 4);
        }
        let (script, result) = ask(b"HTTP/1.1 200 OK\r\n\r\n", Some(("aladdin", "open sesame")));
        result.unwrap();
        let asked = String::from_utf8(script.asked).unwrap();
        // "aladdin:open sesame"
        assert!(asked.contains("\r\nProxy-Authorization: Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    }

    #[test]
    fn what_a_proxy_answers_decides_whether_it_may_pass_later() {
        let long = [b"HTTP/1.1 200 OK\r\n".as_slice(), &[b'x'; HEAD_MAX]].concat();
        for (answer, sentence) in [
            (b"HTTP/1.1 407 x\r\n\r\n".as_slice(), "407: it wants another"),
            (b"HTTP/1.1 401 x\r\n\r\n", "401: it wants another"),
            (b"HTTP/1.1 403 \x1b[2J\r\n\r\n", "it answered CONNECT with 403"),
            (b"HTTP/1.1 301 x\r\nLocation: /\r\n\r\n", "301"),
            (b"HTTP/1.1 100 Continue\r\n\r\n", "100"),
            (b"HTTP/2 200\r\n\r\n", "not answer as an HTTP proxy"),
            (b"HTTP/1.1 2000\r\n\r\n", "not answer as an HTTP proxy"),
            (b"HTTP/1.1 +20 OK\r\n\r\n", "not answer as an HTTP proxy"),
            (b"SSH-2.0-OpenSSH\r\n\r\n", "not answer as an HTTP proxy"),
            (b"\r\n\r\n", "not answer as an HTTP proxy"),
            (&long, "not answer as an HTTP proxy"),
        ] {
            let failure = ask(answer, Some(("user", "hunter2"))).1.unwrap_err();
            let text = failure.to_string();
            assert!(matches!(failure, Failure::Refused(_)) && text.contains(sentence), "{text}");
            assert!(!text.contains("hunter2") && !text.contains('\x1b'), "{text}");
        }
        for status in ["408", "429", "500", "502", "503", "504"] {
            let failure = ask(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes(), None).1.unwrap_err();
            assert!(matches!(&failure, Failure::Beyond(text) if text.contains(status)));
        }
        for answer in [b"".as_slice(), b"HTTP/1.1 200 OK\r\n"] {
            let failure = ask(answer, None).1.unwrap_err();
            assert!(matches!(failure, Failure::Broken(_)), "{failure}");
        }
    }
}
