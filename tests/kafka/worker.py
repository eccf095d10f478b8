"""`driftline` as processes of its own: a verb that ends, and a worker that runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from tests.kafka.reader import wait_until

PROGRAM = [sys.executable, "-c", "from driftline.consumer.cli import main; main()"]


def driftline(
    *arguments: object, env: Mapping[str, str] | None = None, seconds: float = 60.0
) -> tuple[int, str, str]:
    """Run a verb to its end, for some seconds at most; return exit code, stdout and stderr."""
    done = subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **(env or {})},
        timeout=seconds,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


class Worker:
    """`driftline run`, which can be killed and started again; all starts write to one file.

    Args:
        config: the configuration file.
        output: what all its starts print.
        arguments: more of `driftline run`.
    """

    def __init__(self, config: Path, output: Path, *arguments: str) -> None:
        self._config = config
        self._arguments = arguments
        self._output = output
        self._begin = 0  # of the output of the latest start
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The number of its process, which runs."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; it is at work some time later."""
        with self._output.open("ab") as output:
            self._begin = output.tell()
            self._process = subprocess.Popen(
                [*PROGRAM, "run", "--config", str(self._config), *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self) -> None:
        """`kill -9`."""
        assert self._process is not None
        self._process.kill()
        assert self._process.wait(10) == -signal.SIGKILL, self.text()
        self._process = None

    def terminate(self) -> None:
        """Send SIGTERM."""
        assert self._process is not None
        self._process.terminate()

    def stop(self) -> float:
        """Send SIGTERM; return the seconds that it took to end, with exit code 0."""
        assert self._process is not None
        begin = time.monotonic()
        self.terminate()
        code = self._process.wait(20)
        self._process = None
        assert code == 0, self.text()
        return time.monotonic() - begin

    def ends_with(self, seconds: float = 30.0) -> int:
        """Wait until it ends by itself; return the exit code."""
        assert self._process is not None
        code = self._process.wait(seconds)
        self._process = None
        return code

    def ended(self) -> int | None:
        """Return the exit code if it has ended by itself, else None."""
        assert self._process is not None
        return self._process.poll()

    def close(self) -> None:
        """Leave no process behind, however the test ends."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def text(self) -> str:
        """Return all that all its starts have printed."""
        return self._output.read_text(encoding="utf-8")

    def log(self) -> list[dict[str, Any]]:
        """Return the lines that the latest start has logged."""
        written = self._output.read_bytes()[self._begin :]
        lines = written[: written.rfind(b"\n") + 1].splitlines()
        return [msgspec.json.decode(line, type=dict[str, Any]) for line in lines]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of the latest start about one event."""
        return [line for line in self.log() if line["event"] == event]

    def owned(self) -> dict[str, Any]:
        """Return what it owns now: `partitions` and `models`, of which there are few in a test."""
        lines = self.logged("ownership")
        owned = lines[-1] if lines else {"partitions": [], "models": []}
        assert not {"partitions_more", "models_more"} & owned.keys(), owned
        return owned

    def wait_until_ready(self) -> None:
        """Return when it owns partitions and has read again what was open in them."""
        wait_until(self._is_ready, "this worker is ready")

    def _is_ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.text()
        return bool(self.logged("start")) and self.get("/readyz")[0] == 200

    def get(self, path: str, port: int | None = None) -> tuple[int, str]:
        """Return status and text of a page of its HTTP server; `port`: before it has started."""
        address = f"127.0.0.1:{port}" if port else self.logged("start")[0]["http"]
        try:
            with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
