"""The life of an alert: pending, firing, resolved. One at a time per (stream, feature, kind)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan

import msgspec

from driftline.consumer.wire.kinds import KINDS, ON_THE_WHOLE_MODEL, Kind
from driftline.consumer.wire.subject import Subject
from driftline.detectors.tags import VERSION

DAY = 86_400_000
# Windows in a row in which every rule is quiet before an alert is resolved.
_QUIET_WINDOWS = 3
# The topic of alerts keeps 30 days: a firing alert is written again so that it stays in it.
REPEAT = 7 * DAY


class Life(msgspec.Struct):
    """One alert from pending to resolved; times in ms since 1970.

    Attributes:
        stream, feature, kind: whose life it is; `feature` is empty for alerts on a whole model.
        since: start of the step, or the pane, where it began; fixed when it first becomes pending.
        firing: False while pending.
        severity: 1 warning, 2 critical: the highest it reached.
        revision: of its last record; 0 before the first.
        rule: key of the rule that fired; `described`: the same in the configuration's words.
        history: per rule, the levels of the last windows looked at, newest last.
        quiet: quiet windows in a row; `quiet_since` is the start of the first of them.
        incident: `since` of the incident's first alert.
        written: end of the window of the last record.
        version: model version that first appeared in the pane of onset.
        releases: tag to the value of it that did, of other tags that say what was released.
        segments: in which segments it is, in words; empty where that is not known.
        silent: whether an alert on several features speaks of it, so that it has no records.
        told_by: of a silent one, the last part of that alert's key; unset: of the alert on many
            features that changed.
        features: of an alert on several features: those that it names.
    """

    stream: str
    feature: str
    kind: Kind
    since: int
    firing: bool = False
    severity: int = 0
    revision: int = 0
    rule: str = ""
    described: str = ""
    history: dict[str, list[int]] = {}
    quiet: int = 0
    quiet_since: int | None = None
    incident: int | None = None
    written: int = 0
    version: str | None = None
    segments: str = ""
    silent: bool = False
    features: list[str] = []
    releases: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    told_by: str | msgspec.UnsetType = msgspec.UNSET

    @property
    def began(self) -> dict[str, str]:
        """Tag to the value that first appeared when it began."""
        version = {} if self.version is None else {VERSION: self.version}
        return version if self.releases is msgspec.UNSET else {**version, **self.releases}

    @property
    def key(self) -> tuple[str, str, str]:
        """Whose life it is."""
        if self.features and KINDS[self.kind].about == "quality":
            # There may be several, of one feature too, which came back and is missing with others;
            # and one on how many events came, which has no feature either.
            return (self.stream, "", f"{self.kind} of {self.features[0]} since {self.since}")
        return (self.stream, self.feature, self.kind)

    def speaks_of(self, part: Life) -> bool:
        """Return whether this alert on several features speaks of a life of one of them."""
        told_by = "feature_drift" if part.told_by is msgspec.UNSET else part.told_by
        return part.silent and part.stream == self.stream and told_by == self.key[2]

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return Subject.read(self.feature, KINDS[self.kind].about)


Lives = dict[tuple[str, str, str], Life]
"""The lives of a model's alerts, by their keys."""


@dataclass(frozen=True)
class Reading:
    """What one rule says in one window about one (stream, feature): level 0 to 2, and quiet.

    `k` of the last `n` windows must be in breach for the rule to fire. `effect`: by how much a
    metric is worse; NaN where nobody asks. `lasting`: how long (ms) quiet has to last until it is
    over, however many windows that is.
    """

    rule: str
    k: int
    n: int
    level: int
    quiet: bool
    effect: float = nan
    lasting: int = 0


@dataclass(frozen=True)
class WindowTimes:
    """The window looked at, ms since 1970: `start` to `end`; its last step begins at `newest`."""

    start: int
    end: int
    newest: int


