//! What e-mail and HTTP share about TLS.

use std::io;

/// Whether a handshake ended because of the server's certificate: an operator has to mend that, waiting does not help.
pub(super) fn is_certificate_fault(why: &io::Error) -> bool {
    let inner = why.get_ref().and_then(|inner| inner.downcast_ref());
    inner.is_some_and(is_about_certificate)
}

/// As [`is_certificate_fault`], for the bare error.
pub(super) fn is_about_certificate(why: &rustls::Error) -> bool {
    matches!(
        why,
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented
    )
}
