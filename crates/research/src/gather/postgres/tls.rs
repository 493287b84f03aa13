//! TLS to a server, and the other options of a connection.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use samescore_core::error::{Code, Error, Result};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

/// How a connection is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// Never by TLS.
    Disable,
    /// By TLS if the server has it; its certificate is not looked at.
    Prefer,
    /// By TLS or not at all; its certificate is not looked at.
    Require,
    /// By TLS, with a certificate of that host from a known authority.
    VerifyFull,
}

impl TlsMode {
    /// The mode of that name, as `sslmode` of the server's own programs.
    ///
    /// # Errors
    /// If there is none.
    pub fn of(name: &str) -> Result<Self> {
        match name {
            "disable" => Ok(TlsMode::Disable),
            "prefer" => Ok(TlsMode::Prefer),
            "require" => Ok(TlsMode::Require),
            "verify-full" => Ok(TlsMode::VerifyFull),
            _ => {
                let known = "`disable`, `prefer`, `require` or `verify-full`";
                let message = format!("expected {known} as sslmode, found `{name}`");
                Err(Error::new(Code::UnknownSource, message))
            }
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            TlsMode::Disable => "disable",
            TlsMode::Prefer => "prefer",
            TlsMode::Require => "require",
            TlsMode::VerifyFull => "verify-full",
        }
    }

    /// The mode for a host for which none was given: `verify-full`; on this machine `prefer`.
    pub(super) fn usual(host: &str) -> Self {
        match host {
            "localhost" | "127.0.0.1" | "::1" => TlsMode::Prefer,
            _ => TlsMode::VerifyFull,
        }
    }

    pub(super) fn ssl_mode(self) -> SslMode {
        match self {
            TlsMode::Disable => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyFull => SslMode::Require,
        }
    }
}

/// What can be said about a connection beside its address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// How it is secured; `None` means `verify-full`, and `prefer` to this machine. Unix sockets
    /// need no TLS.
    pub tls: Option<TlsMode>,
    /// Certificates of the authorities to trust, PEM; `None` means those of the web.
    pub root_file: Option<PathBuf>,
    /// After how many seconds a connection that is not made is given up; `None` means 15.
    pub connect_timeout_seconds: Option<u32>,
    /// After how many seconds the server gives a query up; `None` leaves that to the server.
    pub statement_timeout_seconds: Option<u32>,
}

impl Options {
    /// Those among the parameters of an address; relative paths begin at `base`.
    pub(in super::super) fn read(
        mut take: impl FnMut(&str) -> Option<String>,
        base: &Path,
    ) -> Result<Self> {
        let seconds = |name: &str, text: String| match text.parse::<u32>() {
            Ok(seconds) if seconds > 0 => Ok(seconds),
            _ => {
                let message = format!("expected whole seconds as {name}, found `{text}`");
                Err(Error::new(Code::UnknownSource, message))
            }
        };
        let statement = take(TIMEOUT).or_else(|| take(LONG_TIMEOUT));
        Ok(Options {
            tls: take(SSL_MODE).map(|name| TlsMode::of(&name)).transpose()?,
            root_file: take(ROOT_FILE).map(|path| base.join(path)),
            connect_timeout_seconds: take(CONNECT)
                .map(|text| seconds(CONNECT, text))
                .transpose()?,
            statement_timeout_seconds: statement.map(|text| seconds(TIMEOUT, text)).transpose()?,
        })
    }

    /// What is said here, else there.
    pub(in super::super) fn or(self, other: Self) -> Self {
        Options {
            tls: self.tls.or(other.tls),
            root_file: self.root_file.or(other.root_file),
            connect_timeout_seconds: self.connect_timeout_seconds.or(other.connect_timeout_seconds),
            statement_timeout_seconds: self
                .statement_timeout_seconds
                .or(other.statement_timeout_seconds),
        }
    }

    /// The parameters of an address that say the same.
    pub(in super::super) fn params(&self) -> Vec<(&'static str, String)> {
        let tls = self.tls.map(|mode| (SSL_MODE, mode.name().to_owned()));
        let root_file = self.root_file.as_ref().map(|path| (ROOT_FILE, path.display().to_string()));
        let connect = self.connect_timeout_seconds.map(|n| (CONNECT, n.to_string()));
        let timeout = self.statement_timeout_seconds.map(|n| (TIMEOUT, n.to_string()));
        [tls, root_file, connect, timeout].into_iter().flatten().collect()
    }
}

const SSL_MODE: &str = "sslmode";
const ROOT_FILE: &str = "sslrootcert";
const CONNECT: &str = "connect_timeout";
const TIMEOUT: &str = "statement_timeout";
/// What it was called first.
const LONG_TIMEOUT: &str = "statement_timeout_seconds";

/// What makes TLS connections in that mode.
pub(super) fn connector(mode: TlsMode, root_file: Option<&Path>) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let failed = |error: rustls::Error| Error::new(Code::Server, format!("TLS: {error}"));
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(failed)?;
    let config = match mode {
        TlsMode::VerifyFull => {
            builder.with_root_certificates(roots(root_file)?).with_no_client_auth()
        }
        _ => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
            .with_no_client_auth(),
    };
    Ok(MakeRustlsConnect::new(config))
}

fn roots(root_file: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let Some(path) = root_file else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        return Ok(roots);
    };
    let wrong = |error: &dyn std::fmt::Display| {
        let message = format!("`{}`: expected certificates in PEM: {error}", path.display());
        Error::new(Code::Io, message)
    };
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    match roots.is_empty() {
        true => Err(wrong(&"found none")),
        false => Ok(roots),
    }
}

/// Takes any certificate, as `prefer` and `require` say; signatures are still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
