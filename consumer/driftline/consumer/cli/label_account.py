"""Labels and predictions by how each was used, as lines whose numbers add up."""

from __future__ import annotations

from collections import Counter

from driftline.consumer.cli.backtest_found import Found
from driftline.consumer.cli.text import counted
from driftline.consumer.service.backtest import Backtest


def account(found: Found, backtest: Backtest) -> list[str]:
    """Return the lines; none where there are no labels."""
    totals, read = backtest.join_totals, backtest.totals
    labels = read.labels[found.model]
    if totals is None or not labels:
        return []
    predictions = read.counted[found.model] + read.late[found.model]
    reasons = Counter(reason for reason in found.of_labels.values() if reason)
    lines = [
        f"{counted(windows, 'window')} of labels not judged: {reason}"
        for reason, windows in reasons.most_common(3)
    ]
    own = [
        (totals.joined, "got their label"),
        (totals.late, "too late for their window"),
        (totals.expired, "expired"),
        (totals.duplicates, "with an id again"),
        (read.without[found.model, "id"], "without an id"),
        (read.without[found.model, "answer"], "without an answer"),
    ]
    truth = [
        (totals.joined, "matched"),
        (totals.late, "too late for the window of their prediction"),
        (totals.corrected, "corrected one before"),
        (totals.repeated, "repeated"),
        (totals.unmatched, "without a prediction"),
        (found.refused, "rejected"),
    ]
    lines.append(f"{counted(predictions, 'prediction')}: {_parts(predictions, own, 'expired')}")
    total = labels + found.refused
    lines.append(f"{counted(total, 'label')}: {_parts(total, truth, 'without a prediction')}")
    if totals.crowded_out:
        lines.append(
            f"of those expired or without a prediction {totals.crowded_out:,} made room: raise"
            " limits.max_waiting or limits.max_waiting_bytes"
        )
    if totals.hurried:
        lines.append(f"{totals.hurried:,} rows went on before the others had come as far")
    return [*lines, *found.causes]


def _parts(total: int, parts: list[tuple[int, str]], always: str) -> str:
    """Return the parts of a number, by how each was used; the rest waits."""
    waiting = max(0, total - sum(count for count, _ in parts))
    shown = [
        f"{count:,} {what}"
        for n, (count, what) in enumerate(parts)
        if count or not n or what == always
    ]
    if waiting:
        shown.append(f"{waiting:,} waiting at the end")
    return ", ".join(shown)
