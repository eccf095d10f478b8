"""The detector of changes beside River, Evidently and NannyML: the same streams, in one run.

The others run in environments of their own, which are made from pins; see `streams` for the values.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
from benchmarks.environments import ROOT, python
from benchmarks.rows import Row
from benchmarks.simulated import MINUTE, Counted, alarms_in, reference_of, watch
from benchmarks.streams import (
    CHANGES,
    PEER_AFTER,
    PEER_BEFORE,
    PEER_EVENTS,
    PEER_PANES,
    PEER_QUIET,
    PEER_REFERENCE,
    blocks,
    compared,
    compared_quiet,
    reference_of_compared,
)

from driftline.detectors import Reference
from driftline.detectors.grid import FloatArray

VALUES = 10_000_000
"""Of a quiet stream: 50 features, 2,000 panes of 100."""

SHIFTS = {"shift of .2 sd": 0.2, "shift of .5 sd": 0.5}
"""Changes that a test is told beforehand: the soonest that any could be."""

Found = dict[str, Any]
"""What `river_peers` and `window_peers` print of a peer."""


def peers(_: int) -> Iterator[Row]:
    """Yield false alarms and median delays beside those of the peers."""
    others: dict[str, Found] = _run("river", "river_peers.py")
    for library, name in (("evidently", "Evidently"), ("nannyml", "NannyML")):
        others[name] = _run(library, "window_peers.py", library)
    for kind in PEER_QUIET:
        stream = compared_quiet(kind)
        reference = reference_of(stream.draw(PEER_REFERENCE), stream.events)
        limit = float(np.log(VALUES / stream.events))
        panes = blocks(stream, PEER_PANES)
        own = int(alarms_in(reference, panes, stream.events, limit).sum())
        yield Row(
            f"quiet, {kind}: alarms in 10 million values",
            "<= 1",
            _beside(f"{own}", others, lambda each, kind=kind: each["quiet"][kind]),
            own <= 1,
        )
    adwin = others["ADWIN"]
    # At the rate with which ADWIN alarms where nothing changes.
    limit = float(np.log(VALUES / PEER_EVENTS / max(adwin["quiet"]["independent"], 1.0)))
    most = {"shift of .2 sd": 1.1, "shift of .5 sd": 1.6}
    for seed, name in enumerate(CHANGES):
        delay, theirs = _delay(seed, name, limit), adwin["delays"][name] or np.inf
        bound = f"<= {most[name]} x ADWIN" if name in most else "sooner than ADWIN"
        yield Row(
            f"panes of 50, {name}: events until half are told, at ADWIN's rate of false alarms",
            bound,
            _beside(f"{delay:,.0f}", others, lambda each, name=name: each["delays"][name]),
            delay <= most[name] * theirs if name in most else delay < theirs,
        )
        if name in SHIFTS:
            told = _told(seed, name, SHIFTS[name], limit)
            yield Row(f"the same, by a test that is told the {name}", "", f"{told:,.0f}", True)


def _run(library: str, program: str, *arguments: str) -> dict[str, Any]:
    command = [str(python(library)), "-W", "ignore", str(ROOT / "benchmarks" / program), *arguments]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=-1).stdout)
    return found


def _beside(own: str, others: dict[str, Found], figure: Any) -> str:
    shown = [
        f"{name} {'never' if (value := figure(each)) is None else f'{value:,.0f}'}"
        for name, each in others.items()
    ]
    return f"{own}; {', '.join(shown)}"


def _delay(seed: int, name: str, limit: float) -> float:
    # What is drawn, and in which order, is what the peers draw.
    stream = compared(seed)
    before = stream.draw(PEER_BEFORE)
    after = CHANGES[name](stream.rng, stream.draw(PEER_AFTER))
    reference = reference_of(reference_of_compared(seed), PEER_EVENTS)
    return float(np.median(_delays(reference, np.concatenate([before, after]), limit)))


def _told(seed: int, name: str, shift: float, limit: float) -> float:
    """Return the median delay of a test that looks for this shift alone, up or down.

    It knows what is normal, too, so that no detector of changes can be much sooner.
    """
    stream = compared(seed)
    before = stream.draw(PEER_BEFORE)
    values = np.concatenate([before, CHANGES[name](stream.rng, stream.draw(PEER_AFTER))])
    panes = values.reshape(-1, PEER_EVENTS, values.shape[1]).sum(axis=1)
    evidence, found = np.full((2, values.shape[1]), -np.inf), np.full(values.shape[1], np.inf)
    for pane, total in enumerate(panes):
        gains = np.stack([total, -total]) * shift - PEER_EVENTS * shift**2 / 2.0
        evidence = gains + np.logaddexp(0.0, evidence)
        reached = np.logaddexp.reduce(evidence, axis=0) - np.log(2.0) >= limit
        passed = (pane - PEER_BEFORE + 1) * PEER_EVENTS
        if passed > 0:
            found = np.where(reached, np.minimum(found, passed), found)
    return float(np.median(found))


def _delays(reference: Reference, values: FloatArray, limit: float) -> FloatArray:
    watching, counted = watch(reference, limit), Counted(reference)
    found = np.full(values.shape[1], np.inf)
    none = np.zeros(found.size, bool)
    for pane, x in enumerate(counted.count(values, PEER_BEFORE + PEER_AFTER)):
        for alarm in watching.add(pane * MINUTE, counted.push(x), counted.counts, none):
            if pane < PEER_BEFORE:
                watching.reset(alarm.f)
            else:
                found[alarm.f] = min(found[alarm.f], (pane - PEER_BEFORE + 1) * PEER_EVENTS)
        if np.isfinite(found).all():
            break
    return found
