from __future__ import annotations

import numpy as np

from driftline.detectors import DETECTORS, FeatureColumn, build_reference, report


def test_report_gives_plain_numbers_and_leaves_out_what_does_not_apply() -> None:
    rng = np.random.default_rng(9)
    reference = build_reference(
        "m",
        {
            "x": FeatureColumn("numeric", rng.normal(size=5_000)),
            "c": FeatureColumn("categorical", ["a", "b"] * 2_500),
            "b": FeatureColumn("boolean", ["true"] * 5_000),
        },
    )
    found = report(
        reference,
        {
            "x": FeatureColumn("numeric", np.append(rng.normal(2, 1, 499), np.nan)),
            "c": FeatureColumn("categorical", ["a"] * 450 + ["z"] * 50),
            "unknown": FeatureColumn("numeric", np.zeros(500)),
        },
    )
    assert list(found) == ["x", "b", "c"]
    for name, kind in (("x", "numeric"), ("c", "categorical")):
        applies = {name for name, detector in DETECTORS.items() if kind in detector.types}
        assert set(found[name].detectors) == applies
    assert found["x"].counts == {
        "valid": 499,
        "missing": 1,
        "absent": 0,
        "invalid": 0,
        "unseen": 0,
        "out_of_range": found["x"].counts["out_of_range"],
    }
    assert found["x"].counts["out_of_range"] > 0
    assert found["x"].detectors["wasserstein"].p_value is None
    assert found["c"].counts["unseen"] == 50
    assert found["c"].detectors["unseen"].value == 0.1
    assert found["c"].bins.categories == ("a", "b", "__other__")
    assert found["b"].effect is None
    assert set(found["b"].detectors) == {"missing", "invalid"}
    assert found["b"].detectors["missing"].value == 1.0
