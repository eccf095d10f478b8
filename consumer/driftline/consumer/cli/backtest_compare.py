"""Champion and challenger on files: their metrics side by side, and which one is better."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np

from driftline.consumer.cli import file_rows
from driftline.consumer.cli.configured import choose_model, read_config
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.config import Config, Side
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import (
    Figure,
    IndependentTest,
    OutcomeLayout,
    OutcomeRows,
    PairedTest,
    count_outcomes,
    measure,
)
from driftline.detectors.outcomes.comparison import Decision, Evidence
from driftline.producer.event_columns import EventColumns
from driftline.producer.mapping import Mapping
from driftline.producer.outcome import OutcomeColumns, measure_outcome
from driftline.producer.timestamp import UNREADABLE

ALPHA = 0.05
# Of split traffic the test looks after each so many labelled events.
_LOOK = 1_000


@dataclass(frozen=True)
class Given:
    """What is to be compared, as the command line has it.

    Attributes:
        pair: champion and challenger: files, or with `file` models or versions in it.
        file: one file with the predictions of both; None where each has its own.
        config: says how rows are mapped; None: that is guessed.
        model: whose mapping it is, where the configuration has several models.
        labels: a file of labels, by the mapping of the model's topic of labels.
        actual: without a configuration, the column with the ground truth.
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


@dataclass(frozen=True)
class Measured:
    """How one side did: predictions, those with their label, and metrics on these."""

    name: str
    predictions: int
    labelled: int
    metrics: dict[str, Figure]


@dataclass(frozen=True)
class Compared:
    """What came out.

    Attributes:
        sides: champion and challenger.
        paired: both predicted the same events, so each event was compared by itself.
        events: labelled events that were compared.
        decision: on the challenger; None where nothing says who was right.
        p_value: of the stronger claim.
        reason: why there is no decision; empty where there is one.
    """

    sides: tuple[Measured, Measured]
    paired: bool
    events: int
    decision: Decision | None
    p_value: float | None
    reason: str = ""


def compare(given: Given) -> Compared:
    """Compare two sides by their events' ground truth.

    Events are paired by their id where more than half of either side's have one that the other has
    too; a second prediction of an id is left out. Otherwise each side is judged by its own.

    Raises:
        DriftlineError: a file, the configuration or the command line cannot be used.
    """
    config = None if given.config is None else read_config(given.config, offline=True).config
    names = [_side(text) for text in given.pair] if given.file is not None else []
    if names and names[0] == names[1]:
        raise CommandError(f"--compare: {names[0]} is on both sides")
    model = None
    if config is not None:
        model = choose_model(config, given.model or (names[0].model if names else None))
    topic = None if config is None or model is None else config.models[model].predictions[0]
    if given.file is not None:
        mapping = file_rows.mapping_for(config, topic, given.file, given.actual)
        sides = _of_one_file(given.file, mapping, names)
    else:
        sides = []
        for name in given.pair:
            mapping = file_rows.mapping_for(config, topic, Path(name), given.actual)
            sides.append([one for _, one in _answers(Path(name), mapping)])
    for name, rows in zip(given.pair, sides, strict=True):
        if not rows:
            raise CommandError(f"--compare {name}: no row is a prediction of it")
    sides = _with_truth(sides, _labels(given, config, model))
    positive = None if config is None or model is None else config.models[model].positive_label
    return _compare(given.pair, sides, positive)


def _side(text: str) -> Side:
    try:
        return Side.parse(text)
    except ValueError as error:
        raise CommandError(f"--compare {text}: {error}") from None


def _answers(file: Path, mapping: Mapping) -> Iterator[tuple[Side, Answered]]:
    """Yield the predictions of a file, and whose they are; without a model that is empty."""
    for rows in file_rows.read(file):
        times = file_rows.all_times(rows, mapping).tolist()
        for row, time in zip(rows, times, strict=True):
            event = mapping.to_event(row)
            if event.get("prediction") is None:
                continue
            version, key = event.get("model_version"), event.get("event_id")
            side = Side(event.get("model") or "", None if version is None else str(version))
            id_ = None if key is None else str(key)
            yield side, Answered(id_, time, event["prediction"], event.get("actual"))


def _of_one_file(file: Path, mapping: Mapping, names: Sequence[Side]) -> list[list[Answered]]:
    sides: list[list[Answered]] = [[], []]
    for side, one in _answers(file, mapping):
        for number in _owner(side, names):
            sides[number].append(one)
    return sides


def _owner(found: Side, names: Sequence[Side]) -> list[int]:
    """Return whose a prediction is; a side that names a version goes before one that does not."""
    own = [n for n, side in enumerate(names) if found.model in ("", side.model)]
    exact = [n for n in own if names[n].version is not None and names[n].version == found.version]
    return exact or [n for n in own if names[n].version is None]


def _labels(given: Given, config: Config | None, model: str | None) -> dict[str, Any]:
    """Return the ground truth of a file of its own by event id; of several the last holds."""
    if given.labels is None:
        return {}
    own = None if config is None or model is None else config.models[model].labels
    if own is None:
        raise CommandError(
            "--labels needs a configuration that says how they are mapped: the model's labels"
        )
    mapping = file_rows.mapping_for(config, own.topic, given.labels)
    events = (mapping.to_event(row) for rows in file_rows.read(given.labels) for row in rows)
    return {
        str(event["event_id"]): event["actual"]
        for event in events
        if event.get("event_id") is not None and event.get("actual") is not None
    }


