"""What a backtest is told to accept as normal: in words, or as the service wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from driftline.consumer.config import WindowConfig
from driftline.consumer.wire.axis import RowAxis
from driftline.consumer.wire.messages import Acceptance
from driftline.consumer.wire.records import Accepted
from driftline.producer.errors import InputError
from driftline.producer.records.timestamp import parse_timestamp

_WHO, _WHY = "backtest", "as given"


class _Record(msgspec.Struct):
    """A verdict or an alert, as far as it tells what was accepted."""

    model: str
    feature: str | None
    accepted: Accepted | None = None


def read_accepted(given: Sequence[str], model: str, window: WindowConfig) -> list[Acceptance]:
    """Return what is accepted of a model.

    Args:
        given: each `FEATURE@TIME`, `@TIME` for every feature, or the name of a file with verdicts
            and alerts of the service, one a line: of what they tell was accepted, the same is.
        model: its name.
        window: of it: where windows are of rows, a time is the number of one.

    Raises:
        InputError: one is none of these.

    Example:
        >>> found = read_accepted(["age@2026-03-27T00:00:00Z"], "m", WindowConfig(length="1h"))
        >>> [(each.feature, each.start) for each in found]
        [('age', 1774569600000)]
    """
    found: dict[tuple[str, str], Acceptance] = {}
    for text in given:
        feature, at, time = text.rpartition("@")
        records = (
            [_given(feature, _place(time, window), model)] if at else _of_file(text, model, window)
        )
        found |= {(each.id, each.feature): each for each in records}
    return list(found.values())


def _given(feature: str, start: int | None, model: str) -> Acceptance:
    if start is None:
        raise InputError("--accept: write FEATURE@TIME, such as income@2026-03-27T00:00:00Z")
    return Acceptance(f"{feature}@{start}", model, feature, _WHO, _WHY, None, start)


def _of_file(name: str, model: str, window: WindowConfig) -> list[Acceptance]:
    path = Path(name)
    if not path.is_file():
        raise InputError(f"--accept {name}: write FEATURE@TIME, or name a file of verdicts")
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            record = msgspec.json.decode(line, type=_Record)
        except msgspec.DecodeError as error:
            raise InputError(f"{name}, line {number}: no verdict and no alert: {error}") from None
        one = record.accepted
        if one is not None and record.feature is not None and record.model == model:
            times = _place(one.since, window), _place(one.start, window)
            found.append(Acceptance(one.id, model, record.feature, one.who, one.why, *times))
    return found


def _place(text: str, window: WindowConfig) -> int | None:
    """Return a time in ms, or the place of a row."""
    if window.rows is None:
        return parse_timestamp(text)
    return RowAxis.of(window.every).origin + int(text) - 1 if text.isdigit() else None
