# ruff: noqa: INP001 - a script, not a package
"""Write what pages say that the code says: configuration, detectors, scenarios, metrics.

Run it after a change of a key, a default or a docstring: `python docs/generate.py`.
"""

from __future__ import annotations

import importlib
import inspect
import re
import runpy
from collections.abc import Callable, Iterator
from math import isinf
from pathlib import Path
from typing import Any

import yaml

from driftline.consumer.config import schema
from driftline.consumer.config.meanings import meanings, path_below, section_of
from driftline.consumer.config.reference import WINDOWS_PATTERN
from driftline.consumer.config.values import BUDGET_PATTERN, FOR_PATTERN
from driftline.consumer.deliver.sinks import SINKS
from driftline.consumer.http.tables import COUNTERS, GAUGES, HISTOGRAMS
from driftline.consumer.ui.openapi import document
from driftline.detectors.outcomes import METRICS, Metric
from driftline.detectors.registry import DETECTORS, RATES, Detector
from driftline.producer.records.durations import PATTERN
from driftline.producer.records.formats.presets import PRESETS

FOLDER = Path(__file__).parent
NOTE = "<!-- Written by docs/generate.py from the code: change that, then run it again. -->\n\n"
FILES = [f"features.{name}" for name, detector in DETECTORS.items() if name not in RATES]
USE = {
    "budget": "always, for the budget",
    "always": "always",
    "named": "where a threshold names it",
}
TYPES = ("numeric", "categorical", "boolean")
LIMITS = {"thresholds": "map of detector to [limit](#a-limit)",
          "performance": "map of metric to [performance limit](#a-performance-limit)"}  # fmt: skip
_ITEM = re.compile(r"^([\w, ]+): (.*)$")

_PATTERNS = {
    BUDGET_PATTERN: "`N per <duration>`",
    FOR_PATTERN: "`k of n`",
    WINDOWS_PATTERN: "`N windows`",
    PATTERN: "duration",
    "%": "percentage",
}
_OF = {
    "classes": "predicted classes",
    "scores": "scores",
    "probabilities": "scores that are probabilities",
    "errors": "a regression",
}
_UNITS = {
    "share": "0 to 1",
    "nats": "nats",
    "prediction": "the prediction's unit",
    "none": "no unit",
}
_WORDS = {"string": "text", "array": "list", "object": "map", "integer": "whole number"}

Schema = dict[str, Any]


def configuration() -> str:
    """Return the page of all keys: name, type and default from the models, meaning from a table.

    Raises:
        ValueError: a key has no sentence in `meanings.yaml`, or a sentence no key.
    """
    document = schema()
    sections = document["$defs"]
    known = meanings()
    keys = {
        "The file": list(_keys(document, sections, "")),
        "A limit": list(_keys(sections["Limit"], sections, "limit.")),
        "A performance limit": list(_keys(sections["PerformanceLimit"], sections, "performance.")),
    }
    named = [key for rows in keys.values() for key, _, _ in rows]
    if wrong := set(named) ^ set(known):
        raise ValueError(f"meanings.yaml and the configuration differ in {sorted(wrong)}")
    tables = {
        title: _table(
            ("key", "type", "default", "meaning"),
            [
                (f"`{_shown(key)}`", kind, default, known[key].strip())
                for key, kind, default in rows
            ],
        )
        for title, rows in keys.items()
    }
    text = (FOLDER / "configuration.head.md").read_text("utf-8")
    return NOTE + text + "".join(f"\n## {title}\n\n{table}" for title, table in tables.items())


