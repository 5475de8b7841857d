//! TLS for the listener: the certificate and its key, and versions 1.2 and 1.3 alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::SupportedProtocolVersion;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};

use crate::config::TlsFiles;

/// The versions that are spoken. rustls has no older one, and its suites are all forward secret.
const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];

/// Reads the files and makes the listener's settings of them. The cryptography is named here, so
/// that the host need not install any for the process.
pub(crate) fn load(files: &TlsFiles) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let unusable =
        |source| TlsError::Unusable { cert: files.cert.clone(), key: files.key.clone(), source };
    let certificates = certificates(&files.cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| TlsError::file(&files.key, "private key", &error))?;
    let mut config =
        rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&VERSIONS)
            .map_err(unusable)?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The certificates of a PEM file, at least one.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |error: pem::Error| TlsError::file(path, "certificate", &error);
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if certificates.is_empty() {
        return Err(failed(pem::Error::NoItemsFound));
    }
    Ok(certificates)
}

/// When the first certificate of a file expires: seconds since 1970.
pub(crate) fn expires(path: &Path) -> Result<i64, TlsError> {
    let refused = || TlsError::File {
        path: path.to_owned(),
        kind: "certificate",
        reason: "it is no X.509 certificate".to_owned(),
    };
    let first = certificates(path)?.into_iter().next().ok_or_else(refused)?;
    let (_, parsed) = x509_parser::parse_x509_certificate(&first).map_err(|_| refused())?;
    Ok(parsed.validity().not_after.timestamp())
}

/// Whether every certificate of a file is in force today.
pub(crate) fn in_force(path: &Path) -> Result<(), TlsError> {
    let refused =
        |reason: String| TlsError::File { path: path.to_owned(), kind: "certificate", reason };
    for certificate in certificates(path)? {
        let (_, parsed) = x509_parser::parse_x509_certificate(&certificate)
            .map_err(|_| refused("it is no X.509 certificate".to_owned()))?;
        let validity = parsed.validity();
        if !validity.is_valid() {
            let reason =
                format!("it is good from {} to {} only", validity.not_before, validity.not_after);
            return Err(refused(reason));
        }
    }
    Ok(())
}

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read, or is no PEM file of its kind.
    #[error("{kind} file {}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// `certificate` or `private key`.
        kind: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The certificate and the key are not usable, or do not belong together.
    #[error("certificate {} with private key {}: {source}", .cert.display(), .key.display())]
    Unusable {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        source: rustls::Error,
    },
}

impl TlsError {
    fn file(path: &Path, kind: &'static str, error: &pem::Error) -> Self {
        let reason = match error {
            pem::Error::Io(error) => error.to_string(),
            pem::Error::NoItemsFound => format!("there is no {kind} in PEM form in it"),
            _ => "it is not a valid PEM file".to_owned(),
        };
        Self::File { path: path.to_owned(), kind, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tls_1_2_and_1_3_are_spoken() {
        use rustls::ProtocolVersion::{TLSv1_2, TLSv1_3};
        assert_eq!(VERSIONS.map(|version| version.version), [TLSv1_3, TLSv1_2]);
    }

    #[test]
    fn an_error_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let dev = crate::dev_tls(folder.path()).unwrap();
        assert!(load(&dev.files).is_ok());

        let error = |cert: &Path, key: &Path| {
            let files = TlsFiles { cert: cert.to_owned(), key: key.to_owned() };
            load(&files).unwrap_err().to_string()
        };
        let missing = folder.path().join("missing.pem");
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "nothing\n").unwrap();
        for bad in [&missing, &empty] {
            let (bad, name) = (bad.as_path(), bad.display().to_string());
            assert!(error(bad, &dev.files.key).starts_with(&format!("certificate file {name}: ")));
            assert!(error(&dev.files.cert, bad).starts_with(&format!("private key file {name}: ")));
        }
        assert!(error(&dev.files.cert, &dev.ca).contains("no private key"));

        let other = tempfile::tempdir().unwrap();
        let other_key = crate::dev_tls(other.path()).unwrap().files.key;
        let mismatch = error(&dev.files.cert, &other_key);
        assert!(
            mismatch.contains("server-key.pem") && mismatch.contains("server.pem"),
            "{mismatch}"
        );
    }
}
