"""Labels: the ground truth of events, read from a topic of labels or from the events' own topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.decode import Decoded, Decoder, ModelSchema, Rejected
from driftline.consumer.sketch.exact import Lack
from driftline.consumer.wire.join_rows import IdArray
from driftline.detectors.counts import Feature, Layout
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.registry import FeatureType
from driftline.producer.records.mapping import Mapping as FieldMapping
from driftline.producer.records.table import Table
from driftline.producer.records.values import ABSENT

_LABEL, _SCORE = "actual.label", "actual.score"


@dataclass
class LabelRows:
    """Labels of one model in a batch, n of them.

    Attributes:
        index: int64 (n,): places in the batch, ascending.
        times: int64 (n,): ms since 1970.
        ids: uint64 (n,): hashes of the ids of the events they belong to, 0 for none.
        actual: float64 (n,): place of the class, or the value of a regression.
        refused: labels of the batch that this model cannot use.
    """

    index: IntArray
    times: IntArray
    ids: IdArray
    actual: FloatArray
    refused: int = 0

    def select(self, chosen: NDArray[np.bool_]) -> LabelRows:
        """Return the chosen labels."""
        return LabelRows(
            self.index[chosen],
            self.times[chosen],
            self.ids[chosen],
            self.actual[chosen],
            self.refused + int(np.count_nonzero(~chosen)),
        )


class LabelReader:
    """Reads the labels of one model.

    Args:
        model: whose labels; a label that names no model is one of every model of the topic.
        classes: of a classifier; empty for a regression.
        mapping: what the topic's records look like.
        among_events: whether the topic holds events too, of whatever model.
        max_ahead: ms that a label may be later than its record.
        max_event_bytes: larger values are refused, unread.

    >>> reader = LabelReader("churn", ("no", "yes"), FieldMapping(), False, 300_000, 262_144)
    >>> now = 1_553_644_800_000
    >>> values = [b'{"event_id": "a", "actual": "yes"}', b'{"event_id": "b", "actual": "maybe"}']
    >>> rows, rejected = reader.read(values, [now, now])
    >>> rows.actual.tolist(), [(bad.index, bad.reason) for bad in rejected]
    ([1.0], [(1, 'unknown_class')])
    """

    def __init__(
        self,
        model: str,
        classes: Sequence[str],
        mapping: FieldMapping,
        among_events: bool,
        max_ahead: int,
        max_event_bytes: int,
    ) -> None:
        self._model = model
        self._classes = tuple(classes)
        self._among_events = among_events
        # A bare number is a class's text to a classifier, as it is to the builder of references.
        kind: FeatureType = "boolean" if self._classes == ("false", "true") else "categorical"
        features = (
            [Feature(name, kind, np.zeros(0), self._classes) for name in (_LABEL, _SCORE)]
            if classes
            else [Feature(_SCORE, "numeric", np.zeros(0))]
        )
        schema = ModelSchema(
            model,
            Layout.of(features),
            {},
            ids=True,
            record="label among events" if among_events else "label",
        )
        self._decoder = Decoder(mapping, [schema], max_ahead, max_event_bytes)
        for error in self._decoder.failures.values():
            raise error

    def read(
        self, values: Sequence[bytes | None], timestamps: Sequence[int]
    ) -> tuple[LabelRows, list[Rejected]]:
        """Read the labels of a batch; see `Decoder.decode`.

        Returns:
            The labels, and the values that are for the dead letters.
        """
        return self._labels(self._decoder.decode(values, timestamps))

    def read_table(self, table: Table) -> tuple[LabelRows, list[Rejected]]:
        """Read the labels of a table; see `read`."""
        return self._labels(self._decoder.decode_table(table))

    def _labels(self, decoded: Decoded) -> tuple[LabelRows, list[Rejected]]:
        for error in decoded.failed.values():
            raise error
        rejected = [
            bad for bad in decoded.rejected if not (self._among_events and bad.lack is Lack.ACTUAL)
        ]
        rows = decoded.models.get(self._model)
        if rows is None or rows.ids is None:
            nothing = np.zeros(0, np.int64)
            ids, actual = nothing.astype(np.uint64), np.zeros(0)
            return LabelRows(nothing, nothing, ids, actual, len(rejected)), rejected
        if self._classes:
            # Both have the classes' codes; the label counts, and where there is none, the score.
            (label, score), many = rows.columns.codes.T, len(self._classes)
            neither = np.maximum(label, score)
            chosen = np.where(label <= many, label, np.where(score <= many, score, neither))
            actual = chosen.astype(np.float64)
            known, unseen = chosen < many, chosen == many
            nothing = (chosen == many + 1) | (chosen == many + 2)  # missing, absent
        else:
            actual = rows.columns.numeric[:, 0]
            known, unseen = np.isfinite(actual), np.zeros(len(actual), bool)
            nothing = np.isnan(actual) | (actual == ABSENT)
        wrong = ~(known | unseen)
        if self._among_events:
            wrong &= ~nothing  # an event whose ground truth is not known yet
        for place in rows.index[wrong].tolist():
            rejected.append(Rejected(place, "schema", "actual is missing or of the wrong type"))
        for place in rows.index[unseen].tolist():
            detail = "actual is a class that the reference does not have"
            rejected.append(Rejected(place, "unknown_class", detail))
        index, times, ids = rows.index[known], rows.times[known], rows.ids[known]
        found = LabelRows(index, times, ids, actual[known], len(rejected))
        return found, sorted(rejected, key=lambda bad: bad.index)


def place_labels(
    decoded: Decoded,
    labels: Mapping[str, LabelRows],
    wrong: Sequence[Rejected],
    records: int,
    *,
    events: bool,
    unclear: bool,
) -> NDArray[np.bool_]:
    """Give labels their place among the records decoded; return which records hold one.

    A label alone is no event; an event of no use is one also where its label is of use.

    Args:
        decoded: the records as events; what is no event is refused no more where it is a label.
        labels: found, by model.
        wrong: labels that no model can use.
        records: how many there are.
        events: whether the topic holds events too.
        unclear: whether a record may be the label of a model that is not read now.
    """
    found = np.zeros(records, bool)
    for rows in labels.values():
        found[rows.index] = True
    alone = [bad.index for bad in decoded.rejected if bad.lack is Lack.EVENT]
    rejected = {
        bad.index: bad
        for bad in decoded.rejected
        if bad.lack is not Lack.EVENT or not (found[bad.index] or unclear)
    }
    rejected.update({bad.index: bad for bad in wrong if not (found[bad.index] or unclear)})
    decoded.rejected = [rejected[place] for place in sorted(rejected)]
    if events:
        left = sum(1 for place in alone if not (found[place] or place in rejected))
    else:
        left = records - int(found.sum()) - len(rejected) - decoded.tombstones
    if unclear:
        decoded.unread += left
    elif not events:
        decoded.unknown_model += left
    return found
