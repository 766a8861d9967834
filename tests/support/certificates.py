"""A certificate that a test's server can show, and a test's client can be told to trust."""

import datetime as dt
import ssl
from datetime import UTC, timedelta
from pathlib import Path

import pytest


def certificate_for(host: str, place: Path) -> Path:
    """Return a file below `place` with a self-signed certificate for the name `host`, and its key."""
    x509 = pytest.importorskip("cryptography.x509", reason="cryptography is not installed: pip install 'hubdata[sign]'")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = place / f"{host}.pem"
    path.write_bytes(plain + signed.public_bytes(pem))
    return path


def showing(certificate: Path) -> ssl.SSLContext:
    """Return what a server speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
