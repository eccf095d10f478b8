"""The rows of a file as events: how they map, and when they happened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.judge.sentence import clean
from driftline.consumer.offline.feedback import Feedback
from driftline.producer.errors import InputError
from driftline.producer.files.given import Input, checked
from driftline.producer.files.rows import read_rows
from driftline.producer.files.tables import read_tables
from driftline.producer.records.flat_events import flat_mapping
from driftline.producer.records.mapping import Constant, Mapping, parse_path, quote_name
from driftline.producer.records.names import listed
from driftline.producer.records.table import Dates, Times
from driftline.producer.records.time_form import GUESSED, GivenTimes
from driftline.producer.records.timestamp import join_clock
from driftline.producer.records.timestamp_column import UNREADABLE, parse_timestamps
from driftline.producer.reference.guess import Guess, guess_mapping

if TYPE_CHECKING:
    from driftline.consumer.config import Config

Rows = list[dict[str, Any]]
_SAMPLE = 1_000
_FEW = 3


def mapping_for(
    config: Config | None,
    topic: str | None,
    file: Input,
    feedback: Feedback,
    actual: str | None = None,
    times: GivenTimes = GUESSED,
    *,
    named: bool = False,
) -> Mapping:
    """Return how a file's rows become events.

    It is the mapping of `sources.<topic>`; a topic without one holds native events, so the file's
    columns are guessed, and the guess is noted, `named`: with the file's name.

    Raises:
        InputError: the file cannot be used.
    """
    if config is not None and topic in config.sources:
        flat = flat_mapping(next(read_rows(file))[0], config.sources[topic].mapping.texts)
        if flat is not None:
            return flat  # it was exported: the file holds events, not records of the topic
        if times != GUESSED:
            raise InputError(
                "--timestamp, --time-format and --timezone are of a file that nobody maps: say it"
                f" in sources.{topic}"
            )
        return config.sources[topic].mapping
    return guess(file, feedback, actual, times, native_is_expected=config is not None, named=named)


def guess(
    file: Input,
    feedback: Feedback,
    actual: str | None = None,
    times: GivenTimes = GUESSED,
    *,
    native_is_expected: bool = False,
    named: bool = False,
    suggest: bool = True,
) -> Mapping:
    """Guess the mapping of a file from its first rows; see `guess_rows`.

    Raises:
        InputError: the file cannot be used.
    """
    rows = next(read_rows(file))
    of = f"{file}: " if named else ""
    found = _guessed(rows, actual, times, file)
    return _noted(found, feedback, native_is_expected=native_is_expected, of=of, suggest=suggest)


def guess_rows(
    rows: Sequence[dict[str, Any]],
    feedback: Feedback,
    actual: str | None = None,
    *,
    native_is_expected: bool = False,
) -> Mapping:
    """Guess the mapping of rows, and note what was guessed.

    Args:
        rows: a sample.
        feedback: takes the notes.
        actual: a column that is known to be the ground truth.
        native_is_expected: note nothing if the rows are native events.
    """
    return _noted(_guessed(rows, actual), feedback, native_is_expected=native_is_expected)


def _noted(
    found: Guess,
    feedback: Feedback,
    *,
    native_is_expected: bool,
    of: str = "",
    suggest: bool = True,
) -> Mapping:
    """Note what was guessed, each sentence behind `of`; `suggest`: the ground truth too."""
    said = found.said
    if not found.mapping.names("timestamp"):
        why = f" ({found.no_time})" if found.no_time else ""
        sent = f"timestamp: no column found{why}, so events have the time at which they are sent"
        said = (sent, *said)
    for sentence in () if native_is_expected and found.mapping.is_native else said:
        feedback.note("assumed", clean(of + sentence))
    if suggest:
        suggest_actual(found, feedback)
    if native_is_expected and found.mapping.is_native:
        return Mapping.native()  # as the configuration reads the topic
    return found.mapping


def suggest_actual(found: Guess, feedback: Feedback) -> None:
    """Note which columns may be the ground truth that nobody named."""
    if found.perhaps_actual:
        names = " or ".join(found.perhaps_actual[:_FEW])
        feedback.note(
            "note",
            f"without ground truth performance is not measured: if {names} is it, give"
            f" --actual {found.perhaps_actual[0]}",
        )


def look(
    file: Input,
    rows: Sequence[dict[str, Any]],
    most: int,
    actual: str | None = None,
    times: GivenTimes = GUESSED,
) -> Guess:
    """Guess the mapping of a file's first rows, if it has no more than `most` columns.

    Raises:
        InputError: it has more.
    """
    columns = {name for row in rows for name in row}
    if len(columns) > most:
        raise InputError(
            f"{file}: {len(columns):,} columns are too many to guess what each is; keep the model's"
            f" inputs and outputs (at most {most:,} columns), or write a configuration"
        )
    return _guessed(rows, actual, times, file)


def with_actual(mapping: Mapping, column: str | None, topic: str | None = None) -> Mapping:
    """Return the mapping with the column of the ground truth; None leaves it as it is.

    Args:
        mapping: how a row becomes an event.
        column: the ground truth's.
        topic: whose mapping a configuration has; None where it is a guess.

    Raises:
        InputError: native events have their own field for it, or the configuration names another.
    """
    if column is None:
        return mapping
    if mapping.is_native:
        raise InputError(
            "--actual: the records are events already, which have a field actual: leave out"
            " --actual"
        )
    mapped = mapping.names("actual")
    if topic is not None and mapped:
        if all(mapping.fields[name] == quote_name(column) for name in mapped):
            return mapping
        raise InputError(
            f"--actual {column}: the configuration has another column: correct"
            f" sources.{topic}.fields.{mapped[0]}, or leave out --actual"
        )
    fields = {name: path for name, path in mapping.fields.items() if name not in mapped}
    return replace(mapping, fields={**fields, "actual": quote_name(column)})


def check_actual(file: Input, rows: Sequence[dict[str, Any]], column: str) -> None:
    """Refuse a column that none of a file's first rows has.

    Raises:
        InputError: it is a slip.
    """
    if not any(column in row for row in rows):
        known = ", ".join(dict.fromkeys(name for row in rows for name in row))
        raise InputError(f"--actual {column}: not in {file}, which has {known}")


def check_mapping(file: Input, mapping: Mapping, topic: str, feedback: Feedback) -> None:
    """Warn if a configured mapping finds nothing in a file's first rows, and list what is there."""
    if mapping.is_native or mapping.wildcard:
        return
    rows = next(read_rows(file))
    if not any({"features", "prediction"} & mapping.to_event(row).keys() for row in rows):
        columns = list(dict.fromkeys(name for row in rows for name in row))
        feedback.note(
            "warning",
            clean(
                f"{file}: nothing that sources.{topic}.fields names for features or a prediction"
                f" is in its first {len(rows):,} rows, which have {listed(columns)}"
            ),
        )