def _with_truth(sides: list[list[Answered]], truth: dict[str, Any]) -> list[list[Answered]]:
    """Give every prediction the ground truth that any row has of its event."""
    truth = dict(truth)
    for rows in sides:
        for one in rows:
            if one.id is not None and one.actual is not None:
                truth.setdefault(one.id, one.actual)
    return [
        [one if one.id not in truth else replace(one, actual=truth[one.id]) for one in rows]
        for rows in sides
    ]


def _compare(names: tuple[str, str], sides: list[list[Answered]], positive: str | None) -> Compared:
    known = [{one.id for one in rows if one.id is not None} for rows in sides]
    common = known[0] & known[1]
    paired = 2 * len(common) > max(len(rows) for rows in sides)
    if paired:
        sides = [_once(rows) for rows in sides]
    columns = EventColumns("")
    columns.add([{"prediction": o.prediction, "actual": o.actual} for rows in sides for o in rows])
    found = measure_outcome(
        OutcomeColumns(
            columns.prediction["label"], columns.prediction["score"],
            columns.actual["label"], columns.actual["score"],
        ),
        positive,
    )  # fmt: skip
    if found.layout is None or found.rows is None:
        raise CommandError(
            "; ".join(found.notes)
            or "no prediction has its ground truth: map actual, or give --actual COLUMN or --labels"
        )
    cut, layout = len(sides[0]), found.layout
    parts = [_part(found.rows, slice(None, cut)), _part(found.rows, slice(cut, None))]
    measured = [
        Measured(
            name,
            len(rows),
            int((~np.isnan(part.actual)).sum()),
            measure(layout, count_outcomes(layout, part)),
        )
        for name, rows, part in zip(names, sides, parts, strict=True)
    ]
    both = measured[0], measured[1]
    if not (layout.labelled or layout.grid is not None):
        reason = "there is no prediction.label, so nobody knows which predictions are right"
        return Compared(both, paired, 0, None, None, reason)
    if paired:
        return _paired(both, sides, layout, parts)
    if layout.grid is not None:
        reason = "regressions are compared event by event, and these are not of the same events"
        return Compared(both, paired, 0, None, None, reason)
    return _independent(both, sides, parts)


def _once(rows: Sequence[Answered]) -> list[Answered]:
    """Return the first prediction of every id."""
    return list({one.id: one for one in reversed(rows) if one.id is not None}.values())[::-1]


def _part(rows: OutcomeRows, chosen: Any) -> OutcomeRows:
    return OutcomeRows(rows.predicted[chosen], rows.score[chosen], rows.actual[chosen])


def _paired(
    both: tuple[Measured, Measured],
    sides: Sequence[Sequence[Answered]],
    layout: OutcomeLayout,
    parts: Sequence[OutcomeRows],
) -> Compared:
    """Compare events that both sides predicted."""
    places = {one.id: place for place, one in enumerate(sides[1])}
    pairs = [(n, places[one.id]) for n, one in enumerate(sides[0]) if one.id in places]
    a, b = np.array(pairs, np.int64).T
    champion, challenger = _part(parts[0], a), _part(parts[1], b)
    known = ~np.isnan(champion.actual) & ~np.isnan(challenger.actual)
    if layout.grid is None:
        right = [each.predicted == each.actual for each in (champion, challenger)]
    else:
        known &= np.isfinite(champion.score) & np.isfinite(challenger.score)
        far = [np.abs(each.score - each.actual) for each in (champion, challenger)]
        right = [far[0] < far[1], far[1] < far[0]]
    test = PairedTest(
        int((known & right[0] & ~right[1]).sum()), int((known & right[1] & ~right[0]).sum())
    )
    return _decided(both, test.evidence, int(known.sum()), paired=True)


def _independent(
    both: tuple[Measured, Measured],
    sides: Sequence[Sequence[Answered]],
    parts: Sequence[OutcomeRows],
) -> Compared:
    """Compare sides that predicted different events, in the order of their times."""
    side = np.repeat([0, 1], [len(rows) for rows in sides])
    times = np.array([one.time for rows in sides for one in rows], np.int64)
    actual = np.concatenate([part.actual for part in parts])
    right = np.concatenate([part.predicted for part in parts]) == actual
    order = _mixed(side, times)
    order = order[~np.isnan(actual[order])]
    test = IndependentTest()
    for start in range(0, len(order), _LOOK):
        some = order[start : start + _LOOK]
        counts = [
            (int(right[some][side[some] == n].sum()), int((side[some] == n).sum())) for n in (0, 1)
        ]
        test = test.add(*counts)
    return _decided(both, test.evidence, len(order), paired=False)


def _mixed(side: IntArray, times: IntArray) -> IntArray:
    """Return the order of the times; without these, that of each side's own progress."""
    if (times != UNREADABLE).all() and _overlap(side, times):
        return np.lexsort((side, times))
    progress = [np.linspace(0.0, 1.0, int((side == n).sum()), endpoint=False) for n in (0, 1)]
    return np.lexsort((side, np.concatenate(progress)))


def _overlap(side: IntArray, times: IntArray) -> bool:
    """Return whether both sides were at work at the same time."""
    first, second = times[side == 0], times[side == 1]
    return bool(first.min() <= second.max() and second.min() <= first.max())


def _decided(
    both: tuple[Measured, Measured], evidence: Evidence, events: int, *, paired: bool
) -> Compared:
    if not (events and both[0].labelled and both[1].labelled):
        return Compared(both, paired, events, None, None, "no labelled events of both sides")
    # Half of alpha for each of the two claims.
    p_value = float(min(1.0, 2.0 * exp(-max(evidence))))
    return Compared(both, paired, events, evidence.decide(ALPHA), p_value)
