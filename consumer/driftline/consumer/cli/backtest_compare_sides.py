"""The two sides of a comparison on files: their predictions, and the ground truth of these."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.screen import Screen
from driftline.consumer.config import Config, Side
from driftline.consumer.config.names import hint
from driftline.consumer.offline import file_rows
from driftline.consumer.wire.text import some
from driftline.producer.files.formats import is_file_name
from driftline.producer.files.rows import read_rows
from driftline.producer.records.category import category_text
from driftline.producer.records.event_fields import split_outcome
from driftline.producer.records.mapping import Mapping

_SAME = 1e-6  # relative: a file may hold its numbers with 32 bits
_SHOWN = 5  # classes


@dataclass(frozen=True)
class Given:
    """What is to be compared, as the command line has it.

    Attributes:
        pair: champion and challenger: files, or with `file` models or versions in it.
        file: one file with the predictions of both; None where each has its own.
        config: says how rows are mapped; None: that is guessed.
        model: whose mapping it is, where the configuration has several models.
        labels: a file of labels, by the mapping of the model's topic of labels.
        actual: the column with the ground truth, where no mapping names it.
    """

    pair: tuple[str, str]
    file: Path | None
    config: Path | None
    model: str | None
    labels: Path | None
    actual: str | None


@dataclass(frozen=True)
class Answered:
    """One prediction: `time` in ms, `UNREADABLE` without one; `actual` is None until known."""

    id: str | None
    time: int
    prediction: Any
    actual: Any


def named_sides(given: Given, config: Config | None) -> list[Side]:
    """Return the sides of one file; none where each side has a file of its own.

    Raises:
        CommandError: they are not two different sides.
    """
    if given.file is None:
        first, second = (Path(name) for name in given.pair)
        if first == second or (first.exists() and second.exists() and first.samefile(second)):
            raise CommandError(f"--compare: {first} is on both sides; name two files")
        for path in (first, second):
            if not path.exists() and not is_file_name(path.name):
                raise CommandError(
                    f"--compare {path}: there is no such file; give two files, or with --input FILE"
                    " two models or versions (model@version) in it"
                )
        return []
    for text in given.pair:
        if is_file_name(text) or Path(text).is_file():
            raise CommandError(
                f"--compare {text}: with --input the sides are models, or model@version, in that"
                " file; leave out --input to compare two files"
            )
    sides = [_side(text) for text in given.pair]
    if sides[0] == sides[1]:
        raise CommandError(f"--compare: {sides[0]} is on both sides")
    for side in sides if config is not None else ():
        if config is not None and side.model not in config.models:
            advice = hint(side.model, config.models)
            raise CommandError(f"--compare {side}: there is no model {side.model}; {advice}")
    return sides


def read_sides(
    given: Given, config: Config | None, topic: str | None, names: Sequence[Side]
) -> list[list[Answered]]:
    """Return the predictions of both sides.

    Raises:
        DriftlineError: a file cannot be used, or has no prediction of a side.
    """
    if given.file is not None:
        sides = _of_one_file(given, config, topic, names)
    else:
        files = [Path(name) for name in given.pair]
        sides = [
            [one for _, one in _answers(file, _mapping(given, config, topic, file))]
            for file in files
        ]
        for file, rows in zip(files, sides, strict=True):
            if not rows:
                advice = file_rows.no_prediction(topic)
                raise CommandError(f"--compare {file}: no prediction column found: {advice}")
    return sides


def _side(text: str) -> Side:
    try:
        return Side.parse(text)
    except ValueError as error:
        raise CommandError(f"--compare {text}: {error}") from None


def _mapping(given: Given, config: Config | None, topic: str | None, file: Path) -> Mapping:
    if given.actual is not None:
        file_rows.check_actual(file, next(read_rows(file)), given.actual)
    mapping = file_rows.mapping_for(
        config, topic, file, Screen(), given.actual, named=given.file is None
    )
    return file_rows.with_actual(mapping, given.actual, topic if config is not None else None)


def _answers(file: Path, mapping: Mapping) -> Iterator[tuple[Side, Answered]]:
    """Yield the predictions of a file, and whose they are; without a model that is empty."""
    for rows in read_rows(file):
        times = file_rows.all_times(rows, mapping).tolist()
        for row, time in zip(rows, times, strict=True):
            event = mapping.to_event(row)
            if event.get("prediction") is None:
                continue
            version, key = event.get("model_version"), event.get("event_id")
            side = Side(event.get("model") or "", None if version is None else str(version))
            id_ = None if key is None else str(key)
            yield side, Answered(id_, time, event["prediction"], event.get("actual"))


def _of_one_file(
    given: Given, config: Config | None, topic: str | None, names: Sequence[Side]
) -> list[list[Answered]]:
    file = given.file or Path()
    sides: list[list[Answered]] = [[], []]
    found: set[Side] = set()
    for side, one in _answers(file, _mapping(given, config, topic, file)):
        found.add(side)
        for number in _owner(side, names):
            sides[number].append(one)
    if not found:
        raise CommandError(f"{file}: no prediction column found: {file_rows.no_prediction(topic)}")
    models, versions = {side.model for side in found}, {side.version for side in found}
    where = f"sources.{topic or '<topic>'}.fields"
    given_config = "" if config is not None else ", and give it with --config (-c)"
    if versions == {None} and any(side.version is not None for side in names):
        raise CommandError(
            f"--compare {' '.join(given.pair)}: no row of {file} has a model_version: map its"
            f" column with {where} in a configuration{given_config}"
        )
    if models == {""} and names[0].model != names[1].model:
        raise CommandError(
            f"--compare {' '.join(given.pair)}: no row of {file} names its model: map the column"
            f" with {where}.model in a configuration{given_config}"
        )
    shown = {str(side) if side.model else f"@{side.version}" for side in found}
    for name, rows in zip(names, sides, strict=True):
        if not rows:
            raise CommandError(
                f"--compare {name}: no row is a prediction of it; {file} has those of"
                f" {some(sorted(shown), _SHOWN)}"
            )
    return sides


def _owner(found: Side, names: Sequence[Side]) -> list[int]:
    """Return whose a prediction is; a side that names a version goes before one that does not."""
    own = [n for n, side in enumerate(names) if found.model in ("", side.model)]
    exact = [n for n in own if names[n].version is not None and names[n].version == found.version]
    return exact or [n for n in own if names[n].version is None]


def read_labels(given: Given, config: Config | None, model: str | None) -> dict[str, Any]:
    """Return the ground truth of a file of its own by event id; of several the last holds.

    Raises:
        DriftlineError: the file cannot be used.
    """
    if given.labels is None:
        return {}
    if config is None or model is None:
        raise CommandError(
            "--labels needs a configuration that says how they are mapped: the model's labels"
        )
    own = config.models[model].labels
    if own is None:
        raise CommandError(
            f"--labels: set models.{model}.labels to a topic, and map its columns with"
            " sources.<topic>.fields: nothing says what the file's columns are"
        )
    mapping = file_rows.mapping_for(config, own.topic, given.labels, Screen())
    events = (mapping.to_event(row) for rows in read_rows(given.labels) for row in rows)
    truth = {
        str(event["event_id"]): event["actual"]
        for event in events
        if event.get("event_id") is not None and event.get("actual") is not None
    }
    if not truth:
        known = ", ".join(next(iter(next(read_rows(given.labels)))))
        raise CommandError(
            f"{given.labels}: no row has event_id and actual: map them with"
            f" sources.{own.topic}.fields; the file has {known}"
        )
    return truth


def with_truth(
    given: Given, sides: list[list[Answered]], labels: dict[str, Any]
) -> list[list[Answered]]:
    """Give every prediction the ground truth that any row has of its event.

    Raises:
        CommandError: both sides have events' ground truth, and not the same; or no label finds a
            prediction.
    """
    truth = dict(labels)
    known = {one.id for rows in sides for one in rows if one.id is not None}
    if labels and not known & labels.keys():
        files = str(given.file) if given.file is not None else " or ".join(given.pair)
        raise CommandError(
            f"no id of {given.labels} occurs in {files}: check event_id in sources.<topic>.fields"
        )
    own = [_own_truth(rows, labels) for rows in sides]
    _check_same(given, own)
    for each in own:
        truth = {**each, **truth}
    return [
        [one if one.id not in truth else replace(one, actual=truth[one.id]) for one in rows]
        for rows in sides
    ]


def _own_truth(rows: Iterable[Answered], labels: dict[str, Any]) -> dict[str, Any]:
    """Return the ground truth that stands beside predictions; the first of an event holds."""
    truth: dict[str, Any] = {}
    for one in rows:
        if one.id is not None and one.actual is not None and one.id not in labels:
            truth.setdefault(one.id, one.actual)
    return truth


def _check_same(given: Given, own: Sequence[dict[str, Any]]) -> None:
    both = own[0].keys() & own[1].keys()
    different = sorted(key for key in both if not _equal(own[0][key], own[1][key]))
    if not different:
        return
    where = "in the two files" if given.file is None else f"on the two sides of {given.file}"
    first, second = (_text(truth[different[0]]) for truth in own)
    raise CommandError(
        f"{len(different):,} of {len(both):,} paired events have different ground truth {where}:"
        f" event {different[0]} has {first} and {second}; give both the same, or the ground truth"
        " in a file of its own with --labels"
    )


def _equal(first: Any, second: Any) -> bool:
    a, b = (_bare(value) for value in (first, second))
    if all(isinstance(x, int | float) and not isinstance(x, bool) for x in (a, b)):
        return math.isclose(a, b, rel_tol=_SAME, abs_tol=0.0)
    return category_text(a) == category_text(b)


def _bare(value: Any) -> Any:
    """Return the class or the number of an outcome."""
    parts = split_outcome(value)
    return parts.get("label") if parts.get("label") is not None else parts.get("score")


def _text(value: Any) -> str:
    return category_text(_bare(value)) or "none"
