"""Backtest: the same sketch and judge over the rows of a file, as one input partition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from driftline.consumer.judge.records import Alert, Verdict
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.partition import (
    DeadLetter,
    Output,
    PartitionSketch,
    SketchState,
    Tally,
)
from driftline.producer.mapping import Mapping
from driftline.producer.replay import encode_event


class Backtest:
    """Judges one model over rows that arrive in the order of the file.

    The rows become events by the mapping of the model's topic and are read as one partition; the
    end of the file is "every partition idle". For the same events, none of them late, the verdicts
    and alerts are those of the service, byte for byte.

    Args:
        plan: holds the model and its reference.
        model: whose events they are.
        topic: the input topic whose mapping the rows have.
    """

    def __init__(self, plan: Plan, model: str, topic: str) -> None:
        self.tally = Tally()
        self.examples: dict[str, DeadLetter] = {}  # the first dead letter of each reason
        source = TopicPartition(topic, 0)
        state = SketchState("file", 1, 0, 0, 0, {})
        models = plan.sketch_models(topic)
        self._mapping = plan.mapping_of(topic)
        decoder = plan.decoder(topic, Mapping.native())
        self._sketch = PartitionSketch(source, 1, decoder, models, state, 0, self.tally)
        self._judge = plan.judge(model, JudgeState(position=0, rewind=0))
        self._model = model
        self._offsets = count()
        self._messages = count()

    def feed(self, rows: Sequence[dict[str, Any]]) -> Iterator[Verdict | Alert]:
        """Count `rows`; yield the verdicts and alerts of the windows that they make final."""
        source = self._sketch.source
        records = [
            MemoryRecord(
                *source, next(self._offsets), -1, *encode_event(self._mapping.to_event(row))
            )
            for row in rows
        ]
        yield from self._judged(self._sketch.feed(records, 0))

    def end(self) -> Iterator[Verdict | Alert]:
        """Yield what the end of the file makes final."""
        yield from self._judged(self._sketch.idle(0, 0))

    @property
    def last_event(self) -> int | None:
        """The largest event time seen, ms."""
        return self._sketch.event_time()

    @property
    def judged_until(self) -> int | None:
        """Event time up to which windows have been judged, ms."""
        return self._sketch.progress()[self._model].horizon

    def _judged(self, outputs: Sequence[Output]) -> Iterator[Verdict | Alert]:
        for output in outputs:
            if isinstance(output, DeadLetter):
                self.examples.setdefault(output.reason, output)
            elif output.model == self._model:
                yield from self._judge.feed(output, next(self._messages))
