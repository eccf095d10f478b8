"""A regression whose inputs mean something else than before."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftline.consumer import build_reference
from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.run import run
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.wire.records import Alert, DetectorValue, Verdict
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

ROWS = 1_000


def prices(rows: int, seed: int, larger: float = 1.0, longer: float = 0.0) -> pd.DataFrame:
    """Errors grow with the area; a few have no price."""
    rng = np.random.default_rng(seed)
    area = rng.normal(100 + longer, 20, rows)
    error = larger * area * rng.normal(size=rows)
    data = pd.DataFrame({"area": area, "city": rng.choice(["A", "B"], rows)})
    data["prediction"] = 3_000 * area
    data["actual"] = np.where(rng.random(rows) < 0.95, data["prediction"] + error, np.nan)
    return data


def records(reference: Path, data: pd.DataFrame) -> list[Alert | Verdict]:
    file = reference.parent / "rows.parquet"
    data.to_parquet(file)
    setup = assumed(
        file, None, reference, Feedback(), wanted=WindowOptions(rows=ROWS, min_events=100)
    )
    return [each for each in run(setup) if isinstance(each, Alert | Verdict)]


def gaps(found: list[Alert | Verdict]) -> list[DetectorValue]:
    name = "estimate_gap"
    return [
        each.detectors[name]
        for each in found
        if isinstance(each, Verdict) and name in each.subject.field
    ]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("reference") / "reference.json"
    file.write_bytes(build_reference(prices(8_000, 1), "prices").to_json())
    return file


def test_larger_errors_of_the_same_inputs_are_told_with_both_means(reference: Path) -> None:
    data = prices(ROWS, 2, larger=1.3)
    found = records(reference, data)
    (alert,) = [each for each in found if isinstance(each, Alert)]
    known = data.dropna()
    realised = float((known["prediction"] - known["actual"]).abs().mean())
    (gap,) = gaps(found)
    assert gap.value is not None
    expected = realised - gap.value
    assert (
        f", where the inputs of these events let expect {expected:.3g},"
        f" on {len(known):,} labelled of {len(known):,} events"
    ) in alert.summary
    assert f"mean absolute error rose to {realised:.3g} " in alert.summary
    assert (alert.feature, alert.kind) == ("performance.mae", "performance")
    # The errors of the reference are a hundredth part of the area, so those of the rows were, too.
    assert expected == pytest.approx(float(known["area"].mean()) * np.sqrt(2 / np.pi), rel=0.05)


def test_larger_errors_that_the_inputs_explain_are_no_gap(reference: Path) -> None:
    found = records(reference, prices(ROWS, 3, longer=30.0))
    (gap,) = gaps(found)
    assert gap.state == "ok"
    fired = {each.feature for each in found if isinstance(each, Alert)}
    assert "area" in fired
    assert "performance.estimate_gap" not in fired


def test_a_reference_that_compared_none_is_read_and_has_no_gap(
    reference: Path, tmp_path: Path
) -> None:
    """As those of 0.1.0: their id stays, and everything else is judged."""
    whole = Reference.from_json(reference.read_bytes())
    outcomes = Outcomes.of(whole)
    assert outcomes is not None
    assert outcomes.has_gap
    assert whole.outcome is not None
    size = outcomes.layout.sections["estimated"].start
    layout = {name: own for name, own in whole.outcome["layout"].items() if name != "errors"}
    counts = [
        {key: own[: sum(cell < size for cell in each["cell"])] for key, own in each.items()}
        for each in whole.outcome["counts"]
    ]
    document = json.loads(reference.read_bytes())
    assert "errors" in json.dumps(document["layout"]["outcome"])
    older = Reference(
        whole.model,
        whole.layout,
        whole.counted,
        whole.segments,
        None,
        {**whole.outcome, "layout": layout, "counts": counts},
    )
    read = Reference.from_json(older.to_json())
    assert read.id == older.id
    assert not (Outcomes.of(read) or outcomes).has_gap
    file = tmp_path / "older.json"
    file.write_bytes(older.to_json())
    found = records(file, prices(ROWS, 2, larger=1.3))
    assert not gaps(found)
    assert "performance.mae" in {each.feature for each in found if isinstance(each, Alert)}


def test_an_error_model_that_its_counts_are_not_of_is_refused(reference: Path) -> None:
    whole = Reference.from_json(reference.read_bytes())
    assert whole.outcome is not None
    model = {**whole.outcome["error_model"], "events": 7}
    changed = Reference(
        whole.model,
        whole.layout,
        whole.counted,
        whole.segments,
        None,
        {**whole.outcome, "error_model": model},
    )
    with pytest.raises(ReferenceError, match="build it again"):
        Outcomes.of(changed)
