"""A broker for the tests: `deploy/kafka/broker.py` run as a program, and throw-away certificates.

The program ends when its input does, so a broker never outlives the tests, however they end.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "deploy" / "kafka" / "broker.py"
USER, PASSWORD = "alice", "correct-horse-battery"


@dataclass(frozen=True)
class Running:
    """Where a broker answers; `sasl` (SCRAM-SHA-512 over TLS) and `pid` only for our own."""

    bootstrap: str
    sasl: str | None = None
    pid: int | None = None


def lacking() -> str | None:
    """What this machine lacks to run a broker, None when it lacks nothing."""
    if shutil.which("java") is None:
        return "no java: install Java 17, or point DRIFTLINE_TEST_BOOTSTRAP at a broker"
    if shutil.which("mvn") is None and not any((ROOT / ".kafka/libs").glob("kafka_*.jar")):
        return "no mvn: install Maven, or point DRIFTLINE_TEST_BOOTSTRAP at a broker"
    return None


@contextmanager
def running(tls: Path) -> Iterator[Running]:
    """Run one broker until the end of the block."""
    command = [sys.executable, str(PROGRAM), "--port", "0", "--until-eof"]
    command += ["--tls", str(tls), "--scram", f"{USER}:{PASSWORD}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stdin is not None
        line = program.stdout.readline()
        if not line:
            raise RuntimeError(program.stderr.read())
        told = dict(horizon.split("=", 1) for horizon in line.split())
        yield Running(told["bootstrap"], told["sasl"], int(told["pid"]))
        program.stdin.close()
        program.wait(40)


def write_certificates(
    directory: Path, host: str = "127.0.0.1", valid: tuple[int, int] = (-1, 1)
) -> Path:
    """Write `ca.pem` and `broker.pem` (private key, certificate, CA) into `directory`.

    Args:
        directory: Made if it is not there.
        host: Name or address that the certificate is for.
        valid: From and until, in days from now.
    """
    directory.mkdir(parents=True, exist_ok=True)
    os.chmod(directory, 0o700)
    now = dt.datetime.now(dt.UTC)
    begin, end = (now + dt.timedelta(days=days) for days in valid)
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away CA")])
    ca_base = x509.CertificateBuilder().subject_name(ca_name).issuer_name(ca_name)
    ca_base = ca_base.public_key(ca_key.public_key()).serial_number(x509.random_serial_number())
    ca_base = ca_base.not_valid_before(now - dt.timedelta(days=90)).not_valid_after(
        now + dt.timedelta(days=90)
    )
    ca = ca_base.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
        ca_key, hashes.SHA256()
    )
    try:
        names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(host))]
    except ValueError:
        names = [x509.DNSName(host)]
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    base = x509.CertificateBuilder().subject_name(name).issuer_name(ca_name)
    base = base.public_key(key.public_key()).serial_number(x509.random_serial_number())
    base = base.not_valid_before(begin).not_valid_after(end)
    base = base.add_extension(x509.SubjectAlternativeName(names), critical=False)
    certificate = base.sign(ca_key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    pem = serialization.Encoding.PEM
    (directory / "ca.pem").write_bytes(ca.public_bytes(pem))
    (directory / "broker.pem").write_bytes(
        private + certificate.public_bytes(pem) + ca.public_bytes(pem)
    )
    return directory
