"""As whom we come: the id of a member, the login and the certificates, without the client."""

from __future__ import annotations

import socket
import ssl

from driftline.consumer.config import KafkaConfig, SaslConfig, TlsConfig
from driftline.consumer.config.client_options import INSTANCE_ID
from driftline.consumer.config.names import check_name
from driftline.consumer.config.secret_file import read_password
from driftline.consumer.log.errors import LogError


def instance_id(config: KafkaConfig) -> str | None:
    """Return the id by which the group knows this worker again after a restart, None without.

    Raises:
        LogError: The host's name cannot be one.
    """
    if not config.static_membership:
        text: str | None = config.options.get(INSTANCE_ID)
        return text
    host = socket.gethostname()
    try:
        return check_name(host, INSTANCE_ID)
    except ValueError as error:
        raise LogError(
            f"kafka.static_membership: this host is called {host!r}, {error}; or set"
            f" kafka.options.{INSTANCE_ID} instead"
        ) from None


def ssl_context(tls: TlsConfig) -> ssl.SSLContext:
    """Build the one TLS context: 1.2 or newer, certificate and host name checked.

    Raises:
        LogError: A file is missing or not in PEM format.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca_file)
    except (OSError, ValueError) as error:
        raise LogError(f"kafka.tls.ca_file {tls.ca_file} cannot be used: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Python 3.13 alone also wants key identifiers, which many private authorities do not write.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if tls.cert_file is not None:
        try:
            # Without a passphrase OpenSSL would ask for one, and wait at the terminal.
            context.load_cert_chain(tls.cert_file, tls.key_file, password="")
        except (OSError, ValueError) as error:
            raise LogError(f"kafka.tls.cert_file {tls.cert_file} cannot be used: {error}") from None
    return context


def token(sasl: SaslConfig) -> str:
    """Return the token as its file holds it now: whoever writes the file refreshes it.

    Raises:
        LogError: There is none, or the file cannot be read.
    """
    if sasl.password_file is None:
        return secret(sasl)
    path = sasl.password_file
    try:
        return read_password(path).strip()
    except OSError as error:
        text = f"kafka.sasl.password_file {path} cannot be read: {error.strerror}"
        raise LogError(text) from None


def secret(sasl: SaslConfig) -> str:
    """Return the password of a login.

    Raises:
        LogError: It has none.
    """
    if sasl.password is None:
        raise LogError("kafka.sasl has no password: set kafka.sasl.password_file")
    return sasl.password.get_secret_value()
