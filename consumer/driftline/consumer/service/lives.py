"""Lives of an applied model: from when it was applied until it is removed, and again.

A life is told by the time of its first pane, 0 for the first one. Each is over in every partition
by itself, in the log of joins too; there the next one begins, whoever hears of it when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET
from msgspec.structs import replace

from driftline.consumer.join.state import JoinState
from driftline.consumer.service.versions import ModelVersion
from driftline.consumer.sketch.join_progress import JoinProgress
from driftline.consumer.sketch.state import ModelProgress
from driftline.consumer.wire.clock import Clock, by_source


@dataclass(frozen=True)
class Life:
    """The versions of a model from one removal to the next.

    Attributes:
        versions: those that are watched, by time.
        end: the time at which it is removed, ms; None: it is not.
    """

    versions: Sequence[ModelVersion]
    end: int | None

    @property
    def first(self) -> int:
        """From which time on it has rows, ms; 0: the first one."""
        oldest = self.versions[0]
        return oldest.change.first if oldest.begun is None else oldest.begun

    @property
    def labelled(self) -> list[ModelVersion]:
        """The versions whose labels are read."""
        return [each for each in self.versions if each.config is not None and each.config.labels]

    def sending(self, topic: str) -> list[ModelVersion]:
        """Return the versions whose predictions or labels a topic holds, where they are joined."""
        return [each for each in self.labelled if topic in each.topics]

    def joining(self, state: JoinState) -> tuple[ModelVersion | None, int | None]:
        """Return the version that joins as of a state, and until when, ms; None: none, for good.

        None joins once the clock of the last one has passed the end of the life.
        """
        sources = by_source(state.sources)
        labelled = self.labelled
        ends = [*(each.change.first for each in labelled[1:]), self.end]
        for version, until in zip(labelled, ends, strict=True):
            now = Clock(tuple(sorted(version.topics)), sources).now()
            if until is None or now is None or now < until:
                return version, until
        return None, self.end


def lives_of(versions: Sequence[ModelVersion]) -> list[Life]:
    """Return the lives of a model by time; `versions`: of it, by time."""
    found: list[Life] = []
    own: list[ModelVersion] = []
    for each in versions:
        if each.config is not None:
            own.append(each)
        elif own:
            found.append(Life(own, each.change.first))
            own = []
    return [*found, *([Life(own, None)] if own else [])]


@dataclass(frozen=True)
class Beginning:
    """A life that begins in an input partition.

    Attributes:
        version: its first one that reads the partition.
        first: from which time on it has rows, ms.
        counts, sends: whether its events are counted there, and its rows sent to the join.
    """

    version: ModelVersion
    first: int
    counts: bool
    sends: bool


def beginning(
    versions: Sequence[ModelVersion],
    topic: str,
    progress: ModelProgress | None,
    rows: JoinProgress | None,
) -> Beginning | None:
    """Return what begins in an input partition of an applied model; None: nothing does.

    A life begins where the former one is over for both, what is counted and what is joined.

    Args:
        versions: of the model, by time.
        topic: whose partition it is.
        progress: of what is counted there; None: nothing was.
        rows: of what is sent to the join there; None: nothing was.
    """
    lives = lives_of(versions)
    counted, sent = _place(lives, progress), _place_of_rows(lives, rows)
    now = max((place for place in (counted, sent) if place is not None), default=None)
    if now is None:  # it is new: it begins as it was applied last
        later = [each for each in lives[-1:] if each.end is None]
    else:
        end, horizon = lives[now].end, None if progress is None else progress.sent
        counting = counted == now and (end is None or horizon is None or horizon < end)
        # Rows of a life that is forgotten are none of this one.
        if counting and sent is None and (sending := lives[now].sending(topic)):
            return Beginning(sending[0], lives[now].first, counts=False, sends=True)
        joining = sent == now and rows is not None and not rows.ended
        later = [] if counting or joining else lives[now + 1 :]
    for life in later:
        reading = [each for each in life.versions if each.reads(topic)]
        sending = life.sending(topic)
        if reading or sending:
            first = (reading or sending)[0]
            return Beginning(first, life.first, counts=bool(reading), sends=bool(sending))
    return None


def sending(
    versions: Sequence[ModelVersion],
    topic: str,
    counted: ModelVersion | None,
    rows: JoinProgress | None,
) -> tuple[ModelVersion, int | None] | None:
    """Return the version whose rows a partition sends to the join, and when its life ends, ms.

    None where none are sent.

    Args:
        versions: of the model, by time.
        topic: whose partition it is.
        counted: the version whose events are counted there; None: none is.
        rows: what was sent there; None: nothing.
    """
    lives = lives_of(versions)
    place = _place_of_rows(lives, rows)
    if place is None or rows is None or rows.ended:
        return None
    found = lives[place].sending(topic)
    if not found:
        return None
    # Where events are counted their version is known; else it was not of importance so far.
    return counted if counted in found else found[-1], lives[place].end


def adopted(versions: Sequence[ModelVersion], rows: JoinProgress) -> JoinProgress:
    """Return progress that says of which life it is, also of what an older Driftline wrote."""
    lives = lives_of(versions)
    if rows.begun is not UNSET or not lives:
        return rows
    return replace(rows, begun=(lives[-1].first, 0))


def _place(lives: Sequence[Life], progress: ModelProgress | None) -> int | None:
    """Return the number of the life that counts, or did last; None: none did."""
    if progress is None or not lives:
        return None
    places = [at for at, each in enumerate(lives) if each.first <= (progress.sent or 0)]
    return places[-1] if places else 0


def _place_of_rows(lives: Sequence[Life], rows: JoinProgress | None) -> int | None:
    """Return the number of the life whose rows are sent, or were last; None: of none that is known.

    What an older version of Driftline wrote is of the newest.
    """
    if rows is None or not lives:
        return None
    if rows.begun is UNSET:
        return len(lives) - 1
    return next((at for at, each in enumerate(lives) if each.first == rows.life), None)
