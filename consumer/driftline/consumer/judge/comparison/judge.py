"""Judge of one comparison: is the challenger better than the champion?

A deterministic function of the comparison's messages in the log of panes, in offset order. Panes
are taken in the order of their time once they are final; the result of the test after each of them
holds however often one looks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from driftline.consumer.config import ComparisonConfig, ModelConfig
from driftline.consumer.join.cells import EXPIRED, EXTRA_CELLS
from driftline.consumer.join.comparing import COMPARISON_CELLS
from driftline.consumer.judge.comparison.records import ComparisonWriter, Standing
from driftline.consumer.judge.comparison.variation import SidesVariation, add_pane, alone
from driftline.consumer.judge.lives.life import REPEAT
from driftline.consumer.judge.records import RecordWriter
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.log.protocol import Gap
from driftline.consumer.wire.clock import Clock, SourceProgress, by_source, listed
from driftline.consumer.wire.messages import Horizon, Pane, PanesMessage
from driftline.consumer.wire.records import Alert, ReferenceName, Verdict
from driftline.consumer.wire.subject import identity
from driftline.detectors.outcomes import IndependentTest, PairedTest
from driftline.detectors.outcomes.comparison import Decision, Evidence


class ComparisonState(msgspec.Struct, tag="comparison", rename={"sources": "heard"}):
    """State of one comparison as of `position` in its partition of the log of panes.

    Attributes:
        position: everything before this offset has had its effect (R).
        rewind: smallest offset of a pane that is still to be judged (O).
        topic_id: id of the log of panes; `partitions`: how many it has. Neither may change.
        sources: per partition of the log of joins, its progress as last known.
        alert_ends: end of each partition of the alerts topic, as remembered.
        subject: what is compared; of another subject nothing below holds.
        since: start of the first pane judged, ms; None before it.
        until: end of the last pane judged, ms.
        cells: counts of all panes judged: see `COMPARISON_CELLS`, then those expired.
        versions: predictions of all panes judged, by side.
        evidence: of split traffic, for and against the challenger, as if events were independent.
        decision: the last that was reached.
        revision: of the last alert record, 0 before the first.
        written: end of the pane of that record, ms.
        variation: how much the sides vary from pane to pane.
    """

    position: int
    rewind: int
    topic_id: str = ""
    partitions: int = 0
    sources: list[tuple[str, int, SourceProgress]] = []
    alert_ends: list[int] = []
    subject: str = ""
    since: int | None = None
    until: int = 0
    cells: list[int] = []
    versions: dict[str, int] = {}
    evidence: tuple[float, float] = (0.0, 0.0)
    decision: Decision = "undecided"
    revision: int = 0
    written: int = 0
    variation: SidesVariation = SidesVariation()


def subject_of(config: ComparisonConfig, kind: str) -> str:
    """Return the id of what is compared, which panes carry: others' panes are passed over.

    `kind`: classification or regression.
    """
    return identity(*map(str, config.sides), config.traffic, kind)


class ComparisonJudge:
    """Judges one comparison.

    Args:
        name: of the comparison.
        config: its configuration.
        champion: the champion's model, whose owner and runbook alerts have.
        reference: the champion's.
        kind: what is predicted: classification or regression.
        state: as read from the log; feeding starts at ``state.rewind``.

    Attributes:
        metric: what is compared: accuracy, or of regressions how often a side was nearer.
        standing: what is known by now.
        outdated: False: a comparison has no versions.
    """

    outdated = False

    def __init__(
        self,
        name: str,
        config: ComparisonConfig,
        champion: ModelConfig,
        reference: ReferenceName,
        kind: str,
        state: ComparisonState,
    ) -> None:
        self.name, self.config = name, config
        self.metric = "nearer" if kind == "regression" else "accuracy"
        self.position, self.rewind = state.position, state.rewind
        self.alert_ends = list(state.alert_ends)
        self._subject = subject_of(config, kind)
        if state.subject != self._subject:
            state = ComparisonState(state.position, state.rewind, state.topic_id, state.partitions,
                                    state.sources, until=state.until)  # fmt: skip
        self._state = state
        self.clock = Clock(("joins",), by_source(state.sources))
        self._cells = np.zeros(COMPARISON_CELLS + 1, np.int64)
        self._cells[: len(state.cells)] = state.cells
        self._panes = PaneStore(
            champion.window.every, (self._subject,), COMPARISON_CELLS + EXTRA_CELLS
        )
        self._ends: dict[int, int] = {}  # of the panes at hand, by start
        records = RecordWriter(name, None, champion, reference)
        self._writer = ComparisonWriter(records, config, kind)
        self.standing = self._standing()

    def feed(self, message: PanesMessage, offset: int) -> Sequence[Verdict | Alert]:
        """Take in one message of the comparison; return what it makes known, in order.

        Before `position` panes are kept and nothing else happens. A loss leaves fewer events, of
        both outcomes alike, so it changes nothing.
        """
        out: Sequence[Verdict | Alert] = ()
        if isinstance(message, Pane):
            self._add(message, offset)
        elif isinstance(message, Horizon) and offset >= self.position:
            self.clock.advance(message)
            out = [*self._judge()]
        self.position = max(self.position, offset + 1)
        return out

    def tick(self, now: int) -> list[Alert]:
        """Look at the wall clock (ms): nothing depends on it."""
        return []

    def lost(self, gap: Gap) -> Sequence[Verdict | Alert]:
        """Take in that panes were deleted unread: see `feed`."""
        return ()

    def state(self) -> ComparisonState:
        """Return the state record as of now."""
        first = self._panes.rewind()
        return msgspec.structs.replace(
            self._state,
            position=self.position,
            rewind=self.position if first is None else first,
            sources=listed(self.clock.sources),
            alert_ends=list(self.alert_ends),
            subject=self._subject,
            cells=self._cells.tolist(),
            versions=dict(sorted(self._state.versions.items())),
        )

    def _add(self, pane: Pane, offset: int) -> None:
        """Keep a pane of this subject that was not judged before."""
        end = pane.start + pane.length
        if pane.layout_id == self._subject and end > self._state.until:
            self._panes.add(pane, offset)
            self._ends[pane.start] = end

    def _judge(self) -> Iterator[Verdict | Alert]:
        """Judge the panes that are final."""
        final = self.clock.now()
        for start in sorted(self._ends):
            if final is not None and self._ends[start] <= final:
                yield from self._pane(start, self._ends.pop(start))
        self._panes.drop_before(self._state.until)

    def _pane(self, start: int, end: int) -> Iterator[Verdict | Alert]:
        state, panes = self._state, self._panes
        # The one pane that starts there: its length may have been changed since.
        counts = panes.counts(start, start + 1, None)
        for name, many in panes.versions(start, start + 1, None).items():
            state.versions[name] = state.versions.get(name, 0) + many
        state.since = start if state.since is None else state.since
        state.until = end
        split = self.config.traffic == "split"
        state.variation = add_pane(state.variation, self._cells, counts, split=split)
        test = self._independent()
        if split:
            test = test.add(*alone(counts))
        state.evidence = test.evidence.better, test.evidence.worse
        self._cells[:COMPARISON_CELLS] += counts[:COMPARISON_CELLS]
        self._cells[COMPARISON_CELLS] += counts[COMPARISON_CELLS + EXPIRED]
        # A claim that was once made stands until the opposite one can be made.
        reached = self._standing().reached(self.config.alpha)
        changed = reached not in ("undecided", state.decision)
        if changed:
            state.decision = reached
        self.standing = self._standing()
        yield self._writer.verdict(self.standing)
        if changed or (state.decision != "undecided" and end - state.written >= REPEAT):
            state.revision, state.written = state.revision + 1, end
            yield self._writer.alert(self.standing, state.revision)

    def _independent(self) -> IndependentTest:
        return IndependentTest(*alone(self._cells), Evidence(*self._state.evidence))

    def _evidence(self) -> Evidence:
        test: IndependentTest | PairedTest = self._independent()
        if self.config.traffic == "same":
            champion, challenger = self._cells[5:7].tolist()
            test = PairedTest(champion, challenger)
        return test.tempered(self._state.variation.between.phi())

    def _standing(self) -> Standing:
        state = self._state
        return Standing(
            state.since, state.until, self._cells.copy(), dict(state.versions), self._evidence(),
            state.decision, state.variation, self.config.traffic == "same",
        )  # fmt: skip
