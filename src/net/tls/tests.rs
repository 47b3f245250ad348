//! The local authority and certificate files.

use std::path::Path;
use std::time::Duration;

use rustls::pki_types::ServerName;

use super::*;
use crate::base::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn start() -> Timestamp {
    Timestamp::from_secs(1_790_000_000)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

/// Whether a browser that trusts the authority's file takes the certificate.
fn trusts(authority: &LocalAuthority, certificate: &CertifiedKey, name: &str, now: Timestamp) -> bool {
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{CertificateDer, UnixTime, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority.file()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        rustls::client::WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs() as u64));
    let name = ServerName::try_from(name).unwrap();
    let (leaf, rest) = certificate.cert.split_first().unwrap();
    verifier.unwrap().verify_server_cert(leaf, rest, &name, &[], at).is_ok()
}

#[test]
fn the_local_certificate_is_good_for_localhost_and_named_hosts() {
    let data = tempfile::tempdir().unwrap();
    let authority = LocalAuthority::open(data.path(), start()).unwrap();
    let certificate = authority.certificate(&names(&["nas.local"]), start()).unwrap();
    for name in ["localhost", "127.0.0.1", "::1", "nas.local"] {
        assert!(trusts(&authority, &certificate, name, start()), "{name}");
    }
    assert!(!trusts(&authority, &certificate, "other.example", start()));
    let (from, until) = expiry(&certificate).unwrap();
    assert!(until.since(from) <= DAY * 398, "browsers refuse longer ones");
}

#[test]
fn a_second_start_serves_the_same_certificate() {
    let data = tempfile::tempdir().unwrap();
    let first = LocalAuthority::open(data.path(), start()).unwrap().certificate(&[], start()).unwrap();
    let later = start().plus(DAY * 100);
    let authority = LocalAuthority::open(data.path(), later).unwrap();
    let second = authority.certificate(&[], later).unwrap();
    assert_eq!(first.cert, second.cert);
}

#[test]
fn a_certificate_is_renewed_before_it_expires_by_the_same_authority() {
    let data = tempfile::tempdir().unwrap();
    let first = LocalAuthority::open(data.path(), start()).unwrap();
    let old = first.certificate(&[], start()).unwrap();
    let later = start().plus(DAY * 340);
    let authority = LocalAuthority::open(data.path(), later).unwrap();
    let new = authority.certificate(&[], later).unwrap();
    assert_ne!(old.cert, new.cert);
    assert!(trusts(&first, &new, "localhost", later));
}

#[test]
fn a_new_name_gets_a_new_certificate() {
    let data = tempfile::tempdir().unwrap();
    let authority = LocalAuthority::open(data.path(), start()).unwrap();
    let old = authority.certificate(&[], start()).unwrap();
    let new = authority.certificate(&names(&["nas.local"]), start()).unwrap();
    assert_ne!(old.cert, new.cert);
    let fewer = authority.certificate(&[], start()).unwrap();
    assert_eq!(new.cert, fewer.cert, "a certificate with more names still serves");
}

#[test]
fn damaged_certificates_are_made_anew_and_a_damaged_authority_is_explained() {
    let data = tempfile::tempdir().unwrap();
    let authority = LocalAuthority::open(data.path(), start()).unwrap();
    authority.certificate(&[], start()).unwrap();
    std::fs::write(data.path().join("tls/certificate.pem"), "rubbish").unwrap();
    assert!(authority.certificate(&[], start()).is_ok());
    std::fs::write(data.path().join("tls/authority.key"), "rubbish").unwrap();
    let problem = LocalAuthority::open(data.path(), start()).err().unwrap();
    assert!(problem.detail.contains("authority.key") && problem.hint.is_some());
}

#[cfg(unix)]
#[test]
fn keys_are_readable_by_the_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    LocalAuthority::open(data.path(), start()).unwrap().certificate(&[], start()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for file in ["tls/authority.key", "tls/certificate.key"] {
        assert_eq!(mode(&data.path().join(file)), 0o600, "{file}");
    }
    assert_eq!(mode(&data.path().join("tls")), 0o700);
}

#[test]
fn certificate_files_are_read_again_when_they_change() {
    let data = tempfile::tempdir().unwrap();
    let (chain, key) = (data.path().join("chain.pem"), data.path().join("key.pem"));
    let write = |name: &str| {
        let made = rcgen::generate_simple_self_signed(names(&[name])).unwrap();
        std::fs::write(&chain, made.cert.pem()).unwrap();
        std::fs::write(&key, made.key_pair.serialize_pem()).unwrap();
        made
    };
    write("a.example");
    let mut files = FileCertificate::new(&chain, &key);
    assert!(files.read_if_changed().unwrap().is_some());
    assert!(files.read_if_changed().unwrap().is_none());
    let second = write("b.example");
    // File systems may count time in seconds.
    let later = std::time::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    std::fs::File::options().write(true).open(&chain).unwrap().set_modified(later).unwrap();
    assert_eq!(files.read_if_changed().unwrap().unwrap().cert[0], *second.cert.der());
}

#[test]
fn unusable_certificate_files_are_explained() {
    let data = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = data.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let one = rcgen::generate_simple_self_signed(names(&["a.example"])).unwrap();
    let other = rcgen::KeyPair::generate().unwrap();
    let good = write("good.pem", &one.cert.pem());
    let good_key = write("good.key", &one.key_pair.serialize_pem());
    for (chain, key, expected) in [
        (data.path().join("none.pem"), good_key.clone(), "none.pem"),
        (write("empty.pem", ""), good_key.clone(), "no certificate"),
        (
            write("bad.pem", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"),
            good_key,
            "not a PEM",
        ),
        (good.clone(), write("empty.key", ""), "not a PEM private key"),
        (good, write("other.key", &other.serialize_pem()), "do not fit"),
    ] {
        let problem = FileCertificate::new(&chain, &key).read_if_changed().unwrap_err();
        assert!(problem.detail.contains(expected), "{problem}");
    }
}
