"""How far the rows of a model have come in an input partition on their way to the join.

A model that was removed and applied again has a life before and one after: each sends the rows of
its own time alone, and a partition begins with the next one when the former is over there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from msgspec import UNSET, UnsetType

from driftline.consumer.sketch.outcome_columns import Answers
from driftline.detectors.outcomes.error_model import EventErrors


class JoinProgress(msgspec.Struct, rename={"active_at": "heard"}):
    """How far the rows of one model have come in one input partition; times in ms since 1970.

    Attributes:
        active_at: wall-clock time at which the latest row was read; at first, of the first look.
        progress: largest time of any row, None before the first.
        lost: offsets [from, to) never read, until a row shows when they may have been.
        refused: whether they were refused as a batch, not deleted.
        begun: of an applied model, from which time on its life has rows, 0 for the first one, and
            from which offset on.
        ended: that its life is over here: it has said so.
    """

    active_at: int
    progress: int | None = None
    lost: tuple[int, int] | None = None
    refused: bool = False
    begun: tuple[int, int] | UnsetType = UNSET
    ended: bool | UnsetType = UNSET

    @property
    def life(self) -> int:
        """From which time on its life has rows, ms; 0: the first one."""
        return self.begun[0] if self.begun else 0

    @property
    def start(self) -> int:
        """From which offset on its life has rows."""
        return self.begun[1] if self.begun else 0


@dataclass(frozen=True)
class JoinModel:
    """What is sent of one model's predictions and labels.

    Attributes:
        name: the model.
        answers: finds scores and classes in the columns of its predictions.
        segments: tag to the values that are counted apart.
        grace: ms a row may be late and keep its own time.
        errors: estimates the error of a regression's predictions; None: nothing does.
        ordered: whether later rows come later; in a set all keep their own times, and `close`
            alone tells before which time no more come.
        end: the time at which the model is removed, ms; None: it is not.
    """

    name: str
    answers: Answers
    segments: Mapping[str, tuple[str, ...]]
    grace: int
    errors: EventErrors | None = None
    ordered: bool = True
    end: int | None = None

    def frontier(self, rows: JoinProgress, progress: int | None) -> int | None:
        """Return the time (ms) before which no more rows of its life count; None: unknown.

        `progress`: the largest time of its rows, ms.
        """
        if rows.ended:
            return self.end
        found = None if progress is None else progress - self.grace
        return found if found is None or self.end is None else min(found, self.end)

    def over(self, rows: JoinProgress) -> bool:
        """Return whether none of its life count any more."""
        return self.end is not None and self.frontier(rows, rows.progress) == self.end