def no_prediction(topic: str | None = None) -> str:
    """Return what to do where no column is known to hold predictions."""
    where = f"with sources.{topic}.fields" if topic else "in a configuration, or call it prediction"
    return f"map prediction.score or prediction.label {where}"


def _guessed(
    rows: Sequence[dict[str, Any]],
    actual: str | None = None,
    times: GivenTimes = GUESSED,
    file: Input | None = None,
) -> Guess:
    def whole(paths: Sequence[str]) -> list[Any]:
        """Return each value that stands at a path anywhere in the file, once."""
        found: dict[Any, None] = {}
        for chunk in () if file is None else read_rows(file):
            values = [column(chunk, parse_path(path)) for path in paths]
            each = map(join_clock, *values) if len(paths) == 2 else values[0]
            found |= dict.fromkeys(value for value in each if isinstance(value, str | int | float))
        return list(found)

    def are_times(path: str) -> bool:
        """Return whether the file has times at a path, which rows have as text."""
        name, *inner = parse_path(path)
        if file is None or inner or checked(file)[1].read is not None:  # a format of text
            return False
        return isinstance(next(read_tables(file, (name,))).columns.get(name), Times | Dates)

    rows = rows[:_SAMPLE]
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return guess_mapping(columns, rows, actual, times, None if file is None else whole, are_times)


def event_times(rows: Sequence[dict[str, Any]], mapping: Mapping) -> NDArray[np.int64]:
    """Return the event times of rows in ms, read as the monitor does; without those of no time.

    >>> event_times([{"ts": 1553644800}, {}], Mapping({"timestamp": "ts"})).tolist()
    [1553644800000]
    """
    times = all_times(rows, mapping)
    known: NDArray[np.int64] = times[times != UNREADABLE]
    return known


def all_times(rows: Sequence[dict[str, Any]], mapping: Mapping) -> NDArray[np.int64]:
    """Return the time of every row in ms, `UNREADABLE` where there is none."""
    source = mapping.paths().get("timestamp")
    if source is None or isinstance(source, Constant):
        return np.full(len(rows), UNREADABLE, np.int64)
    found = column(rows, source)
    if mapping.clock is not None:
        found = list(map(join_clock, found, column(rows, mapping.clock)))
    return parse_timestamps(found, mapping.times)


def column(rows: Sequence[dict[str, Any]], path: Sequence[str]) -> list[Any]:
    """Return what stands at a path in each row, None where nothing does."""
    values: Iterable[Any] = rows
    for name in path:
        values = [value.get(name) if isinstance(value, dict) else None for value in values]
    return list(values)


def first(chunks: Iterable[Rows], rows: int) -> Iterator[Rows]:
    """Yield the first `rows` rows."""
    for chunk in chunks:
        yield chunk[:rows]
        rows -= len(chunk)
        if rows <= 0:
            return


def after(chunks: Iterable[Rows], rows: int) -> Iterator[Rows]:
    """Yield what comes after the first `rows` rows."""
    for chunk in chunks:
        if rows < len(chunk):
            yield chunk[max(rows, 0) :]
        rows -= len(chunk)