def _keys(
    section: Schema, sections: dict[str, Schema], path: str
) -> Iterator[tuple[str, str, str]]:
    required = section.get("required", ())
    for name, key in section["properties"].items():
        inner = section_of(key, sections)
        if name in LIMITS:
            yield f"{path}{name}", LIMITS[name], "none"
        elif name == "defaults":
            yield name, "map", "none"
        elif inner is None:
            default = f"`{_plain(key['default'])}`" if "default" in key else "none"
            yield f"{path}{name}", _type(key), "required" if name in required else default
        else:
            if "anyOf" in key:  # may be left out, or written in a shorter way
                yield f"{path}{name}", _type(key), "required" if name in required else "none"
            yield from _keys(inner[1], sections, path_below(path, name, key))


def _type(key: Schema) -> str:
    if "anyOf" in key:
        kinds = (_type(part) for part in key["anyOf"] if part.get("type") != "null")
        return " or ".join(dict.fromkeys(kinds))
    if "const" in key:
        return f"`{key['const']}`"
    if "enum" in key:
        return ", ".join(f"`{value}`" for value in key["enum"])
    if "$ref" in key:
        return "map of the keys below"
    if pattern := key.get("pattern"):
        return next(word for part, word in _PATTERNS.items() if part in pattern)
    names: list[str] = key["type"] if isinstance(key["type"], list) else [key["type"]]
    return " or ".join(_WORDS.get(name, name) for name in names)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(key: str) -> str:
    return key.removeprefix("limit.").removeprefix("performance.")


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def detectors() -> str:
    """Return the page of the detectors: what stands in their docstrings."""
    table = _table(
        ("detector", "what it answers", "for", "value", "p-value", "computed"),
        [
            (f"`{name}`", each.when, _types(each), _values(each), _law(each), USE[each.use])
            for name, each in DETECTORS.items()
        ],
    )
    head = (FOLDER / "detectors.head.md").read_text("utf-8")
    parts = [NOTE, head.replace("{table}\n", table + "\n")]
    for name in (*FILES, "features.rates", "budget"):
        module = importlib.import_module(f"driftline.detectors.{name}")
        parts.append(f"\n## {name.rpartition('.')[2]}\n\n{inspect.getdoc(module)}\n")
        parts += [_function(function) for function in _functions(module)]
    return "".join(parts)


def _types(detector: Detector) -> str:
    types = "all" if set(detector.types) == set(TYPES) else ", ".join(detector.types)
    return f"{types}, numeric of few values" if detector.few_values else types


def _law(detector: Detector) -> str:
    law = detector.law or "none"
    return f"{law}, of a rise" if detector.direction == "rise" else law


def _values(detector: Detector) -> str:
    """Return unit and bounds of a detector's values."""
    scale = detector.scale
    if isinf(scale.least):
        return scale.unit
    if isinf(scale.most):
        return f"{scale.unit}, from {scale.least:g}"
    return f"{scale.unit}, {scale.least:g} to {scale.most:.3g}"


def _functions(module: Any) -> list[Callable[..., Any]]:
    """Return the public functions written in a module, in their order.

    Those that serve the table of detectors are left out.
    """
    return [
        value
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and name[0] != "_"
        and name not in ("figures", "quiet_share")
    ]


def _function(function: Callable[..., Any]) -> str:
    signature = f"{function.__name__}{inspect.signature(function)}".replace("'", "")
    lines = [f"\n```text\n{signature}\n```\n"]
    blocks = re.split(r"^(Args|Returns|Raises|Example):\n", inspect.getdoc(function) or "",
                      flags=re.MULTILINE)  # fmt: skip
    lines.append(f"\n{blocks[0].strip()}\n")
    for title, body in zip(blocks[1::2], blocks[2::2], strict=True):
        text = inspect.cleandoc(body)
        if title == "Example":
            lines.append(f"\n```pycon\n{text}\n```\n")
        elif title == "Returns":
            lines.append(f"\n*Returns:* {text}\n")
        else:
            lines.append(f"\n*{'Arguments' if title == 'Args' else title}:*\n\n{_items(text)}")
    return "".join(lines)


def _items(text: str) -> str:
    found: list[str] = []
    for line in text.splitlines():
        match = _ITEM.match(line)
        found.append(f"* `{match[1]}`: {match[2]}" if match else f"  {line.strip()}")
    return "\n".join(found) + "\n"


