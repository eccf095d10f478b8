"""What a verdict, an alert or the life of one speaks of: a feature, a metric, a whole model.

In records and states it stands as text in the field `feature`, where metrics begin with
`performance.`. That text is written and read here and nowhere else.
"""

from __future__ import annotations

import hashlib
from typing import Literal, NamedTuple

import msgspec

from driftline.consumer.wire.kinds import About, Kind
from driftline.producer.records.names import METRIC_PREFIX, PREDICTION_FEATURES

_ESTIMATED = "estimated_"


class Subject(NamedTuple):
    """What one record speaks of.

    Attributes:
        sort: an input, what is predicted, a metric, a comparison, or a whole model.
        name: of the feature or metric; of a whole model empty, or the partition that it waits for.
        estimated: whether it is a metric that is estimated without labels.

    Example:
        >>> Subject.metric("roc_auc", estimated=True).field
        'performance.estimated_roc_auc'
        >>> Subject.feature("prediction.score").drift
        'prediction_drift'
    """

    sort: Literal["feature", "prediction", "metric", "comparison", "model"]
    name: str
    estimated: bool = False

    @classmethod
    def feature(cls, name: str) -> Subject:
        """Return an input, or what is predicted, by the name that it has among the features."""
        return cls("prediction" if name in PREDICTION_FEATURES else "feature", name)

    @classmethod
    def metric(cls, name: str, *, estimated: bool = False) -> Subject:
        """Return a metric, realised or estimated."""
        return cls("metric", name, estimated)

    @classmethod
    def read(cls, field: str | None, about: About) -> Subject:
        """Return the subject of a record or state that was written.

        Args:
            field: what stands in its field `feature`; None or empty for a whole model, and for
                many features at once.
            about: what its kind is about: a feature may be called like a metric.

        Example:
            >>> Subject.read("performance.estimated_f1", "performance")
            Subject(sort='metric', name='f1', estimated=True)
            >>> Subject.read("performance.f1", "distribution")
            Subject(sort='feature', name='performance.f1', estimated=False)
        """
        name = field or ""
        if about in ("labels", "run"):
            return cls("model", name)
        if about != "performance":
            return cls.feature(name) if name else cls("model", name)
        label = name.removeprefix(METRIC_PREFIX)
        if label == COMPARISON.name:
            return COMPARISON
        name = label.removeprefix(_ESTIMATED)
        return cls.metric(name, estimated=name != label)

    @property
    def label(self) -> str:
        """The name; of an estimate it begins with `estimated_`."""
        return f"{_ESTIMATED}{self.name}" if self.estimated else self.name

    @property
    def field(self) -> str:
        """The name as it stands where features' names do."""
        return f"{METRIC_PREFIX}{self.label}" if self.is_performance else self.name

    @property
    def is_performance(self) -> bool:
        """Whether it is a metric or a comparison."""
        return self.sort in ("metric", "comparison")

    @property
    def is_realised(self) -> bool:
        """Whether it is performance as labels tell it, not as it is estimated."""
        return self.is_performance and not self.estimated

    @property
    def drift(self) -> Kind:
        """The kind of an alert on the distribution of this feature."""
        return "prediction_drift" if self.sort == "prediction" else "feature_drift"


COMPARISON = Subject("comparison", "comparison")


def identity(*parts: str) -> str:
    """Return the id of `parts`, an 8-byte BLAKE2b of their compact JSON array.

    Example:
        >>> len(identity("car-loan", "car_value", "feature_drift", "2019-03-27T00:00:00Z"))
        16
    """
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()


def stream_name(model: str, segment: str | None) -> str:
    """Return the name of a stream: the model, or ``model/tag=value`` for one segment of it.

    Example:
        >>> stream_name("car-loan", None), stream_name("car-loan", "channel=web")
        ('car-loan', 'car-loan/channel=web')
    """
    return model if segment is None else f"{model}/{segment}"
