"""What one `PredictionLogger.log` costs its caller, a model server: 20,000 calls, nobody waits."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from threading import Event
from typing import Any

from driftline.producer.logger.logger import PredictionLogger
from driftline.producer.logger.outbox import Delivered, QueueLimits

CALLS = 20_000


class _Nowhere:
    """Takes everything at once: what is measured is the caller's side."""

    def send(self, records: Sequence[Any], stop: Event) -> Delivered:
        return Delivered(len(records))

    def close(self) -> None:
        pass


def main() -> None:
    draw = random.Random(0)
    for many in (10, 30):
        features: dict[str, Any] = {f"f{i}": draw.random() for i in range(many - 3)}
        features |= {"country": "DE", "returning": True, "age": None}
        limits = QueueLimits(records=10**6, bytes=10**9)
        took = []
        with PredictionLogger("m", _Nowhere(), limits=limits) as logger:
            for _ in range(CALLS):
                begin = time.perf_counter_ns()
                logger.log(features, {"score": 0.5, "label": "x"})
                took.append(time.perf_counter_ns() - begin)
        took.sort()
        median, slow, worst = took[CALLS // 2], took[CALLS * 99 // 100], took[-1]
        print(
            f"{many} features: median {median / 1e3:.1f} us, 99 % below {slow / 1e3:.1f} us, "
            f"worst {worst / 1e3:.0f} us"
        )


if __name__ == "__main__":
    main()
