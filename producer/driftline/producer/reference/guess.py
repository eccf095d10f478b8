"""Guess how the records of a file map to events, from names and sample values.

A guess is shown before it is used: every decision is a sentence in `Guess.said`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from driftline.detectors.registry import FeatureType
from driftline.producer.errors import InputError
from driftline.producer.records.category import category_text
from driftline.producer.records.event_fields import ALIASES, EVENT_FIELDS, split_outcome
from driftline.producer.records.flat_events import flat_mapping
from driftline.producer.records.formats.presets import PRESETS, captured
from driftline.producer.records.mapping import WILDCARD, DateAndClock, Mapping, Source, quote_name
from driftline.producer.records.names import PREDICTION_FEATURES, tag_problem
from driftline.producer.records.places import OFFSET, PARTITION, RECORD_TIMESTAMP
from driftline.producer.records.text_form import TextForm
from driftline.producer.records.time_form import AUTO, GUESSED, GivenTimes, TimeForm
from driftline.producer.reference.guess_texts import guess_texts
from driftline.producer.reference.guess_time import describe, infer_times
from driftline.producer.reference.guess_units import numbers_with_others
from driftline.producer.reference.kinds import kinds_of
from driftline.producer.reference.nested import Flat, flatten, vectors_of
from driftline.producer.reference.sample import PERHAPS_TRUE, PREDICTED, Sample, plain

_TIMESTAMP = (
    "timestamp event_timestamp event_time time ts datetime date_time date created_at created"
    " occurred_at recorded_at prediction_time prediction_timestamp request_time scored_at"
)
_EVENT_ID = "event_id id prediction_id request_id uuid guid inference_id transaction_id"
_SCORE = (
    "prediction_score score y_pred_proba y_score y_prob y_proba probability predicted_probability"
    " proba prob prediction y_pred predicted y_hat"
)
_LABEL = "prediction_label predicted_label predicted_class y_pred prediction predicted y_hat label"
_ACTUAL = "actual target y_true ground_truth true_label actual_label label"
_VERSION = "model_version modelversion version_of_model"
_SURELY = 0.5  # share of times from which on a column is meant to hold them
_REPEATED = 0.1  # share of rows with the id of an earlier one above which ids name no rows
_MOST_LISTED = 20
_NESTED: dict[str, Callable[[list[Any]], bool]] = {
    "event_id": Sample.names_rows,
    "prediction.score": Sample.is_score,
    "prediction.label": Sample.is_label,
    "model_version": Sample.has_values,
}
"""What is looked for inside objects too, and which values it has there."""
_OUTCOME = frozenset(("score", "label"))
_INPUTS = ("features", *ALIASES["features"])
_PREDICTIONS = ("prediction", *ALIASES["prediction"])
_NATIVE = frozenset((*EVENT_FIELDS, *chain(*ALIASES.values()), PARTITION, OFFSET, RECORD_TIMESTAMP))


@dataclass(frozen=True)
class Guess:
    """What was guessed.

    Attributes:
        mapping: the mapping.
        features: the remaining columns and the types that the sample suggests.
        said: one sentence per decision, such as `timestamp: column ts (text, read as UTC)`.
        perhaps_actual: columns that may hold the ground truth, where none is taken for it.
        no_time: a sentence on why no column is the timestamp; empty where one is.
        unclear: a column surely holds times, but how they are written is not known.
        marks: texts that surely stand for no value, to the columns of text that they are in; the
            mapping does not have them yet.
        vectors: features that hold equally long arrays of numbers.
    """

    mapping: Mapping
    features: dict[str, FeatureType]
    said: tuple[str, ...]
    perhaps_actual: tuple[str, ...] = ()
    no_time: str = ""
    unclear: bool = False
    marks: AnyMapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    vectors: tuple[str, ...] = ()


def guess_mapping(
    columns: Sequence[str],
    rows: Sequence[AnyMapping[str, Any]],
    actual: str | None = None,
    given: GivenTimes = GUESSED,
    whole: Callable[[Sequence[str]], Sequence[Any]] | None = None,
    are_times: Callable[[str], bool] | None = None,
) -> Guess:
    """Guess the mapping of records.

    Args:
        columns: top-level fields, in their order.
        rows: sample records, some hundred are enough.
        actual: a column that is known to be the ground truth; None to guess it too.
        given: what is known of the times.
        whole: returns the values at a path in all records, or at two as one (`join_clock`); asked
            where the sample does not tell which number is the day and which the month.
        are_times: tells whether what stands at a path as text are times where it is from.

    Returns:
        The native mapping if the records are events already; else one that names what was found
        and takes every other column as a feature, and every field of the objects in one.

    Raises:
        InputError: the columns that are given as the time are none, or hold none.

    >>> rows = [{"ts": "2019-03-27 00:00:00", "score": 0.5, "km": 12}]
    >>> guess_mapping(["ts", "score", "km"], rows).said
    ('timestamp: column ts (text, read as UTC)', 'prediction.score: column score', \
'features: km (numeric)')
    """
    if _are_events(columns, rows):
        return _native(rows, Mapping.native())
    flat_events = flat_mapping(columns)
    if flat_events is not None and not given.columns:
        return _native(rows, flat_events)
    flat = flatten([name for name in columns if name != actual], rows)
    sample = Sample(flat)
    fields: dict[str, Source] = {}
    said: list[str] = []
    scores: list[str] = []  # columns whose values may be scores
    time = _find_time(sample, given, whole, are_times)
    if time.source is not None:
        fields["timestamp"] = time.source
        said.append(f"timestamp: {time.shown}")
    for field, names, fits in (
        ("event_id", _EVENT_ID, sample.is_id),
        ("prediction.score", _SCORE, sample.is_score),
        ("prediction.label", _LABEL, sample.is_label),
        ("actual", _ACTUAL, sample.has_values),
        ("model_version", _VERSION, sample.has_values),
    ):
        if field == "actual" and actual is not None:
            fields[field] = quote_name(actual)
            continue
        predicted = not fields.keys().isdisjoint(PREDICTION_FEATURES)
        if field == "prediction.label" and predicted:
            names = names.removesuffix(" label")  # beside a score, `label` is the ground truth
        column = sample.take(names.split(), fits)
        if column is None and field in _NESTED:
            column = sample.take_nested(names.split(), _NESTED[field])
        if column is None and field in PREDICTION_FEATURES and not predicted:
            column = sample.take_only(PREDICTED, fits)
        if column is None and field == "actual":
            column = sample.take_partner(_plain_names(fields))
        if column is None:
            continue
        again = sample.repeated(column) if field == "event_id" else 0
        many = len(sample.values(column))
        if again > _REPEATED * many and not tag_problem(column):
            fields[f"tags.{column}"] = flat.path(column)
            said.append(
                f"no event_id: column {column} repeats, {again:,} of {many:,} rows have the id of"
                " an earlier one; it is a tag"
            )
            continue
        fields[field] = flat.path(column)
        scores += [column] if field in ("prediction.score", "actual") else []
        repeats = f" ({again:,} of {many:,} rows have the id of an earlier one)" if again else ""
        said.append(f"{field}: column {column}{repeats}")
    for name in PREDICTION_FEATURES & flat.paths.keys() & {*sample.free}:
        sample.free.remove(name)  # no score or class, and no feature may be called so
        flat.unread[name] = "no score or class"
    perhaps = () if "actual" in fields else sample.perhaps_actual(_plain_names(fields))
    fields["features"] = WILDCARD
    for column in sample.free:
        if column in flat.paths:
            fields[f"features.{column}"] = flat.path(column)
    texts = sample.texts(*scores)
    features = sample.types(coerce=bool(texts.coerce))
    listed = ", ".join(f"{name} ({kind})" for name, kind in islice(features.items(), _MOST_LISTED))
    if len(features) > _MOST_LISTED:
        listed += f" and {len(features) - _MOST_LISTED:,} more"
    said.append(f"features: {listed or 'none'}")
    said += texts.said
    said += numbers_with_others({name: sample.values(name) for name in features})
    said += _arrays(flat.vectors)
    said += _kinds(rows, fields)
    for column in islice((c for c in sample.free if c not in features), _MOST_LISTED):
        if sample.has_no_finite(column):
            said.append(f"not watched: {column} (none of its values is a finite number)")
    for column, held in islice(flat.unread.items(), _MOST_LISTED):
        said.append(f"not read: {column} ({held})")
    preset = captured(rows[0]) if rows else None
    if preset is not None:
        names = " and names" if PRESETS[preset].named else ""
        said.append(
            f"the records look like {preset}, which hold events: to read these, give a"
            f" configuration with preset: {preset}{names} in sources.<topic>"
        )
    return Guess(
        Mapping(fields, time.form, TextForm(coerce=bool(texts.coerce))),
        features,
        tuple(said),
        perhaps,
        time.problem,
        time.unclear,
        texts.marks,
        tuple(flat.vectors),
    )


def _are_events(columns: Sequence[str], rows: Sequence[AnyMapping[str, Any]]) -> bool:
    """Whether records have their inputs in an object, or a prediction and no other columns.

    An object of a prediction beside columns is one of a record that has its inputs there.
    """
    if any(isinstance(row.get(name), dict) for row in rows for name in _INPUTS):
        return True
    predicted = (row.get(name) for row in rows for name in _PREDICTIONS)
    outcomes = any(isinstance(each, dict) and _OUTCOME & each.keys() for each in predicted)
    return outcomes and _NATIVE.issuperset(columns)


def _kinds(rows: Sequence[AnyMapping[str, Any]], known: AnyMapping[str, Any]) -> list[str]:
    """Say that there are records of several kinds, unless it is known which model each is of.

    Labels among the events are none: they have the ground truth.
    """
    kinds = kinds_of(rows)
    if kinds is None or (kinds.field == "model" and "model" in known):
        return []
    if any(known.get("actual") in fields for fields in kinds.own.values()):
        return []
    return [f"{kinds}; they are judged as one, {kinds.advice}"]


def _arrays(vectors: AnyMapping[str, int]) -> list[str]:
    return [
        f"array: column {column} ({size:,} numbers; of type vector it is watched)"
        for column, size in islice(vectors.items(), _MOST_LISTED)
    ]


@dataclass(frozen=True)
class _Time:
    """Where the time is: in no column, in one, or in two."""

    source: str | DateAndClock | None
    form: TimeForm
    shown: str = ""
    problem: str = ""
    unclear: bool = False


def _find_time(
    sample: Sample,
    given: GivenTimes,
    whole: Callable[[Sequence[str]], Sequence[Any]] | None,
    are_times: Callable[[str], bool] | None,
) -> _Time:
    """Find the column of the times, and take it."""
    nearest: tuple[float, str] = (0.0, "")

    def read(columns: Sequence[str]) -> _Time | None:
        nonlocal nearest
        values = sample.joined(columns)
        paths = list(map(sample.flat.path, columns))
        found = infer_times(values, given.form)
        if found.open and whole is not None:
            found = infer_times(whole(paths), given.form)
        named = f"column {columns[0]}" if len(columns) == 1 else f"columns {' and '.join(columns)}"
        if found.form is None:
            nearest = max(nearest, (found.share, f"{named} {found.problem}"), key=itemgetter(0))
            return None
        for column in columns:
            sample.free.remove(column)
            sample.drop_parts_of_second(column)
        source = paths[0] if len(paths) == 1 else DateAndClock(*paths)
        kept = are_times is not None and len(paths) == 1 and are_times(paths[0])
        return _Time(source, found.form, f"{named} ({describe(found.form, values[0], kept=kept)})")

    if given.columns:
        for column in given.columns:
            if column not in sample.free:
                known = ", ".join(sample.free)
                raise InputError(f"--timestamp {column}: there is no such column, but {known}")
        time = read(given.columns)
        if time is None:
            named = ",".join(given.columns)
            problem = infer_times(sample.joined(given.columns), given.form).problem
            raise InputError(f"--timestamp {named}: {nearest[1] or f'it {problem}'}")
        return time
    objects = sample.times_in_objects()
    free = objects | sample.nested() | {plain(name): name for name in reversed(sample.free)}
    likely = [free[name] for name in _TIMESTAMP.split() if name in free]
    texts = [name for name in sample.free if name not in likely and sample.is_text(name)]
    for column in (*likely, *texts):
        if not sample.values(column):
            continue
        clock = sample.clock_of(column)
        time = (read((column, clock)) if clock is not None else None) or read((column,))
        if time is not None:
            return time
    unclear = nearest[0] >= _SURELY
    problem = nearest[1] if unclear else ""
    if not problem and likely and sample.values(likely[0]):
        problem = f"column {likely[0]} {infer_times(sample.values(likely[0])).problem}"
    return _Time(None, AUTO, problem=problem, unclear=unclear)


def guess_truth(rows: Sequence[AnyMapping[str, Any]], predictions: Sequence[Any]) -> str | None:
    """Guess which column of a file of labels holds the ground truth; None where it is not clear.

    It is the one of a name that ground truth has, or with the classes of the predictions, or the
    only one that is neither an id nor a time, or has not another value in each row.

    Args:
        rows: sample records of labels.
        predictions: sample predictions, as events have them.

    >>> guess_truth([{"id": 1, "repaid": 1}, {"id": 2, "repaid": 0}], [0, 1])
    'repaid'
    """
    sample = Sample(Flat(rows, list(dict.fromkeys(name for row in rows for name in row))))
    found = sample.take(_ACTUAL.split(), sample.has_values)
    if found is not None:
        return found
    sample.take(_EVENT_ID.split(), sample.is_id)
    sample.take(_TIMESTAMP.split(), lambda values: infer_times(values).form is not None)
    answers = [answer for each in predictions for answer in split_outcome(each).values()]
    classes = set(map(category_text, answers)) - {None}
    by_name = [name for name in sample.free if PERHAPS_TRUE.fullmatch(plain(name))]
    by_class = [
        name
        for name in sample.free
        if (known := set(map(category_text, sample.values(name)))) and known <= classes
    ]
    free = [name for name in sample.free if not _are_times(sample, name)]
    shared = [name for name in free if not sample.names_rows(sample.values(name))]
    guesses = (by_name, by_class, free, shared)
    return next((names[0] for names in guesses if len(names) == 1), None)


def _are_times(sample: Sample, name: str) -> bool:
    if not sample.is_text(name):
        return False
    found = infer_times(sample.values(name))
    return found.form is not None or found.open


def id_names(columns: Sequence[str]) -> list[str]:
    """Return the columns in the order in which they may hold ids: first those of such a name.

    >>> id_names(["km", "Request ID", "id"])
    ['id', 'Request ID', 'km']
    """
    names = _EVENT_ID.split()
    rank = {name: names.index(plain(name)) for name in columns if plain(name) in names}
    return sorted(columns, key=lambda name: rank.get(name, len(names)))


def _plain_names(fields: AnyMapping[str, Source]) -> list[str]:
    """Return the columns that are taken for predictions."""
    return [
        str(column).replace("\\.", ".")
        for field, column in fields.items()
        if field in PREDICTION_FEATURES
    ]


def _native(rows: Sequence[AnyMapping[str, Any]], mapping: Mapping) -> Guess:
    """Return the guess of records that are events, in objects or in a column for each field."""
    events = [mapping.to_event(row) for row in rows]
    inputs = (event.get("features") for event in events)
    objects = [each for each in inputs if isinstance(each, dict)]
    names = list(dict.fromkeys(name for each in objects for name in each))
    features = Sample(Flat(objects, names))
    scores = (split_outcome(each.get("prediction"), numbers=True).get("score") for each in events)
    predicted = [score for score in scores if score is not None]
    texts = guess_texts(
        {name: features.values(name) for name in names}
        | ({"prediction.score": predicted} if Sample.is_score(predicted) else {})
    )
    vectors = vectors_of(names, objects)
    units = numbers_with_others({name: features.values(name) for name in names})
    said = (
        "the records are events already", *texts.said, *units, *_arrays(vectors),
        *_kinds(rows, {"model": "model", "actual": "actual"}),
    )  # fmt: skip
    coerce = bool(texts.coerce)
    mapping = dataclasses.replace(mapping, texts=TextForm(coerce=coerce))
    types = features.types(coerce=coerce)
    return Guess(mapping, types, said, marks=texts.marks, vectors=tuple(vectors))
