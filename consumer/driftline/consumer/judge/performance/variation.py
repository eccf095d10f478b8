"""How much the metrics of one stream vary from pane to pane, as it was before a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.dispersed import ASSUMED
from driftline.consumer.judge.features.past_phi import PastPhi
from driftline.consumer.wire.codec import pack_integers, unpack_integers
from driftline.detectors.dispersion import DIRECTIONS, NONE, OTHER, UNKNOWN
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes import Figure
from driftline.detectors.outcomes.metric_variation import MetricVariation
from driftline.detectors.pane_lengths import EVENTS
from driftline.detectors.reference import content_hash

_TESTS, _INTERVALS = OTHER, NONE  # where the two stand among what `PastPhi` keeps
_KEPT = 4  # panes that can be taken out again


class Phi(NamedTuple):
    """How many times as much as chance a metric varies.

    Attributes:
        tested: by which its test is tempered: cautious, and at least 2 while it is not known.
        interval: by which its interval is; None while it is not known.
    """

    tested: float
    interval: float | None


class Earlier(msgspec.Struct, array_like=True):
    """How much metrics varied before a pane was added.

    Attributes:
        number: of the last step of windows in the pane.
        metrics: how much each one varied.
    """

    number: int
    metrics: dict[str, MetricVariation]


class StreamVariation(msgspec.Struct, array_like=True):
    """What is kept of one stream.

    Attributes:
        stream: its segment, empty for the whole model.
        key: of what was counted.
        metrics: how much each one varies.
        past: phi as it was, see `PastPhi`.
        cells, counts: of the panes that wait to be taken together, where they are above 0.
        events: labelled ones of these panes.
        earlier: as it was before each of the newest panes, oldest first.
        told: when the newest change began that was left out, ms.
    """

    stream: str
    key: str
    metrics: dict[str, MetricVariation] = {}
    past: bytes = b""
    cells: bytes = b""
    counts: bytes = b""
    events: int = 0
    earlier: list[Earlier] = []
    told: int = -1


class MetricVariations:
    """Learns how much the metrics of one stream vary.

    Panes with few labels are taken together, because a metric of a few events is of no use.

    Args:
        segment: of the stream.
        reference: id of what its performance is compared with; of another one nothing holds.
        size: cells of a pane's counts.
        names: of the metrics.
        window: length and step of the windows; its panes are as long as a step.
        kept: what was kept of the stream; None: nothing.
    """

    def __init__(
        self,
        segment: str | None,
        reference: str,
        size: int,
        names: Sequence[str],
        window: WindowConfig,
        kept: StreamVariation | None,
    ) -> None:
        self._stream = "" if segment is None else segment
        self._names, self._every = list(names), window.every
        self._key = content_hash(
            {"reference": reference, "pane": window.every, "metrics": self._names}
        )
        if kept is None or kept.key != self._key:
            kept = StreamVariation(self._stream, self._key)
        self._metrics = {name: kept.metrics.get(name, MetricVariation()) for name in names}
        first = self._phi()
        self._past = PastPhi(first, -(-window.length // window.every), kept.past)
        self._earlier, self._told = [*kept.earlier], kept.told
        self._waiting, self._events = np.zeros(size, np.int64), kept.events
        if kept.events:
            self._waiting[unpack_integers(kept.cells)] = unpack_integers(kept.counts)

    def cut(self, since: int | None) -> None:
        """Leave a change out of which an alert speaks now: it is no variation.

        The newest panes since it began are taken out again, and those to come are not compared
        with panes before it. How much they vary among themselves is learned on: what alarms again
        and again does vary.

        Args:
            since: when the newest alert on performance that is active began, ms; None: there is
                none.
        """
        if since is None or since <= self._told:
            return
        known = next(
            (one.metrics for one in self._earlier if one.number >= since // self._every),
            self._metrics,
        )
        self._metrics = {name: one.apart() for name, one in known.items()}
        for place in range(len(self._names)):
            self._past.begin_anew(place, self._phi())
        self._waiting, self._events = np.zeros_like(self._waiting), 0
        self._earlier, self._told = [], since

    def add(
        self,
        start: int,
        counts: IntArray,
        labelled: int,
        measured: Callable[[IntArray], Mapping[str, Figure]],
    ) -> None:
        """Take in a final pane.

        Args:
            start: of the pane, ms.
            counts: of its outcomes, shape (size,).
            labelled: events among them.
            measured: returns the metrics of counts.
        """
        number = start // self._every
        if self._past.is_due(number):
            self._past.keep(number, self._phi())
        self._waiting += counts
        self._events += labelled
        if self._events < EVENTS:
            return
        found = measured(self._waiting)
        self._earlier = [*self._earlier, Earlier(number, self._metrics)][-_KEPT:]
        self._metrics = {
            name: known.add(found[name]) if name in found else known
            for name, known in self._metrics.items()
        }
        self._waiting, self._events = np.zeros_like(self._waiting), 0

    def before(self, start: int) -> dict[str, Phi]:
        """Return phi of each metric as it was before a window that begins at `start` (ms)."""
        past = self._past.before(start // self._every)
        known = zip(self._names, past[_TESTS].tolist(), past[_INTERVALS].tolist(), strict=True)
        return {
            name: Phi(tested, None if interval >= UNKNOWN else interval)
            for name, tested, interval in known
        }

    def state(self) -> StreamVariation:
        """Return what has to be kept."""
        cells = np.flatnonzero(self._waiting)
        return StreamVariation(
            self._stream,
            self._key,
            dict(self._metrics),
            self._past.state(),
            pack_integers(cells),
            pack_integers(self._waiting[cells]),
            self._events,
            self._earlier,
            self._told,
        )

    def _phi(self) -> FloatArray:
        phi = np.ones((len(DIRECTIONS), len(self._names)))
        for place, name in enumerate(self._names):
            known, cautious = self._metrics[name].phi(), self._metrics[name].cautious_phi()
            least = ASSUMED if known is None else 1.0
            phi[_TESTS, place] = least if cautious is None else max(cautious, least)
            phi[_INTERVALS, place] = UNKNOWN if known is None else known
        return phi
