"""A join over a log, with kills; and what it sent, in the words of the oracle."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from tests.consumer.join.oracle import EVERY, PaneCounts, Rules

from driftline.consumer.config import LabelsConfig
from driftline.consumer.join.cells import EXPIRED
from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.pane import OutcomeModel
from driftline.consumer.join.state import JoinState
from driftline.consumer.join.totals import JoinTotals
from driftline.consumer.join.waiting import Room
from driftline.consumer.wire.codec import decode, encode, unpack_integers
from driftline.consumer.wire.messages import Block, Horizon, Pane
from driftline.detectors.outcomes import OutcomeLayout

LAYOUT = OutcomeLayout.classification(["no", "yes"], "yes", True, np.linspace(0, 1, 50))
STREAMS = (None, "tier=gold", "tier=__other__")
PLENTY = 10**6


def outcome_model(rules: Rules) -> OutcomeModel:
    return OutcomeModel(
        "m", "ref", LAYOUT, STREAMS, {"tier": ("gold",)}, EVERY, labels_config(rules)
    )


def labels_config(rules: Rules) -> LabelsConfig:
    labels = {"topic": "l", "horizon": rules.horizon, "by": rules.by}
    mature = {"maturity": rules.maturity} if rules.by == "prediction" else {}
    return LabelsConfig.model_validate({**labels, **mature})


def new_join(
    rules: Rules, state: JoinState | None = None, most: int = PLENTY, ahead: int = PLENTY
) -> ModelJoin:
    state = state or JoinState(0, 0, "id", 1)
    room = Room(most, ahead)
    return ModelJoin(outcome_model(rules), ("p", "l"), room, 0, 1, state, JoinTotals())


@dataclass
class Run:
    """What came of a log.

    Attributes:
        join: as it was at the end.
        panes: every final pane as it was sent, by start.
        horizons: the last one.
        repeated: panes that a killed join sent before, and sent again.
        differing: starts of those that were then not the same, byte for byte.
    """

    join: ModelJoin
    panes: dict[int, bytes] = field(default_factory=dict)
    horizon: int | None = None
    repeated: int = 0
    differing: list[int] = field(default_factory=list)

    def take(self, output: Pane | Horizon) -> None:
        if isinstance(output, Horizon):
            self.horizon = output.horizon
            return
        record = encode(output)
        known = self.panes.setdefault(output.start, record)
        self.repeated += known is not record
        if known != record:
            self.differing.append(output.start)

    def counts(self) -> dict[int, PaneCounts]:
        """Return what was counted in the final panes, as the oracle does."""
        return {start: _counts(decode(record, Pane)) for start, record in self.panes.items()}

    @property
    def clock(self) -> int:
        now = self.join._clock.now()
        assert now is not None
        return now

    @property
    def closed(self) -> int:
        """Panes that end there or before are final."""
        return self.join._matching.closed


def run(
    blocks: Sequence[Block],
    rules: Rules,
    most: int = PLENTY,
    kills: random.Random | None = None,
    record: Callable[[ModelJoin], JoinState | None] = ModelJoin.state,
    ahead: int = PLENTY,
) -> Run:
    """Feed `blocks` to a join which is killed now and then, if `kills` is given.

    `record` says what it writes to the log of states.
    """
    found = Run(new_join(rules, most=most, ahead=ahead))
    states = [encode(JoinState(0, 0, "id", 1))]
    offset, left = 0, 12
    while offset < len(blocks):
        for output in found.join.feed(blocks[offset], offset):
            found.take(output)
        offset += 1
        if kills is None:
            continue
        if kills.random() < 0.2 and (state := record(found.join)) is not None:
            states.append(encode(state))
        if left and kills.random() < 0.08:
            left -= 1
            state = decode(states[-1], JoinState)
            found.join, offset = new_join(rules, state, most, ahead), state.rewind
    return found


def rebuild(blocks: Sequence[Block], rules: Rules, record: bytes, most: int = PLENTY) -> ModelJoin:
    """Return a join that starts from a state record and has read what lay before it again."""
    state = decode(record, JoinState)
    join = new_join(rules, state, most)
    for offset in range(state.rewind, state.position):
        assert not list(join.feed(blocks[offset], offset)), "sent something about the past"
    join.catch_up()
    return join


def _counts(pane: Pane) -> PaneCounts:
    """Return the counts of a pane by tag value; those of the whole model must be their sums."""
    counts: PaneCounts = PaneCounts()
    whole: PaneCounts = PaneCounts()
    for stream in pane.streams:
        flat = np.zeros(pane.high, np.int64)
        flat[np.cumsum(unpack_integers(stream.indexes))] = unpack_integers(stream.counts)
        many = int(LAYOUT.view(flat[: LAYOUT.size], "confusion").sum())
        assert stream.versions == ({"v1": many} if many else {})
        own: PaneCounts = PaneCounts()
        for actual, row in enumerate(LAYOUT.view(flat[: LAYOUT.size], "confusion").tolist()):
            for predicted, many in enumerate(row):
                own["matched", predicted, actual] = many
        own["predicted",], own["expired",] = stream.events, int(flat[LAYOUT.size + EXPIRED])
        delays = {("delay", c): int(flat[LAYOUT.size + c]) for c in range(EXPIRED)}
        if stream.stream is None:
            whole = own
            counts.update(delays)
        else:
            tier = STREAMS.index(stream.stream) - 1
            counts.update({(*key, tier): many for key, many in own.items()})
    for key in whole:
        assert whole[key] == sum(counts[(*key, tier)] for tier in (0, 1)), (key, pane.start)
    return +counts
