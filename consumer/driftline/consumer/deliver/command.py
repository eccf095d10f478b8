"""Run a command for each alert record, with its JSON on standard input: the retraining hook.

Exit code 0 means done, everything else failed. A command that takes too long is ended with all
that it has started (its process group): asked first, then killed. What it writes goes where
Driftline's own output goes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from driftline.consumer.deliver.dispatcher import Attempts, Counts, Dispatcher, forward
from driftline.consumer.deliver.errors import AlertsError, DeliveryError
from driftline.consumer.deliver.subscriber import AlertRecord, AlertSubscriber


class CommandRunner:
    """Runs one command, for several alerts at once.

    Args:
        command: the program and its arguments; no shell.
        timeout: seconds that a run may take.
        grace: seconds between asking a process group to end and killing it.

    Raises:
        AlertsError: there is no such program.
    """

    def __init__(self, command: Sequence[str], timeout: float, grace: float = 5.0) -> None:
        if not command:
            raise AlertsError("no command is given: driftline alerts exec -- CMD [ARGUMENT ...]")
        if shutil.which(command[0]) is None:
            raise AlertsError(f"{command[0]}: no such program, or it may not be executed")
        self._command = list(command)
        self._timeout = timeout
        self._grace = grace
        self._lock = threading.Lock()  # guards all below
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def __call__(self, record: AlertRecord) -> None:
        """Run the command once.

        Raises:
            DeliveryError: it failed, took too long, or could not be started.
        """
        process = self._start()
        try:
            process.communicate(record.value + b"\n", self._timeout)
        except subprocess.TimeoutExpired:
            self._end(process)
            raise DeliveryError(
                f"{self._command[0]} took longer than {self._timeout:g} s and was ended"
            ) from None
        finally:
            with contextlib.suppress(OSError):  # it never read its input
                if process.stdin is not None:
                    process.stdin.close()
            with self._lock:
                self._running.discard(process)
        if process.returncode < 0:
            raise DeliveryError(f"{self._command[0]} was ended by signal {-process.returncode}")
        if process.returncode > 0:
            raise DeliveryError(f"{self._command[0]} ended with exit code {process.returncode}")

    def close(self) -> None:
        """End what runs, and start nothing any more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            _signal(process, signal.SIGTERM)
        for process in running:
            self._end(process)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._closed:
                raise DeliveryError("stopping")
            try:
                process = subprocess.Popen(  # noqa: S603 - the operator's own command, no shell
                    self._command, stdin=subprocess.PIPE, start_new_session=True
                )
            except OSError as error:
                raise DeliveryError(f"{self._command[0]}: {error.strerror}") from None
            self._running.add(process)
            return process

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """End a process group; it may outlive its first process, so it is killed in any case."""
        _signal(process, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(self._grace)
        _signal(process, signal.SIGKILL)
        process.wait()


def send(
    subscriber: AlertSubscriber,
    command: Sequence[str],
    stop: threading.Event,
    timeout: float = 600.0,
    parallel: int = 4,
    attempts: Attempts | None = None,
    follow: bool = True,
) -> Counts:
    """Run a command for each record that a subscriber brings, until stopped.

    At least once, never two at a time for one alert. What runs when it is stopped is ended, and
    runs again at the next start if the subscriber keeps its position.

    Args:
        subscriber: which alerts, and where to begin.
        command: the program and its arguments.
        stop: set to end.
        timeout: seconds that a run may take.
        parallel: runs at once, each for another alert.
        attempts: how often to try.
        follow: go on when all that is there has been handled.

    Raises:
        AlertsError: there is no such program.
        LogError, WorkerLost: the topic cannot be read.
    """
    runner = CommandRunner(command, timeout)
    with ThreadPoolExecutor(parallel, "driftline-exec") as executor:
        dispatcher = Dispatcher(
            runner, executor, parallel, attempts or Attempts(), time.monotonic, subscriber.done
        )
        try:
            forward(subscriber.poll, dispatcher, stop.wait, stop.is_set, follow)
        finally:
            runner.close()
    return dispatcher.counts


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