def scenarios() -> str:
    """Return the page of the scenarios: the tables of their two modules."""
    drift = importlib.import_module("driftline.producer.replay.scenarios")
    written = importlib.import_module("driftline.producer.replay.scenario_text")
    head = (FOLDER / "scenarios.head.md").read_text("utf-8")
    texts = [inspect.getdoc(drift) or "", inspect.getdoc(written) or ""]
    return NOTE + head + f"\n## Kinds\n\n{texts[0]}\n\n## As text\n\n{texts[1]}\n"


def metrics() -> str:
    """Return the page of the metrics: the tables of their names."""
    rows: list[tuple[str, ...]] = [
        (f"`driftline_{name}{ending}`", kind, ", ".join(labels), text)
        for kind, ending, table in (("gauge", "", GAUGES), ("counter", "_total", COUNTERS))
        for name, (labels, text) in table.items()
    ]
    rows += [
        (f"`driftline_{name}_seconds`", "histogram", "", text) for name, text in HISTOGRAMS.items()
    ]
    head = (FOLDER / "metrics.head.md").read_text("utf-8")
    return f"{NOTE}{head}\n{_table(('metric', 'type', 'labels', 'meaning'), rows)}"


def performance() -> str:
    """Return the page of performance with the table of what is measured in its place."""
    head = ("metric", "of", "in", "worse", "interval", "written")
    return _filled("performance.md", _table(head, [_metric(each) for each in METRICS.values()]))


def subscribing() -> str:
    """Return the page of subscribing with the table of sinks in its place."""
    rows: list[tuple[str, ...]] = [
        (sink.receiver, f"`{sink.example}`", sink.gets) for sink in SINKS
    ]
    return _filled("subscribing.md", _table(("who", "such as", "gets"), rows))


def formats() -> str:
    """Return the page of formats with the table of presets in its place."""
    head = ("`preset`", "what writes it", "what is read", "`names`")
    rows: list[tuple[str, ...]] = [
        (f"`{name}`", each.title, each.about, "needed" if each.named else "")
        for name, each in PRESETS.items()
    ]
    return _filled("formats.md", _table(head, rows))


def _filled(page: str, table: str) -> str:
    """Return a page with a table between the two comments that keep its place."""
    parts = re.split(r"(<!-- table[^>]*-->\n)", (FOLDER / page).read_text("utf-8"))
    if len(parts) != 5:
        raise ValueError(f"{page} lacks a comment before or after its table")
    return "".join([*parts[:2], "\n", table, "\n", *parts[3:]])


def _metric(metric: Metric) -> tuple[str, ...]:
    scale = metric.scale
    return (
        f"`{metric.name}`",
        _OF[metric.family] + (f": {metric.note}" if metric.note else ""),
        _UNITS[scale.unit],
        {-1: "smaller", 0: "either way", 1: "larger"}[scale.worse],
        metric.interval or "none",
        {"estimated": "always, and estimated", "always": "always", "named": "if named"}[metric.use],
    )


def asyncapi() -> str:
    """Return the AsyncAPI document of the topics that users write and read."""
    document: str = runpy.run_path(str(FOLDER / "asyncapi.py"))["asyncapi"]()
    return document


def openapi() -> str:
    """Return the OpenAPI document of the page's API."""
    note = "# Written by docs/generate.py from the code: change that, then run it again.\n"
    return note + yaml.safe_dump(document(), sort_keys=False, width=100, allow_unicode=True)


PAGES: dict[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "detectors.md": detectors,
    "scenarios.md": scenarios,
    "metrics.md": metrics,
    "performance.md": performance,
    "subscribing.md": subscribing,
    "formats.md": formats,
    "asyncapi.yaml": asyncapi,
    "openapi.yaml": openapi,
}


def main() -> None:
    """Write the pages."""
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
