"""A monitor inside a program of one's own: rows in, verdicts and alerts out, as the service's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from driftline.consumer.config import Config, KafkaConfig, ModelConfig, SourceConfig
from driftline.consumer.join.state import JoinState
from driftline.consumer.judge.comparison.judge import ComparisonState
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.offline.data import tables_of
from driftline.consumer.offline.frames import verdict_frame
from driftline.consumer.offline.row_windows import by_rows
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import load_reference
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.wire.codec import decode, encode
from driftline.consumer.wire.messages import Block, PanesMessage, decode_block, decode_panes
from driftline.consumer.wire.records import Alert, Verdict
from driftline.detectors.reference import Reference
from driftline.errors import RecordError
from driftline.producer.errors import InputError
from driftline.producer.records.table import Table
from driftline.producer.records.table_bytes import decode_table, encode_table
from driftline.producer.reference.guess import guess_mapping

TOPIC = "rows"
_FORMAT = 1
_SAMPLE = 1_000
_NO_TIMES = (
    "; give a column of times, name it in the source's fields, or have windows of rows with"
    ' {"window": {"rows": 1000}}'
)
_State = SketchState | JoinState | JudgeState | ComparisonState


@dataclass(frozen=True)
class Update:
    """What some rows made known.

    Attributes:
        verdicts: of the windows that they made final.
        alerts: that fired, rose or resolved in these.
        late: rows that came too late for their window, and were left out.
        refused: rows that are no events, such as those without a time, and were left out.
    """

    verdicts: list[Verdict]
    alerts: list[Alert]
    late: int = 0
    refused: int = 0

    def to_frame(self) -> Any:
        """Return the verdicts as a frame, a row each: its own fields, not those of its parts."""
        return verdict_frame(self.verdicts)


class _Saved(msgspec.Struct, frozen=True):
    """What `Monitor.save` writes: what the service has in its logs.

    Attributes:
        reference, settings, source: as they were given.
        states: by the name of its stage, encoded.
        offsets: of the next message, by topic.
        messages: those that a stage reads again: topic, offset, encoded.
        tables: the rows that are counted again.
    """

    format: int
    reference: bytes
    settings: dict[str, Any]
    source: dict[str, Any]
    states: dict[str, bytes]
    offsets: dict[str, int]
    messages: list[tuple[str, int, bytes]]
    tables: list[bytes]


class Monitor:
    """Judges rows as they come, as `driftline run` judges the events of a topic.

    Rows are events in the order in which they come; what comes more than `window.grace` after its
    window is late, and is left out. What it keeps in memory are the open windows.

    Args:
        reference: what is normal: from `build_reference`, or a file of it.
        settings: as under `models.<name>` of a configuration, such as
            `{"window": {"length": "15m"}, "budget": "1 per 7d"}`.
        source: as under `sources.<topic>`, such as `{"fields": {"timestamp": "ts"}}`; without it
            the first rows tell which column is what.

    Raises:
        InputError: a setting is wrong.
        ReferenceError: the reference cannot be read.

    >>> import numpy as np
    >>> from driftline.detectors import FeatureColumn, build_reference
    >>> rng = np.random.default_rng(7)
    >>> normal = build_reference("m", {"age": FeatureColumn("numeric", rng.normal(0, 1, 5_000))})
    >>> monitor = Monitor(normal, {"window": {"length": "1h", "min_events": 100}})
    >>> hour = 1_553_644_800 + np.arange(3 * 600) * 6
    >>> rows = {"timestamp": hour, "age": rng.normal(2, 1, 3 * 600)}
    >>> [alert.feature for alert in monitor.update(rows).alerts]
    ['age']
    """

    def __init__(
        self,
        reference: Reference | str | os.PathLike[str],
        settings: Mapping[str, Any] | None = None,
        source: Mapping[str, Any] | None = None,
    ) -> None:
        if not isinstance(reference, Reference):
            if not isinstance(reference, str | os.PathLike):
                kind = type(reference).__name__
                raise InputError(f"{kind} is no reference: build_reference makes one of data")
            reference = load_reference(os.fspath(reference))
        self.reference = reference
        self._settings = dict(settings or {})
        self._source = None if source is None else dict(source)
        config_of(reference.model, self._settings, self._source or {})  # says at once what is wrong
        self._stream: _Stream | None = None

    def update(self, data: Any) -> Update:
        """Count rows; return what they make known.

        Args:
            data: a frame, a dictionary of columns, a list of dictionaries, a file, and all else
                that `report` takes.

        Raises:
            InputError: it is no data, or no row up to now could be used.
        """
        found: list[Verdict | Alert] = []
        late = refused = 0
        for table in tables_of(data):
            stream = self._begun(table)
            totals = stream.totals
            late, refused = late - totals.late.total(), refused - totals.rejected.total()
            found += stream.feed_table(table)
            late, refused = late + totals.late.total(), refused + totals.rejected.total()
        if totals.rejected.total() == totals.read:
            first = next(iter(stream.examples.values()))
            more = _NO_TIMES if first.reason == "timestamp" else ""
            raise InputError(f"no row can be used: {first.detail}{more}")
        return Update(
            [each for each in found if isinstance(each, Verdict)],
            [each for each in found if isinstance(each, Alert)],
            late,
            refused,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that `load` needs to go on as if nothing had happened."""
        Path(path).write_bytes(self.state())

    def state(self) -> bytes:
        """Return what `save` writes."""
        stream = self._stream
        saved = _Saved(
            format=_FORMAT,
            reference=self.reference.to_json(),
            settings=self._settings,
            source=self._source or {},
            states={} if stream is None else stream.encoded_states(),
            offsets={} if stream is None else stream.offsets,
            messages=[] if stream is None else stream.encoded_messages(),
            tables=[] if stream is None else list(map(encode_table, stream.tables)),
        )
        return msgspec.msgpack.encode(saved)

    @classmethod
    def load(cls, state: str | os.PathLike[str] | bytes) -> Monitor:
        """Return the monitor that was saved.

        Args:
            state: the file that `save` wrote, or what `state` returned.

        Raises:
            RecordError: it is no such file, or one of a newer version.
        """
        data = state if isinstance(state, bytes) else Path(state).read_bytes()
        try:
            saved = msgspec.msgpack.decode(data, type=_Saved)
        except msgspec.DecodeError as error:
            raise RecordError(f"not the state of a monitor: {error}") from error
        if saved.format != _FORMAT:
            raise RecordError(f"the state has format {saved.format}, this version reads {_FORMAT}")
        monitor = cls(Reference.from_json(saved.reference), saved.settings, saved.source or None)
        if saved.states:
            monitor._stream = _Stream.of(monitor._plan(), saved)
        return monitor

    def _begun(self, table: Table) -> _Stream:
        if self._stream is None:
            if self._source is None:
                self._source = _guessed(table)
            self._stream = _Stream(self._plan(), self.reference.model, TOPIC)
        return self._stream

    def _plan(self) -> Plan:
        name = self.reference.model
        config = config_of(name, self._settings, self._source or {})
        return Plan(config, {name: self.reference})


