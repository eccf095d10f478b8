"""How much decoding to columns costs beyond decoding: `python benchmarks/decode.py`.

Bare is what any Python consumer pays: a msgspec decoder for typed structs, value by value. All
figures are of one run, the best of several rounds that take turns, so that a busy machine slows
all of them alike.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from driftline.consumer.sketch.decode import Decoder, ModelSchema
from driftline.detectors.counts import Feature, Layout
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.text_form import TextForm

NUMERIC, CATEGORICAL = 14, 6
CATEGORIES = tuple(f"category_{i}" for i in range(8))
NOW = 1_795_403_400_000
ROUNDS = 9
NUMBER = re.compile(rb'("(?:number_\d+|score)": )([-0-9.e]+)')


def event(rng: random.Random, i: int, model: str, null_rate: float) -> bytes:
    features: dict[str, Any] = {
        f"number_{j}": None if rng.random() < null_rate else round(rng.gauss(100, 20), 4)
        for j in range(NUMERIC)
    }
    features |= {f"kind_{j}": rng.choice(CATEGORIES) for j in range(CATEGORICAL)}
    record = {
        "event_id": f"{i:026d}",
        "timestamp": f"2026-11-23T03:{i // 60 % 60:02d}:{i % 60:02d}.010Z",
        "model": model,
        "model_version": "3.2",
        "features": features,
        "prediction": {"label": rng.choice(["fraud", "ok"]), "score": rng.random()},
        "tags": {"channel": rng.choice(["web", "app", "shop"])},
    }
    return json.dumps(record).encode()


def schema(name: str) -> ModelSchema:
    numbers = [*(f"number_{j}" for j in range(NUMERIC)), "prediction.score"]
    features = [Feature(number, "numeric", np.linspace(0, 200, 100)) for number in numbers]
    features += [
        Feature(f"kind_{j}", "categorical", np.empty(0), CATEGORIES) for j in range(CATEGORICAL)
    ]
    features.append(Feature("prediction.label", "categorical", np.empty(0), ("fraud", "ok")))
    return ModelSchema(name, Layout.of(features), {"channel": ("app", "shop", "web")})


def bare_decoder(gc: bool) -> Callable[[bytes], Any]:
    """Return a typed decoder as one writes it by hand, with the fields in the records' order."""
    options: dict[str, Any] = {} if gc else {"gc": False}
    inputs: list[Any] = [(f"number_{j}", float | None, None) for j in range(NUMERIC)]
    inputs += [(f"kind_{j}", str | None, None) for j in range(CATEGORICAL)]
    features = msgspec.defstruct("Features", inputs, **options)
    outputs: list[Any] = [("label", str | None, None), ("score", float | None, None)]
    prediction = msgspec.defstruct("Prediction", outputs, **options)
    tags = msgspec.defstruct("Tags", [("channel", str | None, None)], **options)
    fields: list[Any] = [
        ("timestamp", str),
        ("model", str),
        ("model_version", str),
        ("features", features),
        ("prediction", prediction),
        ("tags", tags),
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Event", fields, **options)).decode


def per_record(runs: dict[str, Callable[[], object]], records: int) -> dict[str, float]:
    """Return the microseconds a record of each run, best of `ROUNDS` rounds."""
    best = dict.fromkeys(runs, float("inf"))
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], (time.process_time() - start) / records * 1e6)
    return best


def measure(size: int, models: int, null_rate: float) -> None:
    rng = random.Random(1)
    names = [f"model-{i}" for i in range(models)]
    values = [event(rng, i, names[i % models], null_rate) for i in range(20_000)]
    batches = [values[i : i + size] for i in range(0, len(values), size)]
    times = [-1] * size  # no record times: nothing is too far ahead
    decoder = Decoder(Mapping(), [schema(name) for name in names], 300_000, 262_144)
    bare, bare_no_gc = bare_decoder(gc=True), bare_decoder(gc=False)

    def columns() -> None:
        for batch in batches:
            decoded = decoder.decode(batch, times[: len(batch)])
            assert sum(rows.times.size for rows in decoded.models.values()) == len(batch)

    def typed(decode: Callable[[bytes], Any]) -> None:
        for batch in batches:
            [decode(value) for value in batch]

    result = per_record(
        {
            "bare": lambda: typed(bare),
            "bare, gc=False": lambda: typed(bare_no_gc),
            "columns": columns,
        },
        len(values),
    )
    spent = result["columns"]
    print(
        f"batch {size:6,}  models {models}  nulls {null_rate:4.0%}   "
        + "   ".join(f"{name} {cost:.2f} us" for name, cost in result.items())
        + f"   columns / bare {spent / result['bare']:.2f}"
        + f"   columns / bare, gc=False {spent / result['bare, gc=False']:.2f}"
    )


def measure_exact(size: int) -> None:
    """What events cost that leave the compiled way: a number is written as text."""
    rng = random.Random(1)
    values = [event(rng, i, "model", 0.0).replace(b'_0": 1', b'_0": "1"', 1) for i in range(size)]
    decoder = Decoder(Mapping(), [schema("model")], 300_000, 262_144)
    times = [-1] * size  # no record times: nothing is too far ahead
    cost = per_record({"": lambda: decoder.decode(values, times)}, size)[""]
    print(f"batch {size:6,}  the exact way, for events with a value of a wrong type {cost:.2f} us")


def measure_texts(size: int) -> None:
    """What events cost whose numbers are all written as text, where the source says so."""
    rng = random.Random(1)
    values = [NUMBER.sub(rb'\1"\2"', event(rng, i, "model", 0.0)) for i in range(size)]
    decoder = Decoder(Mapping(texts=TextForm(coerce=True)), [schema("model")], 300_000, 262_144)
    times = [-1] * size  # no record times: nothing is too far ahead
    cost = per_record({"": lambda: decoder.decode(values, times)}, size)[""]
    print(f"batch {size:6,}  events whose numbers are text, with coerce {cost:.2f} us")


def main() -> None:
    for size in (500, 2_000, 10_000):
        measure(size, 1, 0.0)
    measure(2_000, 1, 0.01)
    measure(2_000, 2, 0.0)
    measure_exact(2_000)
    measure_texts(2_000)


if __name__ == "__main__":
    main()
