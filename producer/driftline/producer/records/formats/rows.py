"""Rows of features, and what a model answered for each, to events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftline.producer.errors import FormatError
from driftline.producer.records.formats.vectors import named

Facts = Mapping[str, Any]
Events = list[dict[str, Any] | FormatError]

MOST_VALUES = 2_000
"""Values of one row: more are no features, but a picture or a sound."""


def row_events(
    inputs: Sequence[Any] | None,
    outputs: Sequence[Any] | None,
    facts: Facts,
    names: Sequence[str],
) -> Events:
    """Return an event a row.

    Args:
        inputs: the features of each row: an object, or an array that `names` names; None where
            the record is an answer alone.
        outputs: the answer to each row; None where the record is a request alone.
        facts: what is true of all rows. An id is given on where there is one row alone: it is
            not the id of one of several.
        names: of the values in arrays.

    Raises:
        FormatError: there are other numbers of rows and of answers, or no rows at all.

    >>> row_events([[31, 2.5]], [0.2], {"event_id": "a"}, ["age", "km"])
    [{'event_id': 'a', 'features': {'age': 31, 'km': 2.5}, 'prediction': 0.2}]
    """
    if inputs is not None and outputs is not None and len(inputs) != len(outputs):
        text = f"the record has {len(inputs)} rows and {len(outputs)} answers"
        raise FormatError("schema", text)
    many = len(inputs if inputs is not None else outputs or ())
    if many == 0:
        raise FormatError("schema", "the record has neither rows of inputs nor answers")
    known = {name: fact for name, fact in facts.items() if fact is not None}
    if many > 1:
        known.pop("event_id", None)
    events: Events = []
    for place in range(many):
        event = dict(known)
        try:
            if inputs is not None:
                event["features"] = _features(inputs[place], names)
            if outputs is not None:
                event |= _answer(outputs[place])
        except FormatError as error:
            events.append(error)
        else:
            events.append(event)
    return events


def _features(row: Any, names: Sequence[str]) -> dict[str, Any]:
    if isinstance(row, dict):
        return row
    values = row if isinstance(row, list | tuple) else [row]
    if not names:
        raise FormatError(
            "schema",
            f"the record has {len(values)} features without names: list them as names of its topic",
        )
    return named(values, names)


def _answer(output: Any) -> dict[str, Any]:
    """Return what an event has of an answer: `prediction`; of several values all, as `response`."""
    if isinstance(output, list | tuple) and len(output) == 1:
        (output,) = output
    if isinstance(output, dict):
        parts = {name: output[name] for name in ("score", "label") if name in output}
        if "predicted_label" in output:  # as SageMaker's own algorithms write it
            parts.setdefault("label", output["predicted_label"])
        return ({"prediction": parts} if parts else {}) | {"response": output}
    if isinstance(output, list | tuple):
        return {"response": {str(place): value for place, value in enumerate(output[:MOST_VALUES])}}
    return {"prediction": output}


def number_of(text: str) -> str | int | float | None:
    """Return the value of a cell of text: a number where it is one, None where it is empty.

    >>> [number_of(text) for text in ("12", "1e3", "", "007", "web")]
    [12, 1000.0, None, '007', 'web']
    """
    cell = text.strip()
    if not cell:
        return None
    try:
        number = float(cell)
    except ValueError:
        return cell
    if "_" in cell or (cell.lstrip("+-")[:1] == "0" and cell.lstrip("+-")[1:2].isdigit()):
        return cell
    if cell.lstrip("+-").isdecimal():
        return int(cell)
    return number if number - number == 0 else cell
