"""The two sides of a comparison on files: whose rows they are, and their ground truth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from driftline.consumer.config import Config, Side
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.opened_file import opened
from driftline.consumer.offline.predictions import (
    ANSWERS,
    TRUTH,
    Predictions,
    needed_columns,
    read_predictions,
)
from driftline.consumer.offline.truth import Truth, read_truth
from driftline.consumer.sketch.event_ids import NO_ID, id_text
from driftline.consumer.sketch.event_rows import EventRows
from driftline.consumer.wire.text import some
from driftline.detectors.grid import IntArray
from driftline.producer.errors import InputError
from driftline.producer.files.columns import Columns
from driftline.producer.files.given import Input
from driftline.producer.files.rows import count_rows, read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.category import category_text, other_forms
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.native_table import renamed
from driftline.producer.records.table import ABSENT, Table
from driftline.producer.records.time_form import GUESSED, GivenTimes

_SAME = 1e-6  # relative: a file may hold its numbers with 32 bits
_SHOWN = 5  # classes


@dataclass(frozen=True)
class TruthOptions:
    """Where the ground truth is.

    Attributes:
        actual: the column that holds it, where no mapping names it.
        labels: a file of it: by the mapping of the model's topic of labels, else guessed.
        positive_label: the class that the score speaks of.
    """

    actual: str | None = None
    labels: Input | None = None
    positive_label: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What is to be compared.

    Attributes:
        names: of champion and challenger, as messages call them.
        files: one for each; or one that has the predictions of both.
        sides: with one file, the models or versions in it.
        config: says how rows are mapped; None: that is guessed.
        model: of the configuration, whose mapping it is.
        truth: where the ground truth is.
        times: what is known of the times of a file without a mapping.
    """

    names: tuple[str, str]
    files: tuple[Input, ...]
    sides: tuple[Side, ...] = ()
    config: Config | None = None
    model: str | None = None
    truth: TruthOptions = TruthOptions()
    times: GivenTimes = GUESSED

    @property
    def topic(self) -> str | None:
        """The topic whose mapping the files have."""
        if self.config is None or self.model is None:
            return None
        return self.config.models[self.model].predictions[0]


@dataclass(frozen=True)
class _File:
    """A file of predictions, as it is read."""

    path: Input
    mapping: Mapping
    truth: Truth | None

    def tables(self, columns: frozenset[str]) -> Iterator[Table]:
        truth = self.truth
        return (
            read_tables(self.path, columns)
            if truth is None
            else truth.read_from(self.path, Columns(columns))
        )


def read_sides(wanted: Wanted, feedback: Feedback) -> tuple[Predictions, Predictions]:
    """Return the predictions of champion and challenger, each with what is known of its truth.

    The ground truth of an event counts for both, whichever of them has it.

    Raises:
        DriftlineError: a file cannot be used, or has no prediction of a side; both sides have
            events' ground truth, and not the same; or no label finds a prediction.
    """
    labels = _configured_labels(wanted)
    files = [_file(wanted, path, feedback) for path in wanted.files]
    read = [_predictions(wanted, file, feedback) for file in files]
    with feedback.progress("sides put together", None):
        first, second = _parted(wanted, read[0]) if wanted.sides else (read[0], read[1])
        if labels is not None:
            _check_found(wanted, labels, (first, second))
        known = None if labels is None else labels.ids[labels.having(TRUTH)]
        _check_same(wanted, files, (first, second), known)
        if labels is not None:
            first, second = (
                each.with_truth(labels, np.ones(len(each), bool)) for each in (first, second)
            )
        return (
            first.with_truth(second, ~first.having(TRUTH)),
            second.with_truth(first, ~second.having(TRUTH)),
        )


def _file(wanted: Wanted, path: Input, feedback: Feedback) -> _File:
    """Return a file with its mapping, and the ground truth that nobody mapped."""
    path = opened(path, wanted.config, wanted.topic)
    own = wanted.truth.actual if wanted.truth.labels is None or wanted.config is not None else None
    if own is not None:
        file_rows.check_actual(path, next(read_rows(path)), own)
    mapping = file_rows.mapping_for(
        wanted.config, wanted.topic, path, feedback, own, wanted.times, named=not wanted.sides
    )
    mapping = file_rows.with_actual(mapping, own, wanted.topic)
    if wanted.truth.labels is None or wanted.config is not None:
        return _File(path, mapping, None)
    truth = read_truth(wanted.truth.labels, path, mapping, feedback, wanted.truth.actual)
    return _File(path, truth.mapped(mapping), truth)


def _predictions(wanted: Wanted, file: _File, feedback: Feedback) -> Predictions:
    read = read_predictions(
        file.tables(needed_columns(file.mapping)), file.mapping, feedback, count_rows(file.path)
    )
    found = read.take(read.having(ANSWERS))
    if not len(found):
        advice = file_rows.no_prediction(wanted.topic)
        given = f"--compare {file.path}" if not wanted.sides else f"{file.path}"
        raise InputError(f"{given}: no prediction column found: {advice}")
    return found


