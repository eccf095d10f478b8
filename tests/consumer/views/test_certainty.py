"""How sure an alert is, in words."""

from __future__ import annotations

import msgspec
import pytest
from tests.consumer.cli.records import alert

from driftline.consumer.views.certainty import how_sure, measured


@pytest.mark.parametrize(
    ("detector", "value", "threshold", "p_value", "text"),
    [
        (None, None, None, None, ""),
        ("sequential", 37.0342, 6.10925, None, "evidence 37 (limit 6.11)"),
        ("ks", 0.430551, 0.0517, 1e-9, "ks 0.431 (limit 0.052)"),
        ("psi", 0.2, None, 0.0012, "psi 0.200 (p-value 0.0012)"),
        ("psi", 0.2, None, None, "psi 0.200"),
    ],
)
def test_a_figure_stands_beside_what_it_is_compared_with(
    detector: str | None,
    value: float | None,
    threshold: float | None,
    p_value: float | None,
    text: str,
) -> None:
    record = msgspec.structs.replace(
        alert(), detector=detector, value=value, threshold=threshold, p_value=p_value
    )
    assert measured(record) == how_sure(record) == text


def test_of_a_metric_the_interval_says_how_sure_it_is() -> None:
    record = msgspec.structs.replace(
        alert(), detector="roc_auc", value=0.7238, threshold=0.74, interval=(0.6812, 0.7664)
    )
    assert how_sure(record) == "roc_auc 0.724 (limit 0.740), 95 % interval 0.681 to 0.766"
    open_ended = msgspec.structs.replace(record, interval=(None, 0.7664))
    assert how_sure(open_ended) == measured(record)
