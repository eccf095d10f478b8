"""Embeddings and texts through the product: false alarms, delays, and what they cost.

    python -m benchmarks.embeddings [quiet|changed|mmd|cost] [--streams 10]

Embeddings are the digits that scikit-learn ships (64 numbers each, drawn with replacement), and
unit vectors of 256 numbers about twelve topics; texts are drawn by Zipf's law from 3,000 words.
A reference of 20,000 events, then a backtest with nothing configured but the budget, one false
alarm a stream: 100,000 events in panes of a minute, 100 each. Of a change the delay is that of the
first alert behind it. Beside it stands the test of the maximum mean discrepancy (MMD) between 500
events of before and windows of 500: a Gaussian kernel of the median distance, unbiased, as
alibi-detect computes it. It alarms where none of 200 permutations is as large: in one of 201 quiet
windows, so once a stream, too. `alibi` lets alibi-detect's own `MMDDrift` look at the same windows:
it needs an environment with alibi-detect and PyTorch, which is gigabytes, so none is made:

    python -m benchmarks.embeddings alibi --python PATH
"""

from __future__ import annotations

import argparse
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import numpy as np
from benchmarks import embedding_streams
from benchmarks.embedding_streams import (
    AFTER,
    PERMUTATIONS,
    VECTORS,
    WINDOW,
    Draw,
    Floats,
    Generator,
)
from benchmarks.environments import ROOT

from driftline.consumer.config import Budget
from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.run import run
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.consumer.wire.records import Alert
from driftline.detectors import Reference
from driftline.detectors.derivations import TextDerivation, VectorDerivation
from driftline.producer.files.given import Given
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Coded, Column, Table, Times, Vectors
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables
from driftline.producer.replay.replay import encode_event

Values = Any  # vectors, shape (n, d), or a list of texts

START = 1_600_041_600_000
STEP = 600  # ms between two events: 100 a minute
REFERENCE, QUIET, BEFORE = 20_000, 100_000, 5_000
FIELDS = Mapping({"timestamp": "at", "features": "*"})


def texts(rng: Generator, n: int, other: float = 0.0, long: float = 1.0) -> list[str]:
    """Texts of 5 to 40 words; a share of them of another language."""
    rank = np.minimum(rng.zipf(1.3, (n, 40)), 3_000)
    sizes = (rng.integers(5, 41, n) * long).astype(int)
    foreign = rng.random(n) < other
    return [
        " ".join(_word(r, where) for r in row[:size]) + "."
        for row, size, where in zip(rank.tolist(), sizes.tolist(), foreign.tolist(), strict=True)
    ]


@lru_cache(maxsize=10_000)
def _word(rank: int, foreign: bool) -> str:
    rng = np.random.default_rng([rank, foreign])
    letters = "аеиотнрскл" if foreign else "etaoinshrdlu"
    return "".join(rng.choice(list(letters), rng.integers(1, 9)).tolist())


KINDS: dict[str, Draw] = {**VECTORS, "texts": texts}
CHANGES: dict[str, tuple[str, Draw]] = {
    **embedding_streams.CHANGES,
    "texts: 5 % in another language": ("texts", lambda rng, n: texts(rng, n, other=0.05)),
    "texts: a tenth longer": ("texts", lambda rng, n: texts(rng, n, long=1.1)),
}


def column(values: Values) -> Column:
    if isinstance(values, list):
        return Coded(np.arange(len(values)), values)
    return Vectors(values)


def tables(values: Values, first: int = 0) -> list[Table]:
    """Return events as tables, the first of which is the `first` of all."""
    times = START + (first + np.arange(len(values))) * STEP
    return [
        Table(
            len(times[a : a + 5_000]),
            {"at": Times(times[a : a + 5_000]), "x": column(values[a : a + 5_000])},
            a,
        )
        for a in range(0, len(values), 5_000)
    ]


def reference_of(rng: Generator, kind: str) -> Reference:
    found = tables(KINDS[kind](rng, REFERENCE))
    settings = ReferenceSettings("m", types={"x": "text" if kind == "texts" else "vector"})
    return reference_from_tables(lambda: found, FIELDS, settings).reference


def fired(reference: Reference, values: Values, minutes: int) -> list[Alert]:
    """Return the alerts of a backtest whose budget is one alarm in so many minutes."""
    found = tables(values, REFERENCE)
    options = WindowOptions(budget=Budget.parse(f"1 per {minutes}m"))
    given = Given("stream", lambda: iter(found))
    setup = assumed(given, None, reference, Feedback(), wanted=options)
    outputs = list(run(setup))
    for failure in setup.backtest.failures.values():
        raise failure
    return [
        each
        for each in outputs
        if isinstance(each, Alert) and each.revision == 1 and each.status == "firing"
    ]


def quiet(streams: int) -> Iterator[str]:
    minutes = QUIET * STEP // 60_000
    for kind, draw in KINDS.items():
        alarms = []
        for seed in range(streams):
            rng = np.random.default_rng([seed, 1])
            reference = reference_of(rng, kind)
            alarms.append(len(fired(reference, draw(rng, QUIET), minutes)))
        shown = f"{np.mean(alarms):8.2f} of 1 allowed, at most {max(alarms)}"
        yield f"{kind:<34} {shown}, {streams} streams"


