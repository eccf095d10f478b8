"""What a backtest is made of: from a configuration, or from assumptions that are said."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from driftline.consumer.cli import file_rows
from driftline.consumer.cli.backtest_text import Found
from driftline.consumer.cli.configured import choose_model, read_config, read_references, refuse
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.terminal import say
from driftline.consumer.config import (
    Config,
    KafkaConfig,
    ModelConfig,
    SourceConfig,
    WindowConfig,
    format_duration,
)
from driftline.consumer.config.durations import UNITS
from driftline.consumer.judge.sentence import amount
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan, load_reference
from driftline.detectors.reference import Reference
from driftline.producer.mapping import Mapping
from driftline.producer.reference import ReferenceSettings, reference_from_rows

EVENTS_A_WINDOW = 1_000
_TOPIC = "file"
_ROUND = {
    "s": (1, 5, 10, 15, 30), "m": (1, 5, 10, 15, 30), "h": (1, 2, 3, 6, 12), "d": (1, 2, 3, 6),
    "w": (1, 2, 4, 13, 26, 52),
}  # fmt: skip
LENGTHS = [count * UNITS[unit] for unit, counts in _ROUND.items() for count in counts]
"""Window lengths that a person would choose, ms."""


@dataclass
class Setup:
    """A backtest that can begin.

    Attributes:
        backtest: the judge of the events.
        rows: the rows, in chunks.
        total: about how many there are, None if nobody knows.
        mapping: how a row becomes an event.
        model, config: the model and its settings.
        found: what it has yielded so far.
    """

    backtest: Backtest
    rows: Iterable[file_rows.Rows]
    total: int | None
    mapping: Mapping
    model: str
    config: ModelConfig
    found: Found


def configured(config: Path, file: Path, model: str | None, reference: Path | None) -> Setup:
    """Set up a backtest of one model of a configuration.

    Args:
        config: the configuration.
        file: the events.
        model: one of its models; None for the only one.
        reference: instead of the configured one.

    Raises:
        DriftlineError: the configuration, the reference or the file cannot be used.
    """
    loaded = read_config(config, offline=True)
    name = choose_model(loaded.config, model)
    settings = loaded.config.models[name]
    if reference is not None:
        settings = settings.model_copy(update={"reference": reference})
    # The other models' references may not be at hand, and the rows are this model's.
    whole = loaded.config.model_copy(update={"models": {name: settings}})
    references, problems = read_references(
        type(loaded)(whole, loaded.locations, loaded.files), [name]
    )
    refuse(problems)
    topic = settings.predictions[0]
    mapping = file_rows.mapping_for(whole, topic, file)
    return _setup(whole, references[name], name, mapping, file)


def assumed(file: Path, model: str | None, reference: Path | None) -> Setup:
    """Set up a backtest of a file alone, and say on stderr what is assumed.

    Raises:
        DriftlineError: the file or the reference cannot be used.
    """
    mapping = file_rows.guess(file)
    total = file_rows.count(file) or 0
    given = load_reference(reference) if reference is not None else None
    name = model or (given.model if given is not None else _model_of(file, mapping))
    pace = _Pace(mapping)
    baseline, skip = given, 0
    if baseline is None:
        skip = total // 2
        rows = pace.watch(file_rows.first(file_rows.read(file), skip))
        baseline = reference_from_rows(rows, mapping, ReferenceSettings(name)).reference
        say(f"assumed  reference: the first {skip:,} of {total:,} rows")
    else:
        for _ in pace.watch(file_rows.first(file_rows.read(file), total)):
            pass
    length = pace.length(file)
    window = WindowConfig(length=length)
    settings = ModelConfig(predictions=(_TOPIC,), reference=Path("-"), window=window)
    say(
        f"assumed  windows of {format_duration(length)}, about"
        f" {amount(float(f'{pace.rate * length:.2g}'))} events each; budget {settings.budget}"
    )
    config = Config(
        kafka=KafkaConfig(bootstrap_servers=("localhost:9092",)), models={name: settings}
    )
    return _setup(config, baseline, name, mapping, file, skip)


def round_length(rate: float) -> int:
    """Return the round window length (ms) that holds closest to 1,000 events.

    Args:
        rate: events a millisecond.

    >>> round_length(50_000 / (303 * 86_400_000)) == 6 * 86_400_000
    True
    """
    return min(LENGTHS, key=lambda length: abs(math.log(rate * length / EVENTS_A_WINDOW)))


class _Pace:
    """How many events there are in a time, seen in passing."""

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._events = 0
        self._first, self._last = math.inf, -math.inf

    def watch(self, chunks: Iterable[file_rows.Rows]) -> Iterator[file_rows.Rows]:
        for chunk in chunks:
            times = file_rows.event_times(chunk, self._mapping)
            if times.size:
                self._events += times.size
                self._first = min(self._first, int(times.min()))
                self._last = max(self._last, int(times.max()))
            yield chunk

    @property
    def rate(self) -> float:
        """Events a millisecond."""
        return self._events / (self._last - self._first)

    def length(self, file: Path) -> int:
        """Return the window length.

        Raises:
            CommandError: the events have no times, or all the same.
        """
        if not self._events:
            raise CommandError(
                f"{file}: no column holds times, and a window needs them; name it with"
                " sources.<topic>.fields.timestamp in a configuration"
            )
        if self._last <= self._first:
            raise CommandError(f"{file}: all events have the same time, so there are no windows")
        return round_length(self.rate)


def _setup(
    config: Config, reference: Reference, name: str, mapping: Mapping, file: Path, skip: int = 0
) -> Setup:
    settings = config.models[name]
    topic = settings.predictions[0]
    source = SourceConfig(fields=mapping.fields, timestamp_unit=mapping.timestamp_unit)
    config = config.model_copy(update={"sources": {**config.sources, topic: source}})
    total = file_rows.count(file)
    return Setup(
        backtest=Backtest(Plan(config, {name: reference}), name, topic),
        rows=file_rows.after(file_rows.read(file), skip),
        total=total - skip if total is not None else None,
        mapping=mapping,
        model=name,
        config=settings,
        found=Found(name),
    )


def _model_of(file: Path, mapping: Mapping) -> str:
    """Return the model that the events name; else a name made of the file's."""
    events = (mapping.to_event(row) for row in next(file_rows.read(file)))
    named = sorted({str(event["model"]) for event in events if event.get("model") is not None})
    if len(named) > 1:
        raise CommandError(f"which model? give --model, one of {', '.join(named)}")
    return (
        named[0] if named else re.sub(r"[^a-zA-Z0-9_-]+", "-", file.name.split(".")[0]) or "model"
    )
