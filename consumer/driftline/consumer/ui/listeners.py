"""Who waits to be told that something changed: one listener for each open page.

A listener keeps no queue but the set of models that changed since it last looked; where these are
many, it is told that anything may have changed. So a slow browser costs no memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import msgspec

MOST_MODELS = 256
"""Models that one message names; beyond it any model may have changed."""
MOST_LISTENERS = 500
PAUSE = 0.25
"""Seconds in which changes are gathered to be sent at once."""


class Changed(msgspec.Struct, frozen=True):
    """A change of a model, or where it is None of any; `alerts`: whether of its alerts too."""

    model: str | None
    alerts: bool


class Listener:
    """What changed since one page last looked."""

    def __init__(self) -> None:
        self._changed: dict[str | None, bool] = {}
        self._woken = asyncio.Event()
        self._open = True

    @property
    def quiet(self) -> bool:
        """Whether nothing has changed since."""
        return not self._changed

    def note(self, changed: Changed) -> None:
        """Take note of a change."""
        alerts = self._changed.get(changed.model, False) or changed.alerts
        if changed.model not in self._changed and len(self._changed) >= MOST_MODELS:
            alerts = alerts or any(self._changed.values())
            self._changed = {None: alerts}
        else:
            self._changed[changed.model] = alerts
        self._woken.set()

    def end(self) -> None:
        """Let `changes` end."""
        self._open = False
        self._woken.set()

    async def changes(self, pause: float = PAUSE) -> AsyncIterator[Changed]:
        """Yield changes as they come, those of one `pause` (seconds) together."""
        while True:
            await self._woken.wait()
            if not self._open:
                return
            await asyncio.sleep(pause)
            self._woken.clear()
            found, self._changed = self._changed, {}
            if not self._open:
                return
            for model, alerts in found.items():
                yield Changed(model, alerts)


class Listeners:
    """All listeners. Changes are published from any thread, all else in the server's loop."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False

    @property
    def open(self) -> int:
        """How many listen."""
        return len(self._listeners)

    def listen(self) -> Listener | None:
        """Return a new listener, which `leave` ends; None where there are too many."""
        if len(self._listeners) >= MOST_LISTENERS or self._ended:
            return None
        self._loop = asyncio.get_running_loop()
        listener = Listener()
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        self._listeners.discard(listener)

    def publish(self, model: str | None, *, alerts: bool = False) -> None:
        """Tell all listeners that a model changed, or any model. From any thread."""
        changed = Changed(model, alerts)

        def note() -> None:
            for listener in self._listeners:
                listener.note(changed)

        self._run(note)

    def end(self) -> None:
        """End all listeners, and take no more. From any thread."""
        self._ended = True

        def end() -> None:
            for listener in self._listeners:
                listener.end()

        self._run(end)

    def _run(self, action: Callable[[], None]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(action)