def changed(streams: int) -> Iterator[str]:
    minutes = QUIET * STEP // 60_000
    for name, (kind, change) in CHANGES.items():
        delays, features = [], []
        for seed in range(streams):
            rng = np.random.default_rng([seed, 2])
            reference = reference_of(rng, kind)
            before, after = KINDS[kind](rng, BEFORE), change(rng, AFTER)
            both = before + after if isinstance(before, list) else np.concatenate([before, after])
            begin = START + (REFERENCE + BEFORE) * STEP
            seen = [
                ((each.window.span[1] - begin) / STEP, each.feature)
                for each in fired(reference, both, minutes)
                if each.window.span[1] > begin
            ]
            delay, feature = min(seen, default=(np.inf, "never"))
            delays.append(delay)
            features.append(feature)
        often = max(set(features), key=features.count)
        shown = f"{np.median(delays):8,.0f} events (worst {max(delays):,.0f})"
        yield f"{name:<34} {shown}, first {often}"


def mmd_p_value(rng: Generator, x: Floats, y: Floats) -> float:
    """The permutation p-value of the unbiased MMD^2; Gretton et al., JMLR 13 (2012)."""
    both = np.concatenate([x, y])
    squares = (both**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * both @ both.T, 0)
    cross = distances[: len(x), len(x) :]
    kernel = np.exp(-distances / (2 * 0.5 * np.median(cross)))
    np.fill_diagonal(kernel, 0)

    # Which events are of the first sample: as they are, and permuted.
    first = np.zeros((len(both), 1 + PERMUTATIONS))
    first[: len(x)] = 1.0
    first[:, 1:] = rng.permuted(first[:, 1:], axis=0)
    toward = kernel @ first
    inside = (first * toward).sum(axis=0)
    between = toward.sum(axis=0) - inside
    outside = kernel.sum() - inside - 2 * between
    n, m = len(x), len(y)
    found = inside / (n * (n - 1)) + outside / (m * (m - 1)) - 2 * between / (n * m)
    return float((found[0] <= found[1:]).mean())


def mmd(streams: int) -> Iterator[str]:
    for name, (kind, change) in CHANGES.items():
        if kind == "texts":
            continue
        delays, spent, looks = [], 0.0, 0
        for seed in range(streams):
            rng = np.random.default_rng([seed, 2])
            known = KINDS[kind](rng, WINDOW)
            delay = np.inf
            for window in range(AFTER // WINDOW):
                values = change(rng, WINDOW)
                began = time.process_time()
                p_value = mmd_p_value(rng, known, values)
                spent, looks = spent + time.process_time() - began, looks + 1
                if not p_value:
                    delay = (window + 1) * WINDOW
                    break
            delays.append(delay)
        cost = spent / looks / WINDOW * 1e6
        median = float(np.median(delays))
        shown = f"{median:8,.0f} events" if np.isfinite(median) else "   never in 20,000"
        yield f"{name:<34} {shown}, {cost:,.0f} µs an event"


def cost(_: int) -> Iterator[str]:
    rng = np.random.default_rng(1)
    for size in (64, 384, 1_536):
        values = rng.normal(size=(2_000, size)).round(6)
        centroids = rng.integers(-4_096, 4_096, (16, size)).astype(np.int16)
        yield from _costs(f"{size} numbers", VectorDerivation.of("x", 11, centroids), values)
    drawn = texts(rng, 2_000)
    known = np.sort(rng.integers(0, 1 << 63, 5_000).astype(np.uint64))
    mean = np.mean([len(text) for text in drawn])
    yield from _costs(f"texts of {mean:.0f} characters", TextDerivation.of("x", known), drawn)


def _costs(name: str, derivation: Any, values: Values) -> Iterator[str]:
    reference = reference_from_tables(
        lambda: tables(values),
        FIELDS,
        ReferenceSettings("m", types={"x": derivation.kind}),
    ).reference
    own = derivation.derive
    rows = tables(values)[0].to_rows()
    records = [encode_event(FIELDS.to_event(row))[1] for row in rows]
    decoder = Decoder(Mapping(), [ModelSchema("m", reference.layout, {})], 1 << 40, 1 << 20)
    parts: dict[str, Callable[[], object]] = {
        "derive": lambda: own(values),
        "decode": lambda: decoder.decode(records, [-1] * len(records)),
    }
    shown = []
    for part, work in parts.items():
        work()
        began = time.process_time()
        for _ in range(5):
            work()
        shown.append(f"{part} {(time.process_time() - began) / 5 / len(values) * 1e6:6.1f}")
    yield f"{name:<34} {', '.join(shown)} µs an event, {len(records[0]):,} bytes a record"


def alibi(streams: int, interpreter: str) -> None:
    """Print what `alibi_peers` does in an environment of its own."""
    file = ROOT / "benchmarks" / "alibi_peers.py"
    subprocess.run([interpreter, "-W", "ignore", str(file), str(streams)], check=True)


PARTS = {"quiet": quiet, "changed": changed, "mmd": mmd, "cost": cost}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="?", choices=[*PARTS, "alibi"])
    parser.add_argument("--streams", type=int, default=10)
    parser.add_argument("--python", help="of an environment with alibi-detect and PyTorch")
    given = parser.parse_args()
    if given.part == "alibi":
        if given.python is None:
            parser.error("alibi needs --python: an environment with alibi-detect and PyTorch")
        return alibi(given.streams, given.python)
    for part in [given.part] if given.part else PARTS:
        print(part, flush=True)
        for line in PARTS[part](given.streams):
            print(f"  {line}", flush=True)


if __name__ == "__main__":
    main()