def step(
    life: Life | None,
    key: tuple[str, str, Kind],
    readings: Sequence[Reading],
    window: WindowTimes,
    began: Mapping[str, str],
) -> tuple[Life | None, bool]:
    """Move one life on by one judged window; return it (None: it ended) and whether to write it.

    `began`: tag of releases to the value that the newest pane is the first to show.

    A life that has just resolved is returned with ``firing`` False and a revision above 0, so
    that its last record can be written; the caller then forgets it.
    """
    if life is None:
        if not any(reading.level for reading in readings):
            return None, False
        life = Life(*key, since=window.newest, version=began.get(VERSION), history={})
        others = {tag: value for tag, value in began.items() if tag != VERSION}
        if others:
            life.releases = others
    # A rule that has left the configuration keeps nothing alive.
    rules = {reading.rule for reading in readings}
    life.history = {rule: levels for rule, levels in life.history.items() if rule in rules}
    for reading in readings:
        levels = life.history.setdefault(reading.rule, [])
        levels.append(reading.level)
        del levels[: -reading.n]
    fired = {reading.rule: _fired(life.history[reading.rule], reading) for reading in readings}
    worst = max(fired.values(), default=0)
    if worst > life.severity:
        life.rule = next(rule for rule, level in fired.items() if level == worst)
        life.severity, life.firing = worst, True
        life.quiet, life.quiet_since = 0, None
        return written(life, window), True
    if not life.firing:
        alive = any(any(levels) for levels in life.history.values())
        return (life if alive else None), False
    if not all(reading.quiet for reading in readings):
        life.quiet, life.quiet_since = 0, None
    else:
        life.quiet += 1
        if life.quiet_since is None:
            life.quiet_since = max(window.start, life.since)
        lasting = max(reading.lasting for reading in readings)
        if life.quiet >= _QUIET_WINDOWS and window.end - life.quiet_since >= lasting:
            life.firing = False
            return written(life, window), True
    if window.end - life.written >= REPEAT:
        return written(life, window), True
    return life, False


def advance(
    lives: Lives,
    key: tuple[str, str, Kind],
    readings: Sequence[Reading],
    window: WindowTimes,
    began: Mapping[str, str],
) -> Life | None:
    """Move the life of `key` on by one judged window; return it if its record is to be written.

    One that has just resolved stays among the `lives` until the caller forgets it.
    """
    life, write = step(lives.get(key), key, readings, window, began)
    if life is None:
        lives.pop(key, None)
        return None
    lives[key] = life
    return life if write else None


def at_most(readings: Sequence[Reading], life: Life | None) -> list[Reading]:
    """Return readings that make a life neither fire nor worse."""
    most = life.severity if life is not None and life.firing else 0
    return [replace(each, level=min(each.level, most)) for each in readings]


def repeat(
    lives: Iterable[Life], stream: str, window: WindowTimes, mine: Callable[[Life], bool]
) -> list[Life]:
    """Move on those alerts of a stream that are to be written again though the window says nothing.

    Args:
        lives: of the model.
        stream: whose window could not be judged.
        window: that one.
        mine: which lives of the stream are meant.

    Returns:
        Those that fire and were last written a week ago, by their keys.
    """
    due = [
        life
        for life in lives
        if life.stream == stream
        and mine(life)
        and life.firing
        and window.end - life.written >= REPEAT
    ]
    return [written(life, window) for life in sorted(due, key=lambda life: life.key)]


def breaches(life: Life, reading: Reading) -> tuple[int, int]:
    """Return (windows in breach, windows a rule looks at) for the rule of `reading`."""
    levels = life.history.get(reading.rule, [])
    return sum(1 for level in levels if level), reading.n


def join_incident(life: Life, lives: Iterable[Life], length: int) -> None:
    """Let a life that has just fired join an open incident near it, or begin one.

    Near: the incident began within one window `length` (ms) of the life's `since`.
    """
    enter_incident(
        life,
        [
            other.incident
            for other in lives
            # Alerts on the whole model speak of the run: they must not change those on the data.
            # Those on performance come with the labels, at another time.
            if other.firing
            and other.incident is not None
            and other.kind not in ON_THE_WHOLE_MODEL
            and not other.subject.is_realised
        ],
        length,
    )


def enter_incident(life: Life, incidents: Iterable[int], length: int) -> None:
    """Let a life join the earliest of open `incidents` (ms) that is near it, or begin one."""
    near = sorted(start for start in incidents if abs(life.since - start) <= length)
    life.incident = near[0] if near else life.since


def written(life: Life, window: WindowTimes) -> Life:
    """Return the life, of which a record is written in a window."""
    life.revision += 1
    life.written = window.end
    return life


def _fired(levels: Sequence[int], reading: Reading) -> int:
    """Return the highest level that at least `k` of the last `n` windows reached."""
    for level in (2, 1):
        if sum(1 for seen in levels if seen >= level) >= reading.k:
            return level
    return 0
