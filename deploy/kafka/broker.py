"""Start one real Apache Kafka broker without Docker: `make kafka`.

    python deploy/kafka/broker.py --port 9092

Needs Java 17, and Maven for the first run, which fetches the jars named in pom.xml (45 MB) into
`.kafka/libs`. Data lies in a temporary directory and is gone when the broker stops. The first line
printed says where the broker answers, e.g. `bootstrap=127.0.0.1:9092 pid=4711`; the program then
waits for Ctrl-C or SIGTERM, with `--until-eof` also for the end of its input, so that a broker
never outlives the program that started it.
"""
# ruff: noqa: INP001, S603 (a program, no package; it runs java and mvn, with no input of others)

from __future__ import annotations

import argparse
import base64
import contextlib
import shutil
import signal
import socket
import string
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from types import FrameType

HERE = Path(__file__).resolve().parent
LIBS = HERE.parent.parent / ".kafka" / "libs"
# ApiVersions version 0, correlation id 1, client "driftline": every broker answers it unasked.
API_VERSIONS = struct.pack(">hhih9s", 18, 0, 1, 9, b"driftline")


class BrokerError(Exception):
    """The broker cannot be started; the message says why and what to do."""


def missing() -> str | None:
    """Say what this machine lacks to start a broker, None when it lacks nothing."""
    if shutil.which("java") is None:
        return "java is not installed: Apache Kafka needs Java 17 or newer"
    if not any(LIBS.glob("kafka_*.jar")) and shutil.which("mvn") is None:
        return "mvn is not installed: Maven fetches the jars of Apache Kafka"
    return None


