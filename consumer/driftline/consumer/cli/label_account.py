"""What became of labels and predictions, as lines whose numbers add up."""

from __future__ import annotations

from collections import Counter

from driftline.consumer.cli.backtest_found import Found
from driftline.consumer.service.backtest import Backtest


def account(found: Found, backtest: Backtest) -> list[str]:
    """Return the lines; none where there are no labels."""
    tally, read = backtest.join_tally, backtest.tally
    labels = read.labels[found.model]
    if tally is None or not labels:
        return []
    predictions = read.counted[found.model] + read.late[found.model]
    reasons = Counter(reason for reason in found.of_labels.values() if reason)
    lines = [
        f"{windows:,} window{'' if windows == 1 else 's'} of labels not judged: {reason}"
        for reason, windows in reasons.most_common(3)
    ]
    own = [
        (tally.joined, "got their label"),
        (tally.late, "too late for their window"),
        (tally.expired, "expired"),
        (tally.duplicates, "with an id again"),
        (read.without[found.model, "id"], "without an id"),
        (read.without[found.model, "answer"], "without an answer"),
    ]
    truth = [
        (tally.joined, "matched"),
        (tally.late, "too late for the window of their prediction"),
        (tally.corrected, "corrected one before"),
        (tally.repeated, "repeated"),
        (tally.unmatched, "without a prediction"),
        (found.refused, "rejected"),
    ]
    lines.append(f"{_many(predictions, 'prediction')}: {_parts(predictions, own, 'expired')}")
    total = labels + found.refused
    lines.append(f"{_many(total, 'label')}: {_parts(total, truth, 'without a prediction')}")
    if tally.crowded_out:
        lines.append(
            f"of those expired or without a prediction {tally.crowded_out:,} made room: raise"
            " limits.max_waiting or limits.max_waiting_bytes"
        )
    if tally.hurried:
        lines.append(f"{tally.hurried:,} rows went on before the others had come as far")
    return [*lines, *found.causes]


def _parts(total: int, parts: list[tuple[int, str]], always: str) -> str:
    """Return what became of so many; the rest waits."""
    waiting = max(0, total - sum(count for count, _ in parts))
    shown = [
        f"{count:,} {what}"
        for n, (count, what) in enumerate(parts)
        if count or not n or what == always
    ]
    if waiting:
        shown.append(f"{waiting:,} waiting at the end")
    return ", ".join(shown)


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
