"""`deploy/kafka/broker.py` as a program, as far as it needs no broker."""

from __future__ import annotations

import socket
import subprocess
import sys

from tests.kafka.broker import PROGRAM


def test_a_port_where_somebody_else_listens_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = [sys.executable, str(PROGRAM), "--port", str(port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    said = f"port {port} is in use by another program: stop that, or give --port\n"
    assert done.stderr == said
