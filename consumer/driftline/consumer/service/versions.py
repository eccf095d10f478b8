"""Versions of a model as the stages need them: which one counts where, which one judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    """

    change: ModelChange
    config: ModelConfig | None
    stored: StoredReference
    at: int

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

    Args:
        versions: of a model, by time.
        topic: whose partition it is.
        horizon: before which all its panes are final, ms; None: none is yet.
    """
    if horizon is None:
        begin = 0 if versions[-1].config is None else versions.index(life(versions))
    else:
        places = [at for at, each in enumerate(versions) if each.change.first <= horizon]
        begin = places[-1] if places else 0
        if begin and versions[begin] is versions[-1] and versions[begin].config is None:
            begin -= 1  # it is not over here yet, though its time is
    rest = list(versions[begin:])
    while rest and not rest[0].reads(topic):
        del rest[0]
    return rest


def life(versions: Sequence[ModelVersion]) -> ModelVersion:
    """Return the version with which a model was applied, for the last time since it was removed."""
    gone = [place for place, each in enumerate(versions) if each.config is None]
    return versions[gone[-1] + 1 if gone else 0]


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


def joining(versions: Sequence[ModelVersion], now: int | None) -> tuple[ModelVersion, int | None]:
    """Return the version that joins labels, and until when it does, ms; None: for good.

    `now`: how far the rows of the join have come, ms; None: it has none yet.
    """
    labelled = [each for each in versions if each.config is not None and each.config.labels]
    for present, following in pairwise(labelled):
        if now is None or now < following.change.first:
            return present, following.change.first
    return labelled[-1], None
