"""Labels: the ground truth of events, read from a topic of labels or from the events' own topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.decode import Decoded, Decoder, ModelRows, ModelSchema, Rejected
from driftline.consumer.sketch.decoded import TagCodes
from driftline.consumer.sketch.exact import Lack, in_record
from driftline.consumer.wire.join_rows import IdArray
from driftline.detectors.counts import Columns, Feature, Layout
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.registry import FeatureType
from driftline.producer.records.category import other_forms
from driftline.producer.records.mapping import Mapping as FieldMapping
from driftline.producer.records.table import Table
from driftline.producer.records.values import ABSENT, INVALID

_LABEL, _SCORE = "actual.label", "actual.score"
# Stands for the models of a label that names none: no JSON text has this half of a character.
_EVERY_MODEL = "\udc00"
_RECORDS: tuple[Literal["label"], Literal["label among events"]] = ("label", "label among events")

_WRONG = "actual is missing or of the wrong type"
_UNKNOWN = "actual is a class that the reference does not have"
_TEXT = "; if it is a number written as text, set coerce: true of its source"

DecodedLabels = Mapping[FeatureType, Decoded]
"""A batch as labels of each kind: of classes, of yes and no, of numbers."""


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
    """Reads the labels of one topic, once for all of its models.

    Args:
        classes: of each model, empty for a regression. A label that names no model is one of every
            model of the topic.
        mapping: what the topic's records look like.
        among_events: whether the topic holds events too, of whatever model.
        max_ahead: ms that a label may be later than its record.
        max_event_bytes: larger values are refused, unread.

    >>> classes = {"churn": ("no", "yes"), "sales": ("yes", "no", "maybe")}
    >>> reader = LabelReader(classes, FieldMapping(), False, 300_000, 262_144)
    >>> now = 1_553_644_800_000
    >>> values = [b'{"event_id": "a", "actual": "yes"}', b'{"event_id": "b", "actual": "maybe"}']
    >>> decoded = reader.decode(values, [now, now])
    >>> rows, rejected = reader.labels_of("churn", decoded)
    >>> rows.actual.tolist(), [(bad.index, bad.reason) for bad in rejected]
    ([1.0], [(1, 'unknown_class')])
    >>> reader.labels_of("sales", decoded)[0].actual.tolist()
    [0.0, 2.0]
    """

    def __init__(
        self,
        classes: Mapping[str, Sequence[str]],
        mapping: FieldMapping,
        among_events: bool,
        max_ahead: int,
        max_event_bytes: int,
    ) -> None:
        self._classes = dict(classes)
        self._among_events = among_events
        self._coerce = mapping.texts.coerce
        self._where = in_record(mapping, "actual")
        self._kinds = {name: _kind(of_model) for name, of_model in self._classes.items()}
        self._decoders: dict[FeatureType, Decoder] = {}
        self._places: dict[str, IntArray] = {}
        for kind in sorted(set(self._kinds.values())):
            models = [name for name in self._classes if self._kinds[name] == kind]
            listed = tuple(dict.fromkeys(c for name in models for c in self._classes[name]))
            if kind == "categorical":
                forms = {form for name in models for form in other_forms(self._classes[name])}
                listed = (*listed, *sorted(forms - mapping.texts.marks - {*listed}))
            layout = _layout(kind, listed)
            schemas = [
                ModelSchema(name, layout, {}, ids=True, record=_RECORDS[among_events])
                for name in (_EVERY_MODEL, *models)
            ]
            decoder = Decoder(mapping, schemas, max_ahead, max_event_bytes, _EVERY_MODEL)
            for error in decoder.failures.values():
                raise error
            self._decoders[kind] = decoder
            self._places |= {name: _places(self._classes[name], listed) for name in models}

    @property
    def models(self) -> tuple[str, ...]:
        """The models whose labels it reads."""
        return tuple(self._classes)

    def rest(self, name: str) -> None:
        """Read no more labels of a model that failed."""
        self._classes.pop(name, None)

    def decode(self, values: Sequence[bytes | None], timestamps: Sequence[int]) -> DecodedLabels:
        """Decode a batch; see `Decoder.decode`."""
        return {
            kind: decoder.decode(values, timestamps) for kind, decoder in self._decoders.items()
        }

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that `decode_table` reads of a table."""
        return frozenset().union(*(decoder.columns for decoder in self._decoders.values()))

    def decode_table(self, table: Table) -> DecodedLabels:
        """Decode a table; see `Decoder.decode_table`."""
        return {kind: decoder.decode_table(table) for kind, decoder in self._decoders.items()}

    def labels_of(self, name: str, decoded: DecodedLabels) -> tuple[LabelRows, list[Rejected]]:
        """Return the labels of a model in a batch, and the values that are for the dead letters."""
        batch = decoded[self._kinds[name]]
        for error in (batch.failed.get(_EVERY_MODEL), batch.failed.get(name)):
            if error is not None:
                raise error
        rejected = [
            bad
            for bad in batch.rejected
            if bad.model in (None, _EVERY_MODEL, name)
            and not (self._among_events and bad.lack is Lack.ACTUAL)
        ]
        parts = [batch.models[who] for who in (_EVERY_MODEL, name) if who in batch.models]
        if not parts:
            nothing = np.zeros(0, np.int64)
            ids, actual = nothing.astype(np.uint64), np.zeros(0)
            return LabelRows(nothing, nothing, ids, actual, len(rejected)), rejected
        rows = parts[0] if len(parts) == 1 else _together(*parts)
        if classes := self._classes[name]:
            # Both have the classes' codes; the label counts, and where there is none, the score.
            (label, score), many = self._places[name][rows.columns.codes].T, len(classes)
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
        text = wrong & self._perhaps_text(actual)
        for place, perhaps in zip(rows.index[wrong].tolist(), text[wrong].tolist(), strict=True):
            detail = _WRONG + self._where + (_TEXT if perhaps else "")
            rejected.append(Rejected(place, "schema", detail))
        for place in rows.index[unseen].tolist():
            rejected.append(Rejected(place, "unknown_class", _UNKNOWN + self._where))
        index, times, ids = rows.index[known], rows.times[known], _ids(rows)[known]
        found = LabelRows(index, times, ids, actual[known], len(rejected))
        return found, sorted(rejected, key=lambda bad: bad.index)

    def _perhaps_text(self, actual: FloatArray) -> NDArray[np.bool_]:
        """Return where the ground truth may be a number that is not read because it is text."""
        return np.equal(actual, INVALID) & (not self._coerce)


