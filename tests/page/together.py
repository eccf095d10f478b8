"""How the features of a made-up model go together."""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from driftline.consumer.views.answers import Axis, JointView, VersionStart
from driftline.consumer.wire.records import Extremes, Pair, Table, Verdict

NORMALLY: Table = [[0.19, 0.1, 0.04], [0.1, 0.14, 0.1], [0.04, 0.1, 0.19]]
NOW: Table = [[0.12, 0.11, 0.11], [0.1, 0.13, 0.1], [0.15, 0.14, 0.04]]
CUTS = ((31.0, 52.0), (18_000.0, 42_500.0))
PAIRS = [Pair(("age", name), CUTS, NORMALLY, NOW, 0.31, None) for name in ("income", "x")]
EXTREMES = Extremes(3, [0.8, 0.15, 0.05, 0.0], [0.85, 0.03, 0.12, 0.0], 0.2, None)
_FEATURE = "amount"  # whose effects they have


class Windows(Protocol):
    """What is known of the windows: a `Board`."""

    @property
    def axis(self) -> Axis: ...
    @property
    def versions(self) -> list[VersionStart]: ...
    def effects(self, feature: str) -> list[float]: ...
    def states(self, feature: str) -> str: ...
    def verdict(self, feature: str, end: str | None = None) -> Verdict: ...


def together(board: Windows, window: str | None) -> JointView:
    """Return the view of two pairs and extremes; `window`: its end, None: the newest."""
    axis = board.axis
    effects: Any = board.effects(_FEATURE)
    evidence: Any = [round(max(0.0, 30 * e - 1), 4) for e in effects]
    verdict = msgspec.structs.replace(
        board.verdict(_FEATURE, window or axis.ends[-1]),
        feature=None, type="joint", counts=None, bins=None, detectors={},
        pairs=PAIRS, extremes=EXTREMES,
    )  # fmt: skip
    return JointView(
        board.verdict(_FEATURE).model, axis, effects, evidence, [6.1] * len(axis.ends),
        board.states(_FEATURE), verdict, [], board.versions, ["channel=web", "channel=app"],
    )  # fmt: skip
