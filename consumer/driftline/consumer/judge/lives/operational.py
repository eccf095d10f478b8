"""Alerts on a whole model: it is silent, one partition holds it up, or its events were lost.

They speak of the run, not of the data, and are not part of the promise that a restart changes
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.lives.life import Life, Lives, WindowTimes
from driftline.consumer.judge.records import Cause, JudgedWindow, RecordWriter
from driftline.consumer.judge.sentence import Wording, amount
from driftline.consumer.wire.axis import duration, moment
from driftline.consumer.wire.clock import Clock
from driftline.consumer.wire.kinds import KINDS, Kind
from driftline.consumer.wire.messages import Loss
from driftline.consumer.wire.records import Alert

_HOUR = 3_600_000
_RECENT = 5  # windows


class OperationalAlerts:
    """Watches for silence, a held clock, and losses.

    Args:
        records: writes those of the whole model.
        config: its configuration.
        lives: the model's alert lives, shared with the judging of its streams.
        recent: events of the last windows judged, newest last.
    """

    def __init__(
        self, records: RecordWriter, config: ModelConfig, lives: Lives, recent: Sequence[int]
    ) -> None:
        self._records, self._model = records, records.model
        self._config, self._lives = config, lives
        self.recent = list(recent)
        self._held: tuple[tuple[str, int] | None, int | None, int] | None = None

    def stale(self, clock: Clock) -> Iterator[Alert]:
        """Yield the alert that the model is silent in all its partitions, or its end."""
        life = self._lives.get((self._model, "", "stale"))
        progress = clock.progress()
        if progress is None or self._config.stale_after is None:
            return
        if clock.stale() and life is None:
            rate = amount(self._usual() * _HOUR / self._config.window.length)
            silence = duration(self._config.stale_after)
            yield self._fire(
                "", "stale", progress, progress, f"stale_after: {silence}",
                f"no events since {moment(progress)} (more than {silence}); "
                f"normally {rate} an hour.",
            )  # fmt: skip
        elif life is not None and not clock.stale() and progress > life.since:
            yield self._resolve(life, progress, progress)

    def held(self, clock: Clock, now: int) -> list[Alert]:
        """Return the alert that one partition holds the clock for `stale_after` at `now` (ms)."""
        holder, at = clock.holding(), clock.now()
        out = []
        if self._held is None or self._held[:2] != (holder, at):
            self._held = (holder, at, now)
            for life in [x for x in self._lives.values() if x.kind == "stale" and x.feature]:
                out.append(self._resolve(life, at or life.since, at or life.since))
        limit = self._config.stale_after
        if holder is None or limit is None or now - self._held[2] < limit:
            return out
        topic, partition = holder
        place = f"{topic}[{partition}]"
        if (self._model, place, "stale") not in self._lives:
            reached = clock.sources[holder].horizon if holder in clock.sources else None
            since = reached if reached is not None else clock.progress() or 0
            where = f"is at {moment(reached)}" if reached is not None else "has not been heard of"
            why = ""
            if holder in clock.sources and clock.sources[holder].held:
                why = ": an open transaction keeps the rest of it from being read"
            out.append(
                self._fire(
                    place,
                    "stale",
                    since,
                    since,
                    f"stale_after: {duration(limit)}",
                    f"windows wait for partition {partition} of {topic}, which {where} "
                    f"for more than {duration(limit)}{why}.",
                )
            )
        return out

    def lost(self, loss: Loss, end: int) -> list[Alert]:
        """Return the alert that events were deleted before they were read, or refused as one."""
        first, last = f"{loss.wanted:,}", f"{loss.begin - 1:,}"
        fate = "deleted before they were read"
        if loss.refused:
            fate = "not read, because their batch is a dead letter"
        return [
            self._fire(
                "",
                "data_loss",
                loss.start,
                end,
                "every event is read",
                f"events {first} to {last} of {loss.source} partition {loss.partition} were "
                f"{fate}; windows from {moment(loss.start)} to {moment(end)} are not judged.",
                severity=2,
            )
        ]

    def window(self, window: WindowTimes, events: int, *, whole: bool) -> Iterator[Alert]:
        """Note a judged window; yield the end of a loss that it lies behind."""
        self.recent = [*self.recent, events][-_RECENT:]
        life = self._lives.get((self._model, "", "data_loss"))
        if life is not None and whole and window.start >= life.written:
            yield self._resolve(life, window.start, window.end)

    def _usual(self) -> int:
        """Return the events of a usual window: the last one before a silence is half empty."""
        return sorted(self.recent)[len(self.recent) // 2] if self.recent else 0

    def _fire(
        self,
        place: str,
        kind: Kind,
        since: int,
        until: int,
        rule: str,
        sentence: str,
        severity: int = 1,
    ) -> Alert:
        """Return the next record of a firing alert over the times `since` to `until`."""
        key = (self._model, place, kind)
        life = self._lives.get(key)
        if life is None:
            life = self._lives[key] = Life(
                *key, since=since, firing=True, rule=rule, incident=since, history={}
            )
        life.severity = severity
        life.revision += 1
        life.written = max(life.written, until)
        return self._record(life, sentence, since, until)

    def _resolve(self, life: Life, until: int, end: int) -> Alert:
        del self._lives[life.key]
        life.revision += 1
        after = duration(max(until - life.since, 0))
        life.firing = False
        text = f"{KINDS[life.kind].over} since {moment(until)}, after {after}."
        return self._record(life, text, until, end)

    def _record(self, life: Life, text: str, start: int, end: int) -> Alert:
        window = JudgedWindow(WindowTimes(start, end, start), 0, {})
        return self._records.alert(life, window, Cause(wording=Wording(text, text)))
