//! Certificates, good and bad.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tempfile::TempDir;

use super::error::EndpointError;

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
    ///
    /// # Errors
    /// [`EndpointError`] where it cannot be made.
    pub fn new() -> Result<Self, EndpointError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        let failed = |path: PathBuf| |error| EndpointError::Write { path, error };
        let folder = tempfile::tempdir().map_err(failed(std::env::temp_dir()))?;
        let path = folder.path().join("ca.pem");
        fs::write(&path, certificate.pem()).map_err(failed(path))?;
        Ok(Self { folder, issuer: Issuer::new(params, key) })
    }

    /// The file of its certificate.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate that a client which trusts this authority takes.
    ///
    /// # Errors
    /// [`EndpointError`] where it cannot be made.
    pub fn good(&self) -> Result<Presented, EndpointError> {
        self.signed(&params("127.0.0.1")?)
    }

    /// One that ran out.
    ///
    /// # Errors
    /// [`EndpointError`] where it cannot be made.
    pub fn expired(&self) -> Result<Presented, EndpointError> {
        let mut params = params("127.0.0.1")?;
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 1, 1);
        self.signed(&params)
    }

    /// One whose time has not come.
    ///
    /// # Errors
    /// [`EndpointError`] where it cannot be made.
    pub fn not_yet_valid(&self) -> Result<Presented, EndpointError> {
        let mut params = params("127.0.0.1")?;
        params.not_before = date_time_ymd(2222, 1, 1);
        params.not_after = date_time_ymd(2223, 1, 1);
        self.signed(&params)
    }

    /// One for another host.
    ///
    /// # Errors
    /// [`EndpointError`] where it cannot be made.
    pub fn wrong_host(&self) -> Result<Presented, EndpointError> {
        self.signed(&params("logs.example.com")?)
    }

    /// One that is for clients only.
    ///
    /// # Errors
    /// [`EndpointError`] where it cannot be made.
    pub fn for_clients(&self) -> Result<Presented, EndpointError> {
        let mut params = params("127.0.0.1")?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.signed(&params)
    }

    fn signed(&self, params: &CertificateParams) -> Result<Presented, EndpointError> {
        let key = KeyPair::generate()?;
        presented(params.signed_by(&key, &self.issuer)?.der(), &key)
    }
}

/// A certificate that vouches for itself.
///
/// # Errors
/// [`EndpointError`] where it cannot be made.
pub fn self_signed() -> Result<Presented, EndpointError> {
    let key = KeyPair::generate()?;
    presented(params("127.0.0.1")?.self_signed(&key)?.der(), &key)
}

fn params(host: &str) -> Result<CertificateParams, EndpointError> {
    let mut params = CertificateParams::new([host.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, host);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params)
}

fn presented(
    certificate: &CertificateDer<'static>,
    key: &KeyPair,
) -> Result<Presented, EndpointError> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)?;
    Ok(Arc::new(config))
}