class _Stream(Backtest):
    """The stages, with what they would read again after a restart.

    Attributes:
        tables: rows that are counted again.
    """

    def __init__(
        self, plan: Plan, model: str, topic: str, states: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(plan, model, topic, states=states)
        self.tables: list[Table] = []
        self._messages: list[tuple[str, int, Any]] = []

    @classmethod
    def of(cls, plan: Plan, saved: _Saved) -> _Stream:
        """Return the stages as they were saved."""
        (model,) = plan.config.models
        states: dict[str, Any] = {
            name: decode(state, _State)  # type: ignore[arg-type]  # a union is a type to msgspec
            for name, state in saved.states.items()
        }
        stream = cls(plan, model, TOPIC, states)
        for topic, offset, message in saved.messages:
            read = decode_block(message) if topic == "joins" else decode_panes(message)
            stream._again(topic, offset, read)
        stream._offsets.update(saved.offsets)
        for table in map(decode_table, saved.tables):
            list(stream.feed_table(table))
        return stream

    @property
    def offsets(self) -> dict[str, int]:
        """Of the next message, by topic."""
        return dict(self._offsets)

    def feed_table(self, table: Table) -> Iterator[Verdict | Alert]:
        """Count rows, and keep them while their windows are open."""
        self.tables.append(replace(table, first=self._events.sketches[0].next))
        yield from super().feed_table(table)
        self._forget()

    def encoded_states(self) -> dict[str, bytes]:
        """Return the state of every stage."""
        return {name: encode(state) for name, state in self.states().items()}

    def encoded_messages(self) -> list[tuple[str, int, bytes]]:
        """Return the messages that a stage reads again."""
        return [(topic, offset, encode(message)) for topic, offset, message in self._messages]

    def _keep(self, topic: str, offset: int, message: Any) -> None:
        self._messages.append((topic, offset, message))

    def _again(self, topic: str, offset: int, message: Block | PanesMessage) -> None:
        """Let the stages read a message again; it has had its effect."""
        self._messages.append((topic, offset, message))
        stage = self._readers[topic]
        for _ in stage.take(stage.names(message), message, offset):
            raise RecordError("the state does not fit its messages")

    def _forget(self) -> None:
        """Drop the rows and messages that no stage would read again."""
        begins: dict[str, list[int]] = {"joins": [], "panes": []}
        for state in self.states().values():
            if state is None:  # what was counted before is counted again: all of it is needed
                return
            if isinstance(state, SketchState):
                needed = state.rewind if state.needed is None else state.needed
                self.tables = list(_from(needed, self.tables))
            else:
                begins["joins" if isinstance(state, JoinState) else "panes"].append(state.rewind)
        first = {topic: min(found, default=0) for topic, found in begins.items()}
        self._messages = [each for each in self._messages if each[1] >= first[each[0]]]


def _from(row: int, tables: Iterable[Table]) -> Iterator[Table]:
    """Yield the rows from one on."""
    for table in tables:
        skip = max(row - table.first, 0)
        if skip < table.rows:
            yield replace(table.take(slice(skip, None)), first=table.first + skip)


def config_of(model: str, settings: Mapping[str, Any], source: Mapping[str, Any]) -> Config:
    """Return the configuration of one model.

    Raises:
        InputError: a setting is wrong.
    """
    try:
        mapped = SourceConfig.model_validate(dict(source))
        wanted = {"predictions": TOPIC, "reference": "-", "show_values": True, **settings}
        if "labels" not in wanted and mapped.mapping.names("actual") and source:
            wanted["labels"] = TOPIC
        watched = ModelConfig.model_validate(wanted)
        if watched.window.rows is not None:
            watched, numbered = by_rows(watched, mapped.mapping)
            mapped = SourceConfig.of(numbered)
        return Config(
            kafka=KafkaConfig(bootstrap_servers=("localhost:9092",)),
            models={model: watched},
            sources={TOPIC: mapped},
        )
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError(f"settings: {place}: {first['msg']}") from error


def _guessed(table: Table) -> dict[str, Any]:
    """Return the source that the first rows of a table suggest."""
    rows = table.take(slice(0, _SAMPLE)).to_rows()
    mapping = guess_mapping(list(table.columns), rows).mapping
    source = SourceConfig.of(mapping)
    dumped: dict[str, Any] = source.model_dump(mode="json", exclude_defaults=True)
    return dumped