def fetch_jars() -> None:
    """Fetch the jars that pom.xml names, unless they are there.

    Raises:
        BrokerError: Java or Maven is missing, or Maven failed.
    """
    lack = missing()
    if lack is not None:
        raise BrokerError(lack)
    if any(LIBS.glob("kafka_*.jar")):
        return
    LIBS.parent.mkdir(parents=True, exist_ok=True)
    # Into a new directory first: two first runs at once, or one that was cut short, do no harm.
    with tempfile.TemporaryDirectory(dir=LIBS.parent) as half:
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        done = subprocess.run(
            [*command, "-DincludeScope=runtime", f"-DoutputDirectory={half}/libs"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise BrokerError(f"Maven could not fetch the jars of Apache Kafka:\n{done.stdout}")
        # When the other run was first, its libs are as good as ours.
        with contextlib.suppress(OSError):
            Path(half, "libs").rename(LIBS)


def free_port() -> int:
    """Return a TCP port that nobody listens on at this moment."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def answers(port: int) -> bool:
    """Whether a broker answers on a plain-text port of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
            sock.sendall(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
            reply = sock.recv(8)
    except OSError:
        return False
    return len(reply) == 8 and struct.unpack(">ii", reply)[1] == 1


def in_use(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except TimeoutError:
        return True  # somebody who does not answer
    except OSError:
        return False
    return True


class Broker:
    """One broker process.

    Args:
        directory: Holds its data, configuration and log; emptied by nobody but the caller.
        port: Plain-text port, 0 for any free one.
        tls: Directory with `broker.pem` (private key and certificates) for a second listener,
            SASL_SSL with SCRAM-SHA-512 on a free port.
        scram: Name and password of the user that may log in there.
    """

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        tls: Path | None = None,
        scram: tuple[str, str] | None = None,
    ) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.sasl_port = free_port() if tls else None
        self.process: subprocess.Popen[bytes] | None = None
        self._scram = scram
        self._config = directory / "server.properties"
        template = string.Template((HERE / "server.properties").read_text())
        text = template.substitute(
            port=self.port, controller=free_port(), data=str(directory / "data")
        )
        if tls is not None:
            text = self._with_tls(text, tls)
        self._config.write_text(text)

    def _with_tls(self, text: str, tls: Path) -> str:
        lines = []
        for line in text.splitlines():
            key = line.partition("=")[0]
            if key in ("listeners", "advertised.listeners"):
                line += f",SASL://127.0.0.1:{self.sasl_port}"
            elif key == "listener.security.protocol.map":
                line += ",SASL:SASL_SSL"
            lines.append(line)
        login = "org.apache.kafka.common.security.scram.ScramLoginModule"
        listener = "listener.name.sasl"
        lines += [
            f"{listener}.sasl.enabled.mechanisms=SCRAM-SHA-512",
            f"{listener}.scram-sha-512.sasl.jaas.config={login} required;",
            f"{listener}.ssl.keystore.type=PEM",
            f"{listener}.ssl.keystore.location={tls / 'broker.pem'}",
            f"{listener}.ssl.client.auth=none",
        ]
        return "\n".join(lines) + "\n"

    def start(self, timeout: float = 60.0) -> None:
        """Format the data directory if it is new, start, and return when the broker answers.

        Raises:
            BrokerError: Somebody else listens on its port, it ended, or it did not answer within
                `timeout` seconds.
        """
        if in_use(self.port):
            raise BrokerError(
                f"port {self.port} is in use by another program: stop that, or give --port"
            )
        fetch_jars()
        log = (self.directory / "broker.log").open("ab")
        with log:
            if not (self.directory / "data").exists():
                self._format(log.fileno())
            self.process = subprocess.Popen(
                [*self._java("768m"), "kafka.Kafka", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                # Ctrl-C at the terminal is for this program, which stops the broker in its turn.
                start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while not answers(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise BrokerError(f"the broker did not start:\n{self._last_lines()}")
            time.sleep(0.1)

    def _format(self, log: int) -> None:
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [*self._java("256m"), "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        command += ["--cluster-id=" + cluster, "--config", str(self._config)]
        if self._scram is not None:
            name, password = self._scram
            command += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
        if subprocess.run(command, stdout=log, stderr=log, check=False).returncode != 0:
            raise BrokerError(f"the data directory cannot be formatted:\n{self._last_lines()}")

    def _java(self, heap: str) -> list[str]:
        command = ["java", "-Xms128m", f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        command.append(f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}")
        return [*command, "-cp", f"{LIBS}/*"]

    def _last_lines(self) -> str:
        text = (self.directory / "broker.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-20:])

    def stop(self, timeout: float = 30.0) -> None:
        """Stop in good order, by force when that takes longer than `timeout` seconds."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def kill(self) -> None:
        """Stop at once, like a power cut."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def wait_for_eof(end: threading.Event) -> None:
    """Set `end` when whoever holds the other end of our input is gone."""
    sys.stdin.buffer.read()
    end.set()


def main() -> int:
    """Run one broker until it is told to stop."""
    parser = argparse.ArgumentParser(description="Start one Apache Kafka broker for development.")
    parser.add_argument("--port", type=int, default=9092, help="plain-text port, 0: any (9092)")
    parser.add_argument("--tls", type=Path, help="directory with broker.pem: adds SASL_SSL")
    parser.add_argument("--scram", help="NAME:PASSWORD that may log in over SASL_SSL")
    parser.add_argument("--until-eof", action="store_true", help="stop at the end of the input")
    options = parser.parse_args()
    end = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        end.set()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    name, _, password = (options.scram or "").partition(":")
    with tempfile.TemporaryDirectory(prefix="driftline-kafka-") as directory:
        tls = options.tls.resolve() if options.tls else None
        broker = Broker(Path(directory), options.port, tls, (name, password) if name else None)
        try:
            broker.start()
            if broker.process is None:
                raise BrokerError("the broker was stopped while it started")
            sasl = f" sasl=127.0.0.1:{broker.sasl_port}" if broker.sasl_port else ""
            where = f"bootstrap=127.0.0.1:{broker.port}{sasl} pid={broker.process.pid}"
            sys.stdout.write(where + "\n")
            sys.stdout.flush()
            if options.until_eof:
                threading.Thread(target=wait_for_eof, args=(end,), daemon=True).start()
            while not end.wait(1.0):
                if broker.process is not None and broker.process.poll() is not None:
                    raise BrokerError("the broker has ended by itself")
        except BrokerError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        finally:
            broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