def _parted(wanted: Wanted, found: Predictions) -> tuple[Predictions, Predictions]:
    """Return the predictions of both sides of one file.

    Raises:
        InputError: a side has none.
    """
    named = {found.sides[owner] for owner in np.unique(found.owners).tolist()}
    pair, file = " ".join(wanted.names), wanted.files[0]
    where = f"sources.{wanted.topic or '<topic>'}.fields"
    given = "" if wanted.config is not None else ", and give it with --config (-c)"
    versions = {side.version for side in named}
    if versions == {None} and any(side.version is not None for side in wanted.sides):
        raise InputError(
            f"--compare {pair}: no row of {file} has a model_version: map its column with {where}"
            f" in a configuration{given}"
        )
    models = {side.model for side in named}
    if models == {""} and wanted.sides[0].model != wanted.sides[1].model:
        raise InputError(
            f"--compare {pair}: no row of {file} names its model: map the column with"
            f" {where}.model in a configuration{given}"
        )
    owners = [_owners(side, wanted.sides) for side in found.sides]
    parts = []
    for number, name in enumerate(wanted.names):
        own = np.array([number in each for each in owners], bool)[found.owners]
        if not own.any():
            shown = {str(side) if side.model else f"@{side.version}" for side in named}
            raise InputError(
                f"--compare {name}: no row is a prediction of it; {file} has those of"
                f" {some(sorted(shown), _SHOWN)}"
            )
        parts.append(found.take(own))
    return parts[0], parts[1]


def _owners(found: Side, sides: Sequence[Side]) -> list[int]:
    """Return whose a prediction is; a side that names a version goes before one that does not."""
    own = [n for n, side in enumerate(sides) if found.model in ("", side.model)]
    exact = [n for n in own if sides[n].version is not None and sides[n].version == found.version]
    return exact or [n for n in own if sides[n].version is None]


def _configured_labels(wanted: Wanted) -> Predictions | None:
    """Return the labels of a file that a configuration maps, by their events' ids.

    Raises:
        DriftlineError: the file cannot be used.
    """
    if wanted.truth.labels is None or wanted.config is None or wanted.model is None:
        return None
    own = wanted.config.models[wanted.model].labels
    if own is None:
        raise InputError(
            f"--labels: set models.{wanted.model}.labels to a topic, and map its columns with"
            " sources.<topic>.fields: nothing says what the file's columns are"
        )
    mapping = file_rows.mapping_for(wanted.config, own.topic, wanted.truth.labels, Feedback())
    columns = needed_columns(mapping)
    labels = read_predictions(read_tables(wanted.truth.labels, columns), mapping, Feedback(), None)
    if not ((labels.ids != NO_ID) & labels.having(TRUTH)).any():
        known = ", ".join(next(iter(next(read_rows(wanted.truth.labels)))))
        raise InputError(
            f"{wanted.truth.labels}: no row has event_id and actual: map them with"
            f" sources.{own.topic}.fields; the file has {known}"
        )
    return labels


def _check_found(wanted: Wanted, labels: Predictions, sides: Iterable[Predictions]) -> None:
    ids = labels.ids[labels.having(TRUTH)]
    if not any(np.isin(ids[ids != NO_ID], side.ids).any() for side in sides):
        files = " or ".join(map(str, wanted.files))
        raise InputError(
            f"no id of {wanted.truth.labels} occurs in {files}: check event_id in"
            " sources.<topic>.fields"
        )


def _check_same(
    wanted: Wanted, files: Sequence[_File], sides: Sequence[Predictions], known: Any
) -> None:
    """Refuse sides that have not the same ground truth of an event, but for those in `known`."""
    rows = []
    for side in sides:
        own = (side.ids != NO_ID) & side.having(TRUTH)
        if known is not None:
            own &= ~np.isin(side.ids, known)
        rows.append(np.flatnonzero(own))
    ids = [side.ids[own] for side, own in zip(sides, rows, strict=True)]
    _, *places = np.intersect1d(ids[0], ids[1], return_indices=True)
    both = [own[at] for own, at in zip(rows, places, strict=True)]
    order = np.argsort(both[0])
    both = [each[order] for each in both]
    values = [_truth(side, own) for side, own in zip(sides, both, strict=True)]
    pairs = list(zip(*values, strict=True))
    kinds = {(type(a), a, type(b), b) for a, b in pairs}
    apart = {(type(a), a, type(b), b) for _, a, _, b in kinds if not _equal(a, b)}
    different = [
        place for place, (a, b) in enumerate(pairs) if apart and (type(a), a, type(b), b) in apart
    ]
    if not different:
        return
    first = different[0]
    id_ = _id(files[0], int(sides[0].places[both[0][first]]))
    where = f"on the two sides of {wanted.files[0]}" if wanted.sides else "in the two files"
    shown = [category_text(value) or "none" for value in pairs[first]]
    raise InputError(
        f"{len(different):,} of {len(pairs):,} paired events have different ground truth {where}:"
        f" event {id_} has {shown[0]} and {shown[1]}; give both the same, or the ground truth in a"
        " file of its own with --labels"
    )


def _truth(side: Predictions, rows: IntArray) -> list[Any]:
    """Return the class or the number that really happened, of each row."""
    some = side.take(rows)
    score, label = (
        some.outcomes[name].values() if name in some.outcomes else [None] * len(some)
        for name in TRUTH
    )
    return [s if v is None else v for s, v in zip(score, label, strict=True)]


def _equal(first: Any, second: Any) -> bool:
    if all(isinstance(x, int | float) and not isinstance(x, bool) for x in (first, second)):
        return math.isclose(first, second, rel_tol=_SAME, abs_tol=0.0)
    one, other = category_text(first), category_text(second)
    return one == other or any(
        b is not None and other_forms([b]).get(a or "") == b
        for a, b in ((one, other), (other, one))
    )


def _id(file: _File, place: int) -> str | None:
    """Return the id of the event in a row of a file."""
    done = 0
    for table in file.tables(needed_columns(file.mapping)):
        if place < done + table.rows:
            one = table.take(slice(place - done, place - done + 1))
            whole = renamed(one) if file.mapping.is_native else one
            column = EventRows(whole, file.mapping, None).raw("event_id")
            values = [] if column is None else column.values()
            return next((id_text(value) for value in values if value is not ABSENT), None)
        done += table.rows
    return None
