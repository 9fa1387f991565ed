"""Certificates of the grid: a certificate authority of its own and one server certificate."""
from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from supergrid.state import write_atomic


def belong_together(folder: Path) -> bool:
    """Whether ca.crt, server.crt and server.key are there, whole, and made for each other. A kill or a full disk
    leaves some of them."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        ca, server = (x509.load_pem_x509_certificate((folder / n).read_bytes()) for n in ("ca.crt", "server.crt"))
        key = load_pem_private_key((folder / "server.key").read_bytes(), None)
        server.verify_directly_issued_by(ca)
        return key.public_key() == server.public_key()
    except Exception:
        return False


def make_certificates(folder: Path, hosts: list[str]) -> None:
    """ca.crt, server.crt, server.key (and ca.key); kept if they are good."""
    if belong_together(folder):
        return
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.timezone.utc)

    def build(common_name, key, issuer, issuer_key, *extensions):
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
        builder = (x509.CertificateBuilder().subject_name(name)
                   .issuer_name(issuer.subject if issuer else name)
                   .public_key(key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=730)))
        for ext, critical in extensions:
            builder = builder.add_extension(ext, critical)
        return builder.sign(issuer_key, hashes.SHA256())

    def usage(**on):
        names = ("digital_signature content_commitment key_encipherment data_encipherment "
                 "key_agreement key_cert_sign crl_sign encipher_only decipher_only").split()
        return x509.KeyUsage(**{n: on.get(n, False) for n in names}), True

    def san(host):
        try:
            return x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            return x509.DNSName(host)

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ski = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    ca = build("Rehearsal SuperGrid CA", ca_key, None, ca_key,
               (x509.BasicConstraints(ca=True, path_length=0), True),
               usage(key_cert_sign=True, crl_sign=True), (ski, False))
    leaf = build("Rehearsal SuperGrid", key, ca, ca_key,
                 (x509.SubjectAlternativeName([san(h) for h in dict.fromkeys(hosts)]), False),
                 (x509.BasicConstraints(ca=False, path_length=None), True),
                 usage(digital_signature=True),
                 (x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH]), False),
                 (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski), False))
    pem = serialization.Encoding.PEM
    for name, secret in (("ca.key", ca_key), ("server.key", key)):
        write_atomic(folder / name, secret.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    write_atomic(folder / "ca.crt", ca.public_bytes(pem))
    write_atomic(folder / "server.crt", leaf.public_bytes(pem))
