"""A report file, read back, against the records that it was made of."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .test_inlined import Elements


def data_of(text: str) -> Any:
    """The data of a report."""
    (found,) = [script for kind, script in Elements(text).scripts() if kind == "application/json"]
    return json.loads(found)


def short(values: Iterable[float | None]) -> list[float | None]:
    """Figures as a series has them."""
    found = [None if value is None else float(f"{value:.3g}") for value in values]
    return found[:1] if len({*found}) == 1 else found


def agrees(path: Path, verdicts: Iterable[Any], alerts: Iterable[Any]) -> Any:
    """See that all figures of a report of one model are those of its records; return its data.

    Verdicts are of the whole model, in windows of time; neither they nor the report know marks.
    """
    data = data_of(path.read_text(encoding="utf-8"))
    of: dict[str, dict[str, Any]] = {}
    unjudged = Counter[str]()
    for each in verdicts:
        if each["feature"] is not None and each["type"] != "performance":
            of.setdefault(each["feature"], {})[each["window"]["end"]] = each
            if each["state"] == "insufficient":
                unjudged[each["reason"]] += 1
    (model,) = data["models"]
    ends = model["axis"]["ends"]
    letters = {"ok": "o", "warning": "w", "critical": "c", "insufficient": "i"}
    assert ends == sorted({end for found in of.values() for end in found})
    assert {row["feature"] for row in model["features"]} == set(of)
    for row in model["features"]:
        found = of[row["feature"]]
        assert row["states"] == "".join(letters[found[end]["state"]] for end in ends)
        assert row["effect"] == found[ends[-1]]["effect"]
    for view in data["features"]:
        series = [of[view["feature"]][end] for end in ends]
        assert view["effect"] == short(each["effect"] for each in series)
        evidence = [each.get("sequential") or {"evidence": None, "limit": None} for each in series]
        assert view["evidence"] == short(each["evidence"] for each in evidence)
        assert view["limit"] == short(each["limit"] for each in evidence)
        assert data["verdicts"][view["verdict"]][0] == series[-1]
    assert data["insufficient"] == dict(unjudged)
    newest: dict[str, Any] = {}
    for each in alerts:
        newest[each["alert_id"]] = each
    assert {each["record"]["alert_id"]: each["record"] for each in data["alerts"]} == newest
    drifted = {name for each in newest.values() for name in _names(each)}
    assert {view["feature"] for view in data["features"]} >= drifted & set(of)
    return data


def _names(alert: Any) -> list[str]:
    if alert.get("features"):
        return [each["name"] for each in alert["features"]]
    return [] if alert["feature"] is None else [alert["feature"]]
