"""What `driftline check --plan` is asked: rates, partitions, workers, read from its options."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.config.names import hint

if TYPE_CHECKING:  # what reads it is large
    from driftline.consumer.config import Config

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_RATE = re.compile(r"([0-9][0-9_,]*(?:\.[0-9]+)?)\s*([kM]?)\s*/\s*([smhd])")
_TIMES = {"": 1.0, "k": 1e3, "M": 1e6}

T = TypeVar("T", int, float)


@dataclass(frozen=True)
class Question:
    """What a plan is asked for.

    Attributes:
        rates: as given: of all topics together, or `topic=rate`.
        partitions: as given: of each topic, or `topic=number`; none: the broker is asked.
        workers: processes.
        keyed: whether a model's events are in one partition of their topic.
    """

    rates: Sequence[str]
    partitions: Sequence[str]
    workers: int
    keyed: bool

    def check_forms(self) -> None:
        """Refuse what is a rate or a number of partitions of no topic whatever.

        Raises:
            CommandError: one is none.
        """
        for text in self.rates:
            _rate(text.rpartition("=")[2])
        for text in self.partitions:
            _partitions(text.rpartition("=")[2])

    def read(self, config: Config) -> tuple[dict[str, float], dict[str, int]]:
        """Return events a second, and partitions as far as they are given, by input topic.

        Raises:
            CommandError: there is no model, or one is of a topic that no model reads.
        """
        if not config.models:
            raise CommandError(
                "--plan needs models in the file: name those that are applied in a file of their"
                " own"
            )
        topics = sorted({topic for model in config.models.values() for topic in model.predictions})
        return read_rates(self.rates, topics), read_partitions(self.partitions, topics)


def read_rates(given: Sequence[str], topics: Sequence[str]) -> dict[str, float]:
    """Return events a second by topic; a rate alone is of all topics, evenly.

    Raises:
        CommandError: one is no rate, or of a topic that is not read.

    >>> read_rates(["3k/s"], ["a", "b"]), read_rates(["a=60/m"], ["a", "b"])
    ({'a': 1500.0, 'b': 1500.0}, {'a': 1.0, 'b': 0.0})
    """
    if not given:
        raise CommandError("--plan needs a rate: --rate 1000/s, or --rate TOPIC=1000/s for each")
    each = _by_topic("--rate", given, topics, _rate)
    if isinstance(each, float):
        return dict.fromkeys(topics, each / len(topics))
    return {topic: each.get(topic, 0.0) for topic in topics}


def read_partitions(given: Sequence[str], topics: Sequence[str]) -> dict[str, int]:
    """Return the partitions of topics for which they are given.

    Raises:
        CommandError: one is no number, or of a topic that is not read.

    >>> read_partitions(["12"], ["a", "b"]), read_partitions(["a=6"], ["a", "b"])
    ({'a': 12, 'b': 12}, {'a': 6})
    """
    if not given:
        return {}
    each = _by_topic("--partitions", given, topics, _partitions)
    return dict.fromkeys(topics, each) if isinstance(each, int) else dict(each)


def _by_topic(
    option: str, given: Sequence[str], topics: Sequence[str], read: Callable[[str], T]
) -> T | Mapping[str, T]:
    """Return what is given for all topics, or for each."""
    if len(given) == 1 and "=" not in given[0]:
        return read(given[0])
    found: dict[str, T] = {}
    for text in given:
        topic, sign, value = text.rpartition("=")
        if not sign:
            raise CommandError(
                f"{option} {text}: name the topic, as there are several: TOPIC={text}"
            )
        if topic not in topics:
            raise CommandError(f"{option} {text}: no model reads {topic}; {hint(topic, topics)}")
        found[topic] = read(value)
    return found


def _rate(text: str) -> float:
    match = _RATE.fullmatch(text.strip())
    value = 0.0
    if match is not None:
        number = float(match[1].replace(",", "").replace("_", ""))
        value = number * _TIMES[match[2]] / _SECONDS[match[3]]
    if not 0 < value < math.inf:
        raise CommandError(f"--rate {text}: write events a time, such as 1000/s, 20k/s or 5000/m")
    return value


def _partitions(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise CommandError(f"--partitions {text}: write a number of partitions, 1 or more")
    return int(text)
