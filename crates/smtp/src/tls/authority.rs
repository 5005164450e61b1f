//! Certificates of a world: everything about them follows from names and times, so each world makes them anew.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use mxdrill_net::{DomainName, Epoch, Seed, Time};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ED25519, PublicKeyData, SanType, date_time_ymd,
};

use super::{Certificate, Flaw, certificate::Issuer};

/// How long before the drill certificates were issued.
const AGE: i64 = 30 * 86_400;
/// How long after the beginning of the drill an authority's own certificate holds.
const AUTHORITY_LIFE: i64 = 3650 * 86_400;
/// How long before the drill a certificate that was not renewed has expired.
const EXPIRED: i64 = 86_400;
/// RFC 8410 7: a PKCS #8 of an Ed25519 key, before its 32 octets.
const PKCS8_ED25519: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Somebody who issues certificates. The same name has the same key in every world: a zone may hold its digest.
#[derive(Debug)]
pub struct Authority {
    issuer: rcgen::Issuer<'static, KeyPair>,
    certificate: Certificate,
    epoch: Epoch,
}

/// What a certificate is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSpec {
    /// The DNS names that it is for; the first label may be `*`.
    pub names: Vec<String>,
    /// The last second in which it holds, counted from the beginning of the drill.
    pub not_after: Time,
}

/// A certificate with its private key.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The certificate.
    pub certificate: Arc<Certificate>,
    /// The private key, as PKCS #8 in DER.
    pub(super) private: Arc<[u8]>,
}

impl Authority {
    /// An authority, whose certificates count time from `epoch`.
    pub fn new(name: &str, epoch: Epoch) -> Authority {
        let (private, _) = key(name);
        let mut params = params(epoch, epoch.wall(Time::ZERO).as_second() + AUTHORITY_LIFE);
        params.distinguished_name = distinguished(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let own = params.self_signed(&private).expect("what is signed here is sound");
        let (der, public) = (Bytes::copy_from_slice(own.der()), public(&private));
        let certificate = Certificate {
            names: Box::default(),
            not_before: params.not_before.unix_timestamp(),
            not_after: params.not_after.unix_timestamp(),
            der: der.clone(),
            key: public.clone(),
            issuer: Issuer { der, key: public },
        };
        Authority { issuer: rcgen::Issuer::new(params, private), certificate, epoch }
    }

    /// Its own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Issues a certificate for the key that a host has in every world.
    pub fn issue(&self, host: &DomainName, spec: &CertificateSpec) -> Credentials {
        self.issue_for(host.as_str(), host, &spec.names, self.epoch.wall(spec.not_after).as_second())
    }

    /// The certificate of a host that has gone wrong: one for the same key that was not renewed, or that of another
    /// machine altogether.
    pub(super) fn flawed(&self, host: &DomainName, flaw: Flaw) -> Credentials {
        let start = self.epoch.wall(Time::ZERO).as_second();
        match flaw {
            Flaw::Expired => self.issue_for(host.as_str(), host, &[host.to_string()], start - EXPIRED),
            Flaw::WrongName => {
                let names = ["wrong-name.mxdrill.test".to_owned()];
                self.issue_for(&format!("wrong-name.{host}"), host, &names, start + AUTHORITY_LIFE)
            }
        }
    }

    fn issue_for(&self, key: &str, host: &DomainName, names: &[String], not_after: i64) -> Credentials {
        let (private, pkcs8) = self::key(key);
        let mut params = params(self.epoch, not_after);
        params.distinguished_name = distinguished(host.as_str());
        // a name that has no form in a certificate is left out: nobody can ask for it either
        let name = |name: &String| name.as_str().try_into().ok().map(SanType::DnsName);
        params.subject_alt_names = names.iter().filter_map(name).collect();
        let signed = params.signed_by(&private, &self.issuer).expect("what is signed here is sound");
        let certificate = Certificate {
            names: names.iter().map(|name| name.as_str().into()).collect(),
            not_before: params.not_before.unix_timestamp(),
            not_after: params.not_after.unix_timestamp(),
            der: Bytes::copy_from_slice(signed.der()),
            key: public(&private),
            issuer: Issuer { der: self.certificate.der.clone(), key: self.certificate.key.clone() },
        };
        Credentials { certificate: Arc::new(certificate), private: pkcs8.into() }
    }
}

/// A public key: its SubjectPublicKeyInfo in DER.
fn public(private: &KeyPair) -> Bytes {
    private.subject_public_key_info().into()
}

/// The key of a name: always the same, for nobody is to be kept out.
fn key(name: &str) -> (KeyPair, Vec<u8>) {
    let letters: Vec<u64> = name.bytes().map(u64::from).collect();
    let mut draw = Seed(0).draw("tls-key", &letters);
    let mut pkcs8 = PKCS8_ED25519.to_vec();
    (0..4).for_each(|_| pkcs8.extend_from_slice(&draw.next_u64().to_le_bytes()));
    let der = pkcs8.as_slice().into();
    let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519);
    (pair.expect("any 32 octets are an Ed25519 key (RFC 8032 5.1.5)"), pkcs8)
}

fn params(epoch: Epoch, not_after: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    let not_before = epoch.wall(Time::ZERO).as_second() - AGE;
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(not_before);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(not_after);
    params.use_authority_key_identifier_extension = true;
    params
}

/// Certificates know the years from 1950 to 9999 (RFC 5280 4.1.2.5); drills play in fewer.
fn since_1970(wall: i64) -> Duration {
    Duration::from_secs(u64::try_from(wall).unwrap_or(0).min(200_000_000_000))
}

fn distinguished(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
