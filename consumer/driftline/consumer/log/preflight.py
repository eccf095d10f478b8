"""Can a broker be reached at all? Asked with plain sockets, because they know why not.

The client answers every failure of name, network and TLS with the same `Unable to bootstrap`. So
each bootstrap address is resolved, connected, greeted with TLS, asked for its ApiVersions and for
the ways to log in that it offers: requests that a broker answers before any login.
"""

from __future__ import annotations

import queue
import socket
import ssl
import struct
import threading
import time
from collections.abc import Sequence

from driftline.consumer.log.errors import LogError

_API_VERSIONS, _SASL_HANDSHAKE = (18, 0), (17, 1)  # request and version
_UNSUPPORTED_MECHANISM, _ILLEGAL_STATE = 33, 34  # the protocol's error codes
_LONGEST_REPLY = 1024 * 1024
_TLS_ALERT = 0x15
_EXPIRED, _NOT_YET_VALID, _WRONG_HOST = 10, 9, (62, 64)  # OpenSSL's codes

_PLAIN_TEXT = "this listener does not speak TLS: remove kafka.tls, or use its TLS port"
_TLS = "this listener speaks TLS: set kafka.tls ({} trusts the system's authorities)"
_HUNG_UP = "it hung up at once: if this listener speaks TLS, set kafka.tls"
_CERTIFICATE = (
    "the broker wants a client certificate, or another one: set kafka.tls.cert_file and"
    " kafka.tls.key_file"
)


class _ProblemError(Exception):
    """Something answered, but not as a broker that we can use."""


def preflight(
    addresses: Sequence[str], context: ssl.SSLContext | None, mechanism: str | None, timeout: float
) -> None:
    """Return when the first of `addresses` has answered as a Kafka broker that we can use.

    All are asked at once, each in a thread of its own: looking up a name cannot be interrupted.

    Args:
        addresses: Each `host:port`; the port is 9092 when left out.
        context: For TLS; None speaks plain text.
        mechanism: SASL mechanism; None does not log in.
        timeout: Seconds for all of them together.

    Raises:
        LogError: None answered; the sentence names each address and the cause.
    """
    answers: queue.Queue[tuple[str, str | None]] = queue.Queue()

    def ask(address: str) -> None:
        answers.put((address, _problem(address, context, mechanism, timeout)))

    for address in addresses:
        threading.Thread(target=ask, args=(address,), daemon=True).start()
    deadline = time.monotonic() + timeout
    problems = dict.fromkeys(addresses, f"no answer within {timeout:g} s")
    for _ in addresses:
        try:
            address, problem = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            break
        if problem is None:
            return
        problems[address] = problem
    raise LogError("; ".join(f"{address}: {problem}" for address, problem in problems.items()))


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
    address: str, context: ssl.SSLContext | None, mechanism: str | None, timeout: float
) -> str | None:
    """Why no broker answers at `address`, None when one does."""
    host, port = split_address(address)
    try:
        with socket.create_connection((host, port), timeout=timeout) as sock:
            if context is None:
                _ask(sock, mechanism)
            else:
                _ask_behind_tls(sock, context, host, mechanism)
    except _ProblemError as error:
        return str(error)
    except socket.gaierror:
        return f"unknown host {host}, check kafka.bootstrap_servers"
    except ConnectionRefusedError:
        return "connection refused: no broker listens there"
    except ssl.SSLCertVerificationError as error:
        return _certificate_problem(error, host)
    except ssl.SSLError as error:
        return _tls_problem(error)
    except TimeoutError:
        return f"no answer within {timeout:g} s"
    except ConnectionError:
        return _HUNG_UP if context is None else _PLAIN_TEXT
    except OSError as error:
        return f"cannot be reached: {error.strerror or error}"
    return None


def _ask_behind_tls(
    sock: socket.socket, context: ssl.SSLContext, host: str, mechanism: str | None
) -> None:
    with context.wrap_socket(sock, server_hostname=host) as secure:
        try:
            _ask(secure, mechanism)
        except (ConnectionError, ssl.SSLEOFError):
            # With TLS 1.3 a server looks at our certificate after we think that all is well.
            raise _ProblemError(
                f"it hung up after the TLS handshake; maybe {_CERTIFICATE}"
            ) from None


def _ask(sock: socket.socket, mechanism: str | None) -> None:
    _exchange(sock, _API_VERSIONS, b"")
    # With no mechanism to offer, an empty one: a listener without logins answers that it has none.
    name = (mechanism or "").encode()
    try:
        reply = _exchange(sock, _SASL_HANDSHAKE, struct.pack(">h", len(name)) + name)
    except ConnectionError:
        return  # not every broker knows the request; the client's own attempt will tell
    (code,) = struct.unpack_from(">h", reply)
    if code == _UNSUPPORTED_MECHANISM:
        offered = ", ".join(_texts(reply[2:]))
        if mechanism is None:
            raise _ProblemError(f"the broker wants a login: set kafka.sasl (mechanism: {offered})")
        raise _ProblemError(
            f"the broker does not offer kafka.sasl.mechanism {mechanism}, but {offered}"
        )
    if code == _ILLEGAL_STATE and mechanism is not None:
        raise _ProblemError("this listener takes no login: remove kafka.sasl, or use its SASL port")


def _exchange(sock: socket.socket, request: tuple[int, int], body: bytes) -> bytes:
    """Send one request (correlation id 1, client "driftline"), return the body of the reply."""
    frame = struct.pack(">hhih9s", *request, 1, 9, b"driftline") + body
    sock.sendall(struct.pack(">i", len(frame)) + frame)
    head = _receive(sock, 4)
    if head[0] == _TLS_ALERT:
        raise _ProblemError(_TLS)
    (size,) = struct.unpack(">i", head)
    if not 4 < size < _LONGEST_REPLY:
        raise _ProblemError("what listens there is not a Kafka broker")
    reply = _receive(sock, size)
    if reply[:4] != b"\0\0\0\1":
        raise _ProblemError("what listens there is not a Kafka broker")
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
    if any(word in reason for word in ("WRONG_VERSION_NUMBER", "RECORD_LAYER", "EOF")):
        return _PLAIN_TEXT
    return f"TLS failed: {reason}"
