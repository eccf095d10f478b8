"""Can a broker be reached, and does it let us in? Asked with plain sockets: they know why not.

The client answers every failure of name, network, TLS and login with the same `Unable to
bootstrap`. So each bootstrap address is resolved, connected, greeted with TLS, asked for its
ApiVersions and for the ways to log in that it offers, and logged in to. What cannot be reached is
an outage and passes; what answers with a refusal needs an operator.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.errors import LogError, Unreachable
from driftline.consumer.log.kafka_python.identity import secret

_API_VERSIONS, _SASL_HANDSHAKE, _SASL_AUTHENTICATE = (18, 0), (17, 1), (36, 0)  # and version
# The protocol's error codes.
_UNSUPPORTED_MECHANISM, _ILLEGAL_STATE, _AUTHENTICATION_FAILED = 33, 34, 58
_LONGEST_REPLY = 1024 * 1024
_TLS_ALERT = 0x15
_EXPIRED, _NOT_YET_VALID, _WRONG_HOST = 10, 9, (62, 64)  # OpenSSL's codes

_ALERT_COMES = 1.0  # seconds in which a server says what it has against our certificate

_STRANGER = "what listens there is not a Kafka broker"
_PLAIN_TEXT = "this listener does not speak TLS: remove kafka.tls, or use its TLS port"
_TLS = "this listener speaks TLS: set kafka.tls ({} trusts the system's authorities)"
_HUNG_UP = "it hung up at once: if this listener speaks TLS, set kafka.tls"
_HUNG_UP_ON_TLS = "it hung up at once: if this listener does not speak TLS, remove kafka.tls"
_CERTIFICATE = (
    "the broker wants a client certificate, or another one: set kafka.tls.cert_file and"
    " kafka.tls.key_file"
)


class Login(NamedTuple):
    """How to log in.

    Attributes:
        mechanism: The SASL mechanism's name.
        user: For sentences.
        start: Begins one attempt: the client's object for the mechanism.
    """

    mechanism: str
    user: str
    start: Callable[[], Any]


class _ProblemError(Exception):
    """It cannot be reached, or nobody knows why it hung up: it may be better later."""


class _StrangerError(_ProblemError):
    """Something else listens there."""


class _RefusalError(_ProblemError):
    """The broker has answered, and does not let us in."""


def login(config: KafkaConfig) -> Login | None:
    """Return how to log in as the client does, None without a login.

    Raises:
        LogError: The login has no password.
    """
    sasl = config.sasl
    if sasl is None:
        return None
    if sasl.mechanism != "OAUTHBEARER":
        secret(sasl)

    def start() -> Any:
        # Only here: a broker that nobody reaches asks for no login.
        from driftline.consumer.log.kafka_python.options import start_login

        return start_login(sasl)

    return Login(sasl.mechanism, sasl.username or "the token", start)


def preflight(
    addresses: Sequence[str], context: ssl.SSLContext | None, login: Login | None, timeout: float
) -> None:
    """Return when the first of `addresses` has answered as a Kafka broker that we can use.

    All are asked at once, each in a thread of its own: looking up a name cannot be interrupted.

    Args:
        addresses: Each `host:port`; the port is 9092 when left out.
        context: For TLS; None for plain text.
        login: How to log in; None does not.
        timeout: Seconds for all of them together.

    Raises:
        LogError: A broker refuses us, or all that listens is none; the sentence names each address
            and the cause.
        Unreachable: No broker answers.
    """
    answers: queue.Queue[tuple[str, _ProblemError | None]] = queue.Queue()

    def ask(address: str) -> None:
        answers.put((address, _problem(address, context, login, timeout)))

    for address in addresses:
        threading.Thread(target=ask, args=(address,), daemon=True).start()
    deadline = time.monotonic() + timeout
    problems = dict.fromkeys(addresses, _ProblemError(f"no answer within {timeout:g} s"))
    for _ in addresses:
        try:
            address, problem = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        if problem is None:
            return
        problems[address] = problem
    text = "; ".join(f"{address}: {problem}" for address, problem in problems.items())
    found = problems.values()
    if any(isinstance(problem, _RefusalError) for problem in found) or all(
        isinstance(problem, _StrangerError) for problem in found
    ):
        raise LogError(text)
    raise Unreachable(text)


def split_address(address: str) -> tuple[str, int]:
    """Split `host:port`; an IPv6 host stands in brackets.

    >>> split_address("kafka-1:9093"), split_address("kafka-1"), split_address("[::1]:9092")
    (('kafka-1', 9093), ('kafka-1', 9092), ('::1', 9092))
    """
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, int(rest[1:] or 9092)
    host, _, port = address.partition(":")
    return host, int(port or 9092)


def _problem(
    address: str, context: ssl.SSLContext | None, login: Login | None, timeout: float
) -> _ProblemError | None:
    """Why no broker at `address` lets us in, None when one does."""
    host, port = split_address(address)
    try:
        with socket.create_connection((host, port), timeout=timeout) as sock:
            if context is None:
                _ask(sock, login)
            else:
                with context.wrap_socket(sock, server_hostname=host) as secure:
                    _ask(secure, login)
    except _ProblemError as error:
        return error
    except LogError as error:  # the login's own files
        return _RefusalError(str(error))
    except socket.gaierror:
        return _ProblemError(f"unknown host {host}, check kafka.bootstrap_servers")
    except ConnectionRefusedError:
        return _ProblemError("connection refused: no broker listens there")
    except ssl.SSLCertVerificationError as error:
        return _RefusalError(_certificate_problem(error, host))
    except TimeoutError:
        return _ProblemError(f"no answer within {timeout:g} s")
    except (ConnectionError, ssl.SSLEOFError):
        return _why_hung_up(host, port, context, timeout)
    except ssl.SSLError as error:
        return _RefusalError(_tls_problem(error))
    except OSError as error:
        return _ProblemError(f"cannot be reached: {error.strerror or error}")
    return None


def _why_hung_up(
    host: str, port: int, context: ssl.SSLContext | None, timeout: float
) -> _ProblemError:
    """Ask in the other way, TLS or plain text, whether that was the cause.

    A balancer whose brokers are all away hangs up as well.
    """
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    other.check_hostname, other.verify_mode = False, ssl.CERT_NONE  # nothing is trusted to it
    try:
        if context is None:
            with (
                socket.create_connection((host, port), timeout=timeout) as sock,
                other.wrap_socket(sock),
            ):
                return _RefusalError(_TLS)
        with socket.create_connection((host, port), timeout=timeout) as sock:
            _exchange(sock, _API_VERSIONS, b"")
            return _RefusalError(_PLAIN_TEXT)
    except (_ProblemError, OSError):
        return (
            _ProblemError(_HUNG_UP)
            if context is None
            else _certificate_wanted(host, port, context, timeout)
        )


def _certificate_wanted(
    host: str, port: int, context: ssl.SSLContext, timeout: float
) -> _ProblemError:
    """Listen, after the handshake, for what the server has against our certificate.

    With TLS 1.3 it looks at that after we think that all is well, and what we send meanwhile can
    make its alert get lost.
    """
    try:
        with (
            socket.create_connection((host, port), timeout=timeout) as sock,
            context.wrap_socket(sock, server_hostname=host) as secure,
        ):
            secure.settimeout(_ALERT_COMES)
            with contextlib.suppress(TimeoutError, ConnectionError, ssl.SSLEOFError):
                secure.recv(1)
            return _ProblemError(f"it hung up after the TLS handshake; maybe {_CERTIFICATE}")
    except ssl.SSLEOFError:
        return _ProblemError(_HUNG_UP_ON_TLS)
    except ssl.SSLError as error:
        return _RefusalError(_tls_problem(error))
    except OSError:
        return _ProblemError(_HUNG_UP_ON_TLS)


def _ask(sock: socket.socket, login: Login | None) -> None:
    _exchange(sock, _API_VERSIONS, b"")
    # With no mechanism to offer, an empty one: a listener without logins answers that it has none.
    name = "" if login is None else login.mechanism
    try:
        reply = _exchange(sock, _SASL_HANDSHAKE, struct.pack(">h", len(name)) + name.encode())
    except ConnectionError:
        return  # not every broker knows the request; the client's own attempt will tell
    (code,) = struct.unpack_from(">h", reply)
    if code == _UNSUPPORTED_MECHANISM:
        offered = ", ".join(_texts(reply[2:]))
        if login is None:
            raise _RefusalError(f"the broker wants a login: set kafka.sasl (mechanism: {offered})")
        raise _RefusalError(f"the broker does not offer kafka.sasl.mechanism {name}, but {offered}")
    if login is None:
        return
    if code == _ILLEGAL_STATE:
        raise _RefusalError("this listener takes no login: remove kafka.sasl, or use its SASL port")
    _log_in(sock, login)


def _log_in(sock: socket.socket, login: Login) -> None:
    attempt = login.start()
    refused = f"the broker refused the login of {login.user}"
    while not attempt.is_done():
        token = attempt.auth_bytes()
        reply = _exchange(sock, _SASL_AUTHENTICATE, struct.pack(">i", len(token)) + token)
        (code,) = struct.unpack_from(">h", reply)
        if code == _AUTHENTICATION_FAILED:
            raise _RefusalError(f"{refused}: check kafka.sasl.username and the password")
        if code != 0:
            raise _ProblemError(f"the login ended with the broker's error {code}")
        (size,) = struct.unpack_from(">h", reply, 2)  # of the error's message: -1, there is none
        try:
            attempt.receive(reply[4 + max(size, 0) + 4 :])
        except (ValueError, KeyError) as error:
            raise _RefusalError(f"{refused}, or is not the one it says it is: {error}") from None


def _exchange(sock: socket.socket, request: tuple[int, int], body: bytes) -> bytes:
    """Send one request (correlation id 1, client "driftline"), return the body of the reply."""
    frame = struct.pack(">hhih9s", *request, 1, 9, b"driftline") + body
    sock.sendall(struct.pack(">i", len(frame)) + frame)
    head = _receive(sock, 4)
    if head[0] == _TLS_ALERT:
        raise _RefusalError(_TLS)
    (size,) = struct.unpack(">i", head)
    if not 4 < size < _LONGEST_REPLY:
        raise _StrangerError(_STRANGER)
    reply = _receive(sock, size)
    if reply[:4] != b"\0\0\0\1":
        raise _StrangerError(_STRANGER)
    return reply[4:]


def _receive(sock: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = sock.recv(size - len(received))
        if not part:
            raise ConnectionResetError
        received += part
    return received


def _texts(array: bytes) -> list[str]:
    r"""Read an array of strings as Kafka packs it.

    >>> _texts(b"\0\0\0\1\0\5PLAIN")
    ['PLAIN']
    """
    (count,) = struct.unpack_from(">i", array)
    texts, at = [], 4
    for _ in range(count):
        (size,) = struct.unpack_from(">h", array, at)
        texts.append(array[at + 2 : at + 2 + size].decode(errors="replace"))
        at += 2 + size
    return texts


def _certificate_problem(error: ssl.SSLCertVerificationError, host: str) -> str:
    if error.verify_code == _EXPIRED:
        return "the broker's certificate has expired"
    if error.verify_code == _NOT_YET_VALID:
        return "the broker's certificate is not valid yet: check the clocks"
    if error.verify_code in _WRONG_HOST:
        return f"the broker's certificate is not for the host name {host}"
    return (
        "the broker's certificate is not signed by an authority that kafka.tls.ca_file names"
        f" ({error.verify_message})"
    )


def _tls_problem(error: ssl.SSLError) -> str:
    reason = error.reason or str(error)
    if "CERTIFICATE_REQUIRED" in reason or "ALERT_BAD_CERTIFICATE" in reason:
        return _CERTIFICATE
    if "HANDSHAKE_FAILURE" in reason:
        return f"it refused the TLS handshake; maybe {_CERTIFICATE}"
    if any(word in reason for word in ("WRONG_VERSION_NUMBER", "RECORD_LAYER")):
        return _PLAIN_TEXT
    return f"TLS failed: {reason}"
