"""Laying drift over the rows that `driftline replay` sends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from driftline.consumer.cli.file_rows import Rows
from driftline.consumer.cli.terminal import say
from driftline.producer.records.fields import RecordFields
from driftline.producer.records.mapping import Mapping
from driftline.producer.replay.generator import generate
from driftline.producer.replay.scenario_text import ScenarioText, parse_scenario, survey
from driftline.producer.replay.scenarios import lay_over, truth_lines, write_truth

_CHUNK = 10_000


def parse(texts: Iterable[str]) -> list[ScenarioText]:
    """Return the scenarios that the options name.

    Raises:
        InputError: one cannot be read.
    """
    return [parse_scenario(text) for text in texts]


def generated(hours: int, seed: int) -> Iterator[Rows]:
    """Yield the events of the bundled stream in chunks."""
    return _chunks(generate(hours, seed=seed))


def drifting(
    read: Callable[[], Iterable[Rows]],
    mapping: Mapping,
    texts: Sequence[ScenarioText],
    seed: int,
    truth: Path | None,
) -> Iterator[Rows]:
    """Yield rows with the drift in them; say, and write, where it is.

    Args:
        read: reads the rows from the beginning; called twice, for scenarios refer to the whole.
        mapping: how a row becomes an event.
        texts: the scenarios.
        seed: of all that is drawn at random.
        truth: a file for the truth, None for none.

    Raises:
        InputError: a scenario does not fit the rows, or the file cannot be written.
    """
    fields = RecordFields(mapping)
    found = survey(chain.from_iterable(read()), texts, fields)
    scenarios = [text.resolve(found) for text in texts]
    if truth is not None:
        write_truth(truth, scenarios)
    for line in truth_lines(scenarios):
        say(f"truth  {line}")
    return _chunks(lay_over(chain.from_iterable(read()), scenarios, fields, seed))


def _chunks(rows: Iterator[dict[str, object]]) -> Iterator[Rows]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk
