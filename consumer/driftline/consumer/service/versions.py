"""Versions of a model as the stages need them: which one counts where, which one judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.state import JudgedVersion
from driftline.consumer.service.stored_references import StoredReference
from driftline.consumer.wire.messages import ModelChange


@dataclass(frozen=True)
class ModelVersion:
    """One version of a model that was applied.

    Attributes:
        change: from when on it holds; the first version of a model has always held.
        config: the model's keys; None where it is removed.
        stored: where its reference lies.
        at: when it was applied, ms since 1970.
        begun: where it is the first of its life that is known: from when on that has rows, ms;
            None: as it holds itself.
    """

    change: ModelChange
    config: ModelConfig | None
    stored: StoredReference
    at: int
    begun: int | None = None

    def reads(self, topic: str) -> bool:
        """Return whether it counts the events of a topic."""
        return self.config is not None and topic in self.config.predictions

    @property
    def topics(self) -> frozenset[str]:
        """The topics that it reads."""
        if self.config is None:
            return frozenset()
        labels = self.config.labels
        return frozenset((*self.config.predictions, *((labels.topic,) if labels else ())))


def counting(
    versions: Sequence[ModelVersion], topic: str, horizon: int | None
) -> Sequence[ModelVersion]:
    """Return the versions that events of a partition may still belong to, the present one first.

    None beyond a removal: a model that was applied again begins when its former life is over there
    (see `lives.beginning`).

    Args:
        versions: of a model, by time.
        topic: whose partition it is.
        horizon: before which all its panes are final there, and sent, ms; None: none is yet.
    """
    begin = _place(versions, horizon)
    ends = [at for at in range(begin, len(versions)) if versions[at].config is None]
    found = versions[begin : ends[0] + 1 if ends else len(versions)]
    reading = (at for at, each in enumerate(found) if each.reads(topic))
    return found[next(reading, len(found)) :]


def _place(versions: Sequence[ModelVersion], horizon: int | None) -> int:
    """Return the number of the version that holds at a horizon, ms."""
    places = [at for at, each in enumerate(versions) if each.change.first <= (horizon or 0)]
    return places[-1] if places else 0


def judging(versions: Sequence[ModelVersion], judged: str | None) -> ModelVersion:
    """Return the version that judges on: the one that did, else the oldest that is known.

    `judged`: the version that a state names; None: it names none.
    """
    watched = [each for each in versions if each.config is not None]
    return next((each for each in watched if each.change.version == judged), watched[0])


def earlier(versions: Sequence[ModelVersion], judged: JudgedVersion) -> StoredReference | None:
    """Return the reference that the evidence of a judge is still of; None: it is no use.

    It is of use where nothing differs but the reference: another configuration judges anew.

    Args:
        versions: of the model, by time.
        judged: which one is judged.
    """
    if not judged.before:
        return None
    own = judging(versions, judged.version)
    for each in versions:
        if each.change.version == judged.before[0] and each.config is not None:
            same = each.change.configuration == own.change.configuration
            return each.stored if same and not each.config.reference.moves else None
    return None
