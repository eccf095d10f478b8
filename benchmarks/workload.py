"""What the benchmarks feed: seeded events of one kind of model, and the reference for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from driftline.detectors import FeatureColumn, Reference, build_reference

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
REFERENCE_EVENTS = 20_000
CATEGORIES = np.array([f"cat-{i}" for i in range(10)])
_CHUNK = 10_000


@dataclass(frozen=True)
class Workload:
    """A model's events: whole, skewed and normal numbers, one in fifty of the first missing.

    Attributes:
        model: its name.
        numeric: number of numeric features.
        categorical: number of categorical features, of 10 categories each.
    """

    model: str = "benchmark"
    numeric: int = 14
    categorical: int = 6

    def events(
        self, n: int, seed: int, start: int, span: int, shift: float = 0.0
    ) -> Iterator[tuple[int, bytes]]:
        """Yield `n` events as (ms since 1970, JSON), the times evenly over `span` ms.

        The last half of them has its second number moved by `shift` standard deviations. Times
        are out of order by up to 10 s, as they are where many hosts write.
        """
        rng = np.random.default_rng(seed)
        for begin in range(0, n, _CHUNK):
            size = min(_CHUNK, n - begin)
            places = np.arange(begin, begin + size)
            times = start + places * span // n + rng.integers(0, 10_000, size)
            columns = self._columns(rng, size, np.where(2 * places >= n, shift, 0.0))
            labels = np.where(rng.random(size) < 0.1, "fraud", "ok").tolist()
            scores = rng.beta(2, 8, size).round(6).tolist()
            channels = rng.choice(["app", "shop", "web"], size).tolist()
            rows = zip(*columns.values(), strict=True)
            for i, row in enumerate(rows):
                event: dict[str, Any] = {
                    "event_id": f"{begin + i:026d}",
                    "timestamp": _rfc3339(int(times[i])),
                    "model": self.model,
                    "model_version": "3.2",
                    "features": dict(zip(columns, row, strict=True)),
                    "prediction": {"label": labels[i], "score": scores[i]},
                    "tags": {"channel": channels[i]},
                }
                yield int(times[i]), msgspec.json.encode(event)

    def reference(self) -> Reference:
        """Build the reference of the events without a shift."""
        rng = np.random.default_rng(0)
        n = REFERENCE_EVENTS
        features: dict[str, FeatureColumn] = {}
        for name, values in self._columns(rng, n, np.zeros(n)).items():
            kind: Any = "numeric" if name.startswith("num") else "categorical"
            column = np.array(values, np.float64) if kind == "numeric" else values
            features[name] = FeatureColumn(kind, column)
        labels = np.where(rng.random(n) < 0.1, "fraud", "ok").tolist()
        features["prediction.label"] = FeatureColumn("categorical", labels)
        scores = rng.beta(2, 8, n).round(6)
        features["prediction.score"] = FeatureColumn("numeric", scores)
        channels = rng.choice(["app", "shop", "web"], n).tolist()
        return build_reference(self.model, features, {"channel": channels})

    def _columns(self, rng: np.random.Generator, n: int, shift: Any) -> dict[str, list[Any]]:
        columns: dict[str, list[Any]] = {}
        for j in range(self.numeric):
            if j % 3 == 0:
                values = rng.poisson(40, n).tolist()
            elif j % 3 == 1:
                values = (100 + 20 * (rng.normal(size=n) + (shift if j == 1 else 0))).round(2)
                values = values.tolist()
            else:
                values = rng.lognormal(5, 1, n).round(2).tolist()
            if j == 0:
                for i in np.flatnonzero(rng.random(n) < 0.02).tolist():
                    values[i] = None
            columns[f"num_{j}"] = values
        rare = np.arange(1, CATEGORIES.size + 1) / np.arange(1, CATEGORIES.size + 1).sum()
        for j in range(self.categorical):
            columns[f"cat_{j}"] = rng.choice(CATEGORIES, n, p=rare).tolist()
        return columns


def _rfc3339(time: int) -> str:
    text = datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def peak_memory() -> float:
    """Most memory that this process held so far, MB (10**6 bytes).

    Not from `getrusage`, which begins with what the parent process held.
    """
    status = Path("/proc/self/status").read_text()
    kibibytes = next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]
    return int(kibibytes) * 1024 / 1e6
