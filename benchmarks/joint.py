"""What joint drift promises, how soon it finds a change, and what it costs.

    python -m benchmarks.joint [quiet|changes|cost] [--streams 5]

Twenty numbers, each two of which correlate by .5, through the service's code: a reference of 10,000
events, panes of 100, and a budget of one false alarm in 1,200 panes, of which a tenth is for
features that belong together. Quiet: 1,200 panes. Changes: 120 panes after 60 quiet ones; alerts
of the features themselves are counted apart. Cost: counting, evidence and state for 20 and 50
features.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.config import Config
from driftline.consumer.judge.features.change_state import pack
from driftline.consumer.offline.data import tables_of
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert
from driftline.detectors.counts import Columns, Feature, Layout, count_columns
from driftline.detectors.dispersion import DIRECTIONS, JOINS, Dispersion
from driftline.detectors.joint.layout import JointLayout
from driftline.detectors.joint.normal import JointNormal
from driftline.detectors.reference import Reference
from driftline.detectors.sequential.group import Comparing
from driftline.detectors.sequential.stream import StreamEvidence
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import ReferenceSettings, Together, reference_from_tables

Values = NDArray[np.float64]
Generator = np.random.Generator

MODEL, TOPIC = "m", "in"
FEATURES, PANE, NORMAL, QUIET, BEFORE, AFTER = 20, 100, 100, 1_200, 60, 120
MINUTE = 60_000
MAPPING = Mapping({"timestamp": "at", "features": "*"})


def normal(rng: Generator, panes: int, matrix: Values | None = None) -> Values:
    """Return events of some panes, shape (panes, 100, features); `matrix`: of correlations."""
    if matrix is None:
        matrix = np.full((FEATURES, FEATURES), 0.5) + 0.5 * np.eye(FEATURES)
    drawn: Values = rng.standard_normal((panes, PANE, len(matrix))) @ np.linalg.cholesky(matrix).T
    return drawn


def resembling(rng: Generator, panes: int, rho: float) -> Values:
    """Return events each of which resembles the one before: AR(1)."""
    events: Values = normal(rng, panes).reshape(-1, FEATURES) * np.sqrt(1 - rho * rho)
    for i in range(1, len(events)):
        events[i] += rho * events[i - 1]
    return np.reshape(events, (panes, PANE, FEATURES))


def with_effects(rng: Generator, panes: int, size: float) -> Values:
    """Return events of panes whose features each have a mean of their own."""
    return normal(rng, panes) + size * rng.standard_normal((panes, 1, FEATURES))


KINDS: dict[str, Callable[[Generator, int], Values]] = {
    "independent events": normal,
    "AR(1) .5": partial(resembling, rho=0.5),
    "pane effects .1": partial(with_effects, size=0.1),
    "pane effects .2": partial(with_effects, size=0.2),
}


def one_pair(rng: Generator, panes: int, to: float) -> Values:
    """Return events of which the first two features correlate otherwise."""
    matrix = np.full((FEATURES, FEATURES), 0.5) + 0.5 * np.eye(FEATURES)
    matrix[0, 1] = matrix[1, 0] = to
    return normal(rng, panes, matrix)


def one_alone(rng: Generator, panes: int) -> Values:
    """Return events whose first feature goes together with none."""
    values = normal(rng, panes)
    values[:, :, 0] = rng.standard_normal((panes, PANE))
    return values


def all_less(rng: Generator, panes: int) -> Values:
    """Return events whose features all correlate by .4."""
    return normal(rng, panes, np.full((FEATURES, FEATURES), 0.4) + 0.6 * np.eye(FEATURES))


def heavy(rng: Generator, panes: int) -> Values:
    """Return events of a t(3) copula: the same margins and correlations, extremes together."""
    from scipy.stats import norm, t

    wide = np.sqrt(3 / rng.chisquare(3, (panes, PANE, 1)))
    shares = np.clip(t.cdf(normal(rng, panes) * wide, 3), 1e-9, 1 - 1e-9)
    drawn: Values = norm.ppf(shares)
    return drawn


def moved(rng: Generator, panes: int, by: float, features: int = 1, scale: float = 1.0) -> Values:
    """Return events of which some features move, each by itself."""
    values = normal(rng, panes)
    values[:, :, :features] = values[:, :, :features] * scale + by
    return values


CHANGES: dict[str, Callable[[Generator, int], Values]] = {
    "one pair .5 to 0": partial(one_pair, to=0.0),
    "one pair .5 to .8": partial(one_pair, to=0.8),
    "one feature goes with none": one_alone,
    "all .5 to .4": all_less,
    "t(3) copula": heavy,
    "mean of one by .3 sd": partial(moved, by=0.3),
    "mean of one by 1 sd": partial(moved, by=1.0),
    "means of two by .5 sd": partial(moved, by=0.5, features=2),
    "scale of one by .6": partial(moved, by=0.0, scale=0.6),
}


def _frame(values: Values, first: int) -> dict[str, Any]:
    """Return panes as columns; `first`: number of the first one."""
    events = values.reshape(-1, FEATURES)
    step = MINUTE // PANE
    times = first * MINUTE + np.arange(len(events)) * step
    columns = {f"f{i:02}": events[:, i] for i in range(FEATURES)}
    return {"at": times.astype("datetime64[ms]"), **columns}


def _alerts(before: Values, after: Values) -> list[Alert]:
    """Return the first records of the alerts on a stream."""
    first = 27_000_000  # minutes since 1970
    made = partial(tables_of, _frame(before, first))
    settings, all_of_them = ReferenceSettings(MODEL), Together(FEATURES)
    reference: Reference = reference_from_tables(made, MAPPING, settings, all_of_them).reference
    model = {
        "predictions": TOPIC,
        "reference": "unused.json",
        "budget": f"1 per {QUIET}m",
        "window": {"length": "20m", "pane": "1m", "grace": "0s"},
        "joint": {"top": FEATURES},
        "seasons": "off",
    }
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "sources": {TOPIC: {"fields": MAPPING.fields}},
            "models": {MODEL: model},
        }
    )
    backtest = Backtest(Plan(config, {MODEL: reference}, ordered=False), MODEL, TOPIC)
    found: list[Any] = []
    for table in tables_of(_frame(after, first + len(before))):
        found += backtest.feed_table(table)
    found += backtest.end()
    for failure in backtest.failures.values():
        raise failure
    return [each for each in found if isinstance(each, Alert) and each.status == "firing"]


def quiet(streams: int) -> None:
    """Print the alerts of quiet streams."""
    print(f"| {QUIET:,} quiet panes, {streams} streams | joint alerts | other change alarms |")
    for number, (name, draw) in enumerate(KINDS.items()):
        joint = other = 0
        for stream in range(streams):
            rng = np.random.default_rng([1, number, stream])
            alerts = _alerts(draw(rng, NORMAL), draw(rng, QUIET))
            joint += sum(a.kind == "joint_drift" and a.revision == 1 for a in alerts)
            other += sum(a.kind != "joint_drift" and a.revision == 1 for a in alerts)
        print(f"| {name} | {joint} | {other} |", flush=True)


def changes(streams: int) -> None:
    """Print after how many events changes are told, as what."""
    print("| change | told as joint drift | after, events | pairs | alerts on features |")
    for number, (name, draw) in enumerate(CHANGES.items()):
        after, pairs, others = [], [], 0
        for stream in range(streams):
            rng = np.random.default_rng([2, number, stream])
            values = np.concatenate([normal(rng, BEFORE), draw(rng, AFTER)])
            alerts = _alerts(normal(rng, NORMAL), values)
            others += sum(a.kind != "joint_drift" and a.revision == 1 for a in alerts)
            joint = [a for a in alerts if a.kind == "joint_drift"]
            if joint:
                after.append(_events_since(joint[0]))
                pairs.append(len(joint[-1].pairs or ()))
        told = f"{len(after)} of {streams}"
        delay = f"{np.median(after):,.0f}" if after else "-"
        many = f"{np.median(pairs):.0f}" if pairs else "-"
        print(f"| {name} | {told} | {delay} | {many} | {others} |", flush=True)


def _events_since(alert: Alert) -> int:
    end = np.datetime64((alert.window.end or "").removesuffix("Z"), "m").astype(int)
    return int(end - 27_000_000 - NORMAL - BEFORE) * PANE


def cost() -> None:
    """Print what counting and evidence cost, and how large the state is."""
    print("| features | pairs | counting 1,000 events, ms | evidence of a pane, ms | state, kB |")
    for many in (20, 50):
        rng = np.random.default_rng(3)
        matrix = np.full((many, many), 0.5) + 0.5 * np.eye(many)
        values = normal(rng, NORMAL, matrix).reshape(-1, many)
        grids = np.sort(values, axis=0)[::10]
        names = [f"f{i:02}" for i in range(many)]
        layout = Layout.of(Feature(n, "numeric", grids[:, i]) for i, n in enumerate(names))
        batch = Columns(values[:1_000], np.empty((1_000, 0), np.int32))
        whole = Columns(values, np.empty((len(values), 0), np.int32))
        joint = JointLayout.of(layout, count_columns(layout, whole), names)
        counting = _fastest(lambda: joint.count(layout, batch))  # noqa: B023 - called at once
        size = len(joint.table.features)
        phi = np.ones((len(JOINS), len(DIRECTIONS), size))
        known = Dispersion(MINUTE, 100, np.full(size, float(PANE)), phi)
        reference = JointNormal(joint, joint.count(layout, whole), known)
        evidence = StreamEvidence(
            joint.table,
            reference.counts,
            np.ones(size, bool),
            known,
            how=Comparing(fit=reference.margins),
        )
        flats = [
            joint.count(layout, Columns(part, np.empty((PANE, 0), np.int32)))
            for part in np.split(values, NORMAL)
        ]
        nobody = np.zeros(size, bool)
        begun = process_time()
        for number, flat in enumerate(flats):
            evidence.add(flat, number, nobody)
        adding = (process_time() - begun) / NORMAL
        state = sum(map(len, pack(evidence.state()))) / 1_000
        print(
            f"| {many} | {len(joint.pairs):,} | {1e3 * counting:.2f} | {1e3 * adding:.1f} |"
            f" {state:,.0f} |",
            flush=True,
        )


def _fastest(call: Callable[[], object]) -> float:
    times = []
    for _ in range(20):
        begun = process_time()
        call()
        times.append(process_time() - begun)
    return min(times)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("part", nargs="?", choices=("quiet", "changes", "cost"))
    parser.add_argument("--streams", type=int, default=5)
    given = parser.parse_args()
    if given.part in (None, "quiet"):
        quiet(given.streams)
    if given.part in (None, "changes"):
        changes(given.streams)
    if given.part in (None, "cost"):
        cost()
