"""What librdkafka writes to the log: warnings, each kind once a minute, no secrets."""

from __future__ import annotations

import logging

from driftline.consumer.log.kafka_python.client_log import ClientLog


def client_logger() -> logging.Logger:
    """Return the logger that librdkafka writes to; its lines come when a client is polled."""
    logger = logging.getLogger("librdkafka")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    if not any(isinstance(handler, LibrdkafkaLog) for handler in logger.handlers):
        logger.addHandler(LibrdkafkaLog())
    return logger


# That the guarantee is new, each time it is asked for, and what it has found: the worker says which
# message was refused.
_SAID_ELSEWHERE = ("property enable.gapless.guarantee is", "Gap-less ordering would not be")


class LibrdkafkaLog(ClientLog):
    """Its lines come from one place of Python's; what tells them apart is their first word."""

    def emit(self, record: logging.LogRecord) -> None:
        """Hand on the record, but for what the worker knows or says itself."""
        text = record.getMessage()
        if not any(known in text for known in _SAID_ELSEWHERE):
            super().emit(record)

    def place(self, record: logging.LogRecord) -> tuple[object, ...]:
        """Return the kind of the line and the client that wrote it."""
        return record.args[:2] if isinstance(record.args, tuple) else (record.msg,)
