"""What became of rows and panes in this process, whatever plan is followed."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from driftline.consumer.join.totals import JoinTotals


@dataclass
class Account:
    """Counts that only grow, by model or comparison.

    Attributes:
        joins: what became of the rows of each.
        passed_over: events that are in no verdict, by reason.
    """

    joins: defaultdict[str, JoinTotals] = field(default_factory=lambda: defaultdict(JoinTotals))
    passed_over: defaultdict[str, Counter[str]] = field(
        default_factory=lambda: defaultdict(Counter)
    )