def _kind(classes: Sequence[str]) -> FeatureType:
    """Return how labels of these classes are read: a bare number is a class's text."""
    if not classes:
        return "numeric"
    return "boolean" if tuple(classes) == ("false", "true") else "categorical"


def _layout(kind: FeatureType, classes: tuple[str, ...]) -> Layout:
    names = (_SCORE,) if kind == "numeric" else (_LABEL, _SCORE)
    return Layout.of([Feature(name, kind, np.zeros(0), classes) for name in names])


def _places(classes: Sequence[str], listed: Sequence[str]) -> IntArray:
    """Return the code among `classes` of each code among `listed`, which holds them all."""
    many = len(classes)
    codes = {name: code for code, name in enumerate(classes)}
    codes |= {form: codes.get(name, many) for form, name in other_forms(classes).items()}
    rest = (many, many + 1, many + 2, many + 3)  # another class, missing, absent, invalid
    return np.array([*(codes.get(name, many) for name in listed), *rest], np.int64)


def _together(first: ModelRows, second: ModelRows) -> ModelRows:
    """Return the rows of both in the order of their places in the batch."""
    index = np.concatenate([first.index, second.index])
    order = np.argsort(index)

    def both(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([one, other])[order]

    return ModelRows(
        index[order],
        both(first.times, second.times),
        Columns(
            both(first.columns.numeric, second.columns.numeric),
            both(first.columns.codes, second.columns.codes),
        ),
        both(first.versions, second.versions),
        TagCodes({}),
        both(_ids(first), _ids(second)),
    )


def _ids(rows: ModelRows) -> IdArray:
    return cast(IdArray, rows.ids)  # every schema here asks for them


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
