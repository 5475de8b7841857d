//! Certificates, good and bad.

#![allow(clippy::unwrap_used)] // A failed test may say so.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::TempDir;

/// An authority, with its certificate in a file.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// What a server presents.
pub type Presented = Arc<ServerConfig>;

impl Authority {
    /// A new one, which nobody knows.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key) }
    }

    /// The file of its certificate.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate that a client which trusts this authority takes.
    #[must_use]
    pub fn good(&self) -> Presented {
        self.signed(&params("127.0.0.1"))
    }

    /// One that ran out.
    #[must_use]
    pub fn expired(&self) -> Presented {
        let mut params = params("127.0.0.1");
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        self.signed(&params)
    }

    /// One whose time has not come.
    #[must_use]
    pub fn not_yet_valid(&self) -> Presented {
        let mut params = params("127.0.0.1");
        params.not_before = date_time_ymd(2222, 1, 1);
        params.not_after = date_time_ymd(2223, 1, 1);
        self.signed(&params)
    }

    /// One for another host.
    #[must_use]
    pub fn wrong_host(&self) -> Presented {
        self.signed(&params("logs.example.com"))
    }

    /// One that is for clients only.
    #[must_use]
    pub fn for_clients(&self) -> Presented {
        let mut params = params("127.0.0.1");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.signed(&params)
    }

    fn signed(&self, params: &CertificateParams) -> Presented {
        let key = KeyPair::generate().unwrap();
        presented(params.signed_by(&key, &self.issuer).unwrap().der(), &key)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A certificate that vouches for itself.
#[must_use]
pub fn self_signed() -> Presented {
    let key = KeyPair::generate().unwrap();
    presented(params("127.0.0.1").self_signed(&key).unwrap().der(), &key)
}

fn params(host: &str) -> CertificateParams {
    let mut params = CertificateParams::new([host.to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, host);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn presented(certificate: &CertificateDer<'static>, key: &KeyPair) -> Presented {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    Arc::new(config)
}
