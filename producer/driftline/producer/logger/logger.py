"""Log predictions from a model server: one call each, and the caller never waits.

    predictions = PredictionLogger("fraud-scorer", KafkaSender("ml.predictions", "localhost:9092"))
    event_id = predictions.log({"amount": 12.5, "country": "DE"}, {"label": "fraud", "score": 0.93})
    predictions.label(event_id, {"label": "ok"})       # later, when the truth is known

A call encodes the event and puts it into a bounded queue, which a thread of its own empties. That
holds in asyncio too: nothing blocks, so nothing needs to be awaited. A model must not fail because
of its log: what cannot be logged is dropped and counted (`counts`), never raised. Only a mistake in
the program is raised, such as 3 predictions for 4 rows.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import msgspec

from driftline.producer.logger.batch import column_of, plain, rows_of
from driftline.producer.logger.outbox import Outbox, OutboxCounts, Outgoing, QueueLimits, Sender

_encode = msgspec.json.Encoder().encode


def _new_id() -> str:
    return uuid.uuid4().hex


class PredictionLogger:
    """Logs the predictions of one model.

    It flushes when it is closed (also as a context manager, `with` or `async with`) and when the
    process ends. A forked child has an empty queue and a connection of its own.

    Args:
        model: the model's name.
        sender: delivers the records: `KafkaSender`, or `MemorySender` in tests.
        model_version: of every event, unless a call has its own.
        limits: how much may wait; beyond that the newest records are dropped.
        close_timeout: seconds that closing waits for what is outstanding.
        clock: returns seconds since 1970, for events without a timestamp.
        new_id: returns an id, for events without one.

    >>> from driftline.producer.logger.outbox import MemorySender
    >>> sender = MemorySender()
    >>> with PredictionLogger("cars", sender, clock=lambda: 1553644800.0) as predictions:
    ...     event_id = predictions.log({"km": 12.5}, 0.93, event_id="a1")
    ...     predictions.label("a1", True)
    >>> for record in sender.records:
    ...     print(record.kind, record.value.decode())
    event {"event_id":"a1","timestamp":1553644800000,"model":"cars","features":{"km":12.5},"prediction":0.93}
    label {"event_id":"a1","timestamp":1553644800000,"model":"cars","actual":true}
    """  # noqa: E501 - the records as they are

    def __init__(
        self,
        model: str,
        sender: Sender,
        *,
        model_version: str | None = None,
        limits: QueueLimits | None = None,
        close_timeout: float = 5.0,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = _new_id,
    ) -> None:
        self._model = model
        self._model_version = model_version
        self._close_timeout = close_timeout
        self._clock = clock
        self._new_id = new_id
        self._outbox = Outbox(sender, limits or QueueLimits())

    def log(
        self,
        features: Mapping[str, Any],
        prediction: Any,
        event_id: str | None = None,
        timestamp: Any = None,
        model_version: str | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> str:
        """Log one prediction and return its event id, by which a label names it.

        Args:
            features: feature to value: number, text, boolean, or None for missing.
            prediction: a number (the score, or a regression's value), a text or a boolean (the
                class), or `{"label": ..., "score": ...}`; None for none.
            event_id: unique among the model's events; a new one unless given.
            timestamp: of the prediction: a datetime, RFC 3339, or seconds or ms since 1970; the
                present unless given.
            model_version: of the model that predicted.
            tags: for slicing, such as `{"channel": "web"}`.
        """
        if event_id is None:
            event_id = self._new_id()
        version = self._model_version if model_version is None else model_version
        record = self._event(event_id, timestamp, features, prediction, version, tags)
        if record is not None:
            self._outbox.put((record,))
        return event_id

    def log_batch(
        self,
        features: Any,
        predictions: Any = None,
        event_ids: Sequence[str] | None = None,
        timestamps: Any = None,
        model_version: str | None = None,
        tags: Mapping[str, Any] | None = None,
        names: Sequence[str] | None = None,
    ) -> list[str]:
        """Log many predictions and return their event ids, in the rows' order.

        Args:
            features: a pandas or polars frame, a numpy array or a list of rows with `names`, or a
                list of dicts; see `driftline.producer.logger.batch` for what NaN means in each.
            predictions: one for each row, as in `log`; an array, a column or a list.
            event_ids: one for each row; new ones unless given.
            timestamps: one for each row; the present unless given.
            model_version: of all rows.
            tags: of all rows.
            names: the columns' names of an array.

        Raises:
            InputError: the arguments do not fit together.
        """
        rows = rows_of(features, names)
        predicted = column_of(predictions, len(rows), "predictions")
        ids = column_of(event_ids, len(rows), "event_ids")
        times = column_of(timestamps, len(rows), "timestamps")
        version = self._model_version if model_version is None else model_version
        ids = [self._new_id() if event_id is None else event_id for event_id in ids]
        records = (
            self._event(event_id, time, row, prediction, version, tags)
            for event_id, time, row, prediction in zip(ids, times, rows, predicted, strict=True)
        )
        self._outbox.put([record for record in records if record is not None])
        return list(ids)

    def label(self, event_id: str, actual: Any, timestamp: Any = None) -> None:
        """Log the ground truth of an event.

        Args:
            event_id: what `log` returned.
            actual: as a prediction: a bare number is a value, text or a boolean a class; a class
                that is a number is written `{"label": 1}`.
            timestamp: when it became known; the present unless given.
        """
        fields = {
            "event_id": event_id,
            "timestamp": timestamp,
            "model": self._model,
            "actual": actual,
        }
        record = self._record("label", fields)
        if record is not None:
            self._outbox.put((record,))

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until all that was logged so far is acknowledged or dropped.

        Returns:
            False if that took longer than `timeout` seconds.
        """
        return self._outbox.flush(timeout)

    def close(self) -> None:
        """Flush, for at most `close_timeout` seconds, and end the thread. Twice is harmless."""
        self._outbox.close(self._close_timeout)

    @property
    def counts(self) -> OutboxCounts:
        """Events and labels sent, outstanding, and dropped by reason, for the server's metrics."""
        return self._outbox.counts()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)

    def _event(
        self,
        event_id: str,
        timestamp: Any,
        features: Mapping[str, Any],
        prediction: Any,
        version: str | None,
        tags: Mapping[str, Any] | None,
    ) -> Outgoing | None:
        fields = {"event_id": event_id, "timestamp": timestamp, "model": self._model}
        if version is not None:
            fields["model_version"] = version
        fields["features"] = features
        if prediction is not None:
            fields["prediction"] = prediction
        if tags is not None:
            fields["tags"] = tags
        return self._record("event", fields)

    def _record(self, kind: Any, fields: dict[str, Any]) -> Outgoing | None:
        """Encode at once: the caller may change its objects after the call."""
        try:
            if fields["timestamp"] is None:
                fields["timestamp"] = int(self._clock() * 1000)
            return Outgoing(kind, str(fields["event_id"]).encode(), _encode(plain(fields)))
        except Exception:  # whatever a foreign object's methods raise
            self._outbox.drop("unencodable")
            return None
