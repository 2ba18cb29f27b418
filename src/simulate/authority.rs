//! A certificate authority made on the spot, and a server certificate of it.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::io;
use std::sync::Arc;

/// An authority that nobody trusts until told to, with a server that has a certificate of it.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The authority's own certificate.
    pub der: Vec<u8>,
    /// The same as PEM, for `SSL_CERT_FILE`.
    pub pem: String,
    /// A server whose certificate is for `localhost` and `127.0.0.1`.
    pub server: Arc<ServerConfig>,
}

impl Authority {
    /// A new one, unlike any before.
    ///
    /// # Errors
    /// Only when the machine has no randomness.
    pub fn new() -> io::Result<Self> {
        let mut params = CertificateParams::new(Vec::<String>::new()).map_err(io::Error::other)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = format!("herald simulate {}", uuid::Uuid::new_v4());
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let authority = CertifiedIssuer::self_signed(params, key).map_err(io::Error::other)?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = CertificateParams::new(names).map_err(io::Error::other)?;
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let certificate = params
            .signed_by(&key, &authority)
            .map_err(io::Error::other)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                let chain = vec![certificate.der().clone()];
                builder.with_no_client_auth().with_single_cert(chain, key)
            })
            .map_err(io::Error::other)?;
        Ok(Self {
            der: authority.der().to_vec(),
            pem: authority.pem(),
            server: Arc::new(server),
        })
    }
}
