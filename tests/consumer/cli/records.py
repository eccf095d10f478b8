"""The records of the documentation's examples."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from driftline.consumer.wire.records import Alert, Verdict, Window

_WINDOW = {"start": "2019-04-02T00:00:00Z", "end": "2019-04-08T00:00:00Z", "events": 991}
_COUNTS = {"valid": 991, "missing": 0, "absent": 0, "invalid": 0, "unseen": 0, "out_of_range": 0}
_SHARED: dict[str, Any] = {
    "stream": "car-loan",
    "model": "car-loan",
    "segment": None,
    "feature": "car_value",
    "type": "numeric",
    "window": _WINDOW,
    "reference": {"id": "12d664886f4460a1", "events": 50000},
    "versions": {"1": 991},
    "counts": _COUNTS,
    "effect": 1.53282,
}


def alert() -> Alert:
    """The numeric alert, its second record."""
    top = [
        ("up to 11744", 0.10006, 0.0, 0.341843),
        ("11744 to 13494", 0.09996, 0.00302725, 0.209393),
        ("13494 to 15624", 0.1, 0.00908174, 0.137849),
        ("above 60684", 0.1, 0.260343, 0.0986698),
        ("15624 to 18283", 0.09998, 0.0221998, 0.0746478),
    ]
    also = ["loan_length", "repaid_loan_on_prev_car", "salary_range", "prediction.score"]
    record = {
        **_SHARED,
        "schema": "driftline.alert.v1",
        "alert_id": "56f29dcfdc4e44e8",
        "revision": 2,
        "status": "firing",
        "severity": "critical",
        "kind": "feature_drift",
        "summary": (
            "car-loan: car_value rose: median 43,485, normally 21,902, since 2019-03-27 00:00 UTC."
            f" 4 other features changed too: {', '.join(also)}."
        ),
        "since": "2019-03-27T00:00:00Z",
        "until": None,
        "rule": "budget: 1 per 30d, min_effect: 0.02",
        "detector": "ks",
        "value": 0.430551,
        "p_value": 6.87915e-157,
        "threshold": 0.0516913,
        "breaches": [1, 1],
        "top": [
            dict(zip(("what", "reference", "window", "contribution"), each, strict=True))
            for each in top
        ],
        "incident_id": "bcd3f6b39202dc4d",
        "also_firing": also,
        "owner": "credit",
        "runbook": "https://wiki.example/car-loan",
    }
    return msgspec.json.decode(json.dumps(record), type=Alert)


def accuracy() -> Alert:
    """The alert on performance."""
    return msgspec.structs.replace(
        alert(),
        alert_id="79277436dd6621bf",
        revision=1,
        severity="warning",
        kind="performance",
        summary=(
            "car-loan: accuracy fell to 0.915 (95 % interval 0.896 to 0.931), normally 0.944, on"
            " 991 labelled of 991 events, since 2019-04-08 00:00 UTC. 5 features changed before it."
        ),
        feature="performance.accuracy",
        type="performance",
        since="2019-04-08T00:00:00Z",
        rule="accuracy: max_drop 0.01, for 2 of 3",
        detector="accuracy",
        value=0.915237,
        p_value=None,
        threshold=0.93364,
        interval=(0.896252, 0.931016),
        normal=0.94364,
        effect=None,
        breaches=(2, 3),
        window=Window("2019-04-14T00:00:00Z", "2019-04-20T00:00:00Z", 991),
        counts={"labelled": 991, "waiting": 0, "expired": 0},
        top=[],
        incident_id="89997c72afbff254",
        also_firing=["car_value", *alert().also_firing],
    )


def labels_stopped() -> Alert:
    """An alert that labels stopped."""
    return msgspec.structs.replace(
        alert(),
        alert_id="0b7f9e3c5a1d2f48",
        revision=1,
        severity="warning",
        kind="labels",
        summary=(
            "car-loan: labels stopped: 0 for 991 predictions (0.0 %), normally 98.7 %, since"
            " 2019-04-08 00:00 UTC."
        ),
        feature=None,
        type=None,
        since="2019-04-08T00:00:00Z",
        rule="labels: half as many, or twice as late as usual, for 2 of 3",
        detector=None,
        value=None,
        p_value=None,
        threshold=None,
        effect=None,
        breaches=None,
        window=Window("2019-04-14T00:00:00Z", "2019-04-20T00:00:00Z", 991),
        counts=None,
        top=[],
        also_firing=[],
    )


def verdict() -> Verdict:
    """The numeric verdict, of the same window."""
    detectors = {
        "ks": (0.430551, 6.87915e-157, 0.0516913, "critical"),
        "psi": (1.53282, 0.0, 0.0127282, None),
    }
    record = {
        **_SHARED,
        "schema": "driftline.verdict.v1",
        "verdict_id": "882c16b71e44b270",
        "state": "critical",
        "reason": None,
        "detectors": {
            name: dict(zip(("value", "p_value", "threshold", "state"), each, strict=True))
            for name, each in detectors.items()
        },
        "bins": {
            "upper": [11744, 13494, 15624, 18283, 21902, 26738, 33619, 44064, 60684],
            "reference": [5003, 4998, 5000, 4999, 5000, 5001, 4999, 5001, 4999, 5000],
            "window": [0, 3, 9, 22, 58, 79, 137, 206, 219, 258],
        },
    }
    return msgspec.json.decode(json.dumps(record), type=Verdict)
