//! The certificate that the endpoint makes for itself at each start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SanType, date_time_ymd,
};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::NoServerSessionStorage;
use tokio_rustls::rustls::{self, ServerConfig};

/// For how many years a certificate is valid. It is made anew at each start, and cannot be renewed while
/// the endpoint runs.
const VALID_YEARS: i32 = 10;

/// Characters in a line of a certificate's text.
const LINE: usize = 64;

/// A certificate for the endpoint, and the authority that clients check it with.
pub(super) struct ServerCertificate {
    /// The authority's certificate, in PEM. Its key is forgotten: it signs nothing else.
    pub(super) authority: String,
    /// TLS 1.2 and 1.3 with the certificate.
    pub(super) tls: Arc<ServerConfig>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// It cannot be made.
    #[error("cannot make a certificate: {0}")]
    Making(#[from] rcgen::Error),
    /// TLS does not take it.
    #[error("cannot use the certificate: {0}")]
    Tls(#[from] rustls::Error),
}

impl ServerCertificate {
    /// Makes one for these addresses, for `localhost` and for its addresses.
    pub(super) fn make(addresses: &[IpAddr]) -> Result<Self, CertificateError> {
        let authority = CertifiedIssuer::self_signed(authority(), KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let server = server(addresses)?.signed_by(&key, &authority)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth();
        let mut tls = tls.with_single_cert(vec![server.der().clone()], key)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        // kubectl is a new process each time: there is nothing to resume.
        tls.session_storage = Arc::new(NoServerSessionStorage {});
        tls.send_tls13_tickets = 0;
        Ok(Self { authority: pem(authority.der()), tls: Arc::new(tls) })
    }
}

/// A certificate in the text form of RFC 7468.
fn pem(certificate: &[u8]) -> String {
    let mut text = STANDARD.encode(certificate);
    for end in (LINE..text.len()).step_by(LINE).rev() {
        text.insert(end, '\n');
    }
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

fn authority() -> CertificateParams {
    let mut params = dated(CertificateParams::default());
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.distinguished_name.push(DnType::CommonName, "pfsnoop serve, authority");
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params
}

fn server(addresses: &[IpAddr]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = dated(CertificateParams::new(["localhost".to_owned()])?);
    let mut all = vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    all.extend(addresses);
    all.sort_unstable();
    all.dedup();
    params.subject_alt_names.extend(all.into_iter().map(SanType::IpAddress));
    params.distinguished_name.push(DnType::CommonName, "pfsnoop serve");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

/// Valid since last year, so that a client's clock may be wrong by hours.
fn dated(mut params: CertificateParams) -> CertificateParams {
    let year = i32::from(Timestamp::now().to_zoned(TimeZone::UTC).year()).clamp(1971, 9000);
    params.not_before = date_time_ymd(year - 1, 1, 1);
    params.not_after = date_time_ymd(year + VALID_YEARS, 1, 1);
    params
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_a_certificate_of_its_own() {
        let make = || ServerCertificate::make(&["10.0.0.7".parse().unwrap()]).unwrap();
        let (one, other) = (make(), make());
        let lines: Vec<&str> = one.authority.lines().collect();
        assert_eq!(lines[0], "-----BEGIN CERTIFICATE-----");
        assert!(lines[1].len() == LINE && lines.iter().all(|line| line.len() <= LINE));
        assert_ne!(one.authority, other.authority);
    }

    #[test]
    fn names_are_the_listening_addresses_and_localhost() {
        let addresses = ["10.0.0.7", "127.0.0.1"].map(|ip| ip.parse().unwrap());
        let names = server(&addresses).unwrap().subject_alt_names;
        let addresses: Vec<String> = names
            .iter()
            .filter_map(|name| match name {
                SanType::IpAddress(address) => Some(address.to_string()),
                _ => None,
            })
            .collect();
        assert_eq!(addresses, ["10.0.0.7", "127.0.0.1", "::1"]);
        assert_eq!(names.len(), 4, "localhost by name");
    }
}
