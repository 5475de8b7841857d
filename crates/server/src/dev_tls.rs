//! Certificates for the local machine.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints,
};
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use time::OffsetDateTime;

use crate::config::TlsFiles;
use crate::{folder, tls};

/// What the server's certificate is good for.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate is made anew when it has no more than this left.
const RENEWED_BEFORE: Duration = Duration::from_secs(7 * 24 * 3600);

const CA_DAYS: i64 = 3650;
const SERVER_DAYS: i64 = 90;

/// Certificates for the local machine, as files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DevTls {
    /// The certificate authority's certificate, which clients are told to trust.
    pub ca: PathBuf,
    /// The server's certificate and key.
    pub files: TlsFiles,
}

impl DevTls {
    /// The names that the files have in a folder, whether they are there or not.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        let files = TlsFiles { cert: file("server.pem"), key: file("server-key.pem") };
        Self { ca: file("ca.pem"), files }
    }
}

/// Makes a certificate authority and a server certificate for `localhost`, `127.0.0.1` and `::1` in
/// a folder: `ca.pem`, `ca-key.pem`, `server.pem` and `server-key.pem`, for its owner alone. Those
/// that are there are kept while they are good for more than seven days. The authority can vouch for
/// these three names only, so that trusting it risks nothing else.
///
/// # Errors
/// [`DevTlsError`].
pub fn dev_tls(folder: &Path) -> Result<DevTls, DevTlsError> {
    let dev = DevTls::of(folder);
    let ca_key = folder.join("ca-key.pem");
    folder::create(folder).map_err(|source| failed(folder, source))?;

    let issuer = match existing_issuer(&dev.ca, &ca_key) {
        Some(issuer) => issuer,
        None => make_issuer(&dev.ca, &ca_key)?,
    };
    if !is_good(&dev) {
        make_server(&dev, &issuer)?;
    }
    Ok(dev)
}

/// The authority of these files, if it is one and lasts longer than its next certificate's renewal.
fn existing_issuer(ca: &Path, key: &Path) -> Option<Issuer<'static, KeyPair>> {
    let certificate = CertificateDer::from_pem_file(ca).ok()?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&certificate).ok()?;
    let key = KeyPair::from_pem(&std::fs::read_to_string(key).ok()?).ok()?;
    let same_key = parsed.public_key().subject_public_key.data == key.public_key_raw();
    let left = parsed.validity().time_to_expiration()?;
    if !same_key || left <= RENEWED_BEFORE {
        return None;
    }
    Issuer::from_ca_cert_der(&certificate, key).ok()
}

fn make_issuer(ca: &Path, key_file: &Path) -> Result<Issuer<'static, KeyPair>, DevTlsError> {
    let mut params = params("LogFlux local development CA", CA_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_v4_prefix([127, 0, 0, 1], 32)),
            GeneralSubtree::IpAddress(CidrSubnet::from_v6_prefix(
                std::net::Ipv6Addr::LOCALHOST.octets(),
                128,
            )),
        ],
        excluded_subtrees: Vec::new(),
    });
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write(key_file, &key.serialize_pem())?;
    write(ca, &certificate.pem())?;
    Ok(Issuer::new(params, key))
}

fn make_server(dev: &DevTls, issuer: &Issuer<'static, KeyPair>) -> Result<(), DevTlsError> {
    let mut params = params("LogFlux local development server", SERVER_DAYS);
    params.subject_alt_names = CertificateParams::new(NAMES.map(String::from))?.subject_alt_names;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    write(&dev.files.key, &key.serialize_pem())?;
    write(&dev.files.cert, &certificate.pem())
}

fn params(name: &str, days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    let now = OffsetDateTime::now_utc();
    // A day of grace for clocks that are behind.
    params.not_before = now - time::Duration::days(1);
    params.not_after = now + time::Duration::days(days);
    params
}

/// Whether a client that trusts the authority will accept the server for every name, in a week, too.
fn is_good(dev: &DevTls) -> bool {
    let Ok(chain) = tls::certificates(&dev.files.cert) else { return false };
    let (Some(certificate), Ok(_)) = (chain.first(), tls::load(&dev.files)) else { return false };
    let mut roots = RootCertStore::empty();
    let Ok(ca) = CertificateDer::from_pem_file(&dev.ca) else { return false };
    if roots.add(ca).is_err() {
        return false;
    }
    let provider = Arc::new(ring::default_provider());
    let Ok(verifier) =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()
    else {
        return false;
    };
    let now = UnixTime::now().as_secs();
    [0, RENEWED_BEFORE.as_secs()].into_iter().all(|ahead| {
        let then = UnixTime::since_unix_epoch(Duration::from_secs(now.saturating_add(ahead)));
        NAMES.into_iter().all(|name| {
            ServerName::try_from(name).is_ok_and(|name| {
                verifier.verify_server_cert(certificate, &[], &name, &[], then).is_ok()
            })
        })
    })
}

fn write(path: &Path, pem: &str) -> Result<(), DevTlsError> {
    folder::write_private(path, pem.as_bytes()).map_err(|source| failed(path, source))
}

fn failed(path: &Path, source: std::io::Error) -> DevTlsError {
    DevTlsError::File { path: path.to_owned(), source }
}

/// Why certificates cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DevTlsError {
    /// A file or the folder cannot be written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A certificate cannot be made.
    #[error("making a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
}
