"""The names that a configuration takes from the tables of detectors and metrics.

They stand apart from other names: whoever reads them asks the tables, and with them what is
installed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from driftline.consumer.config.names import hint
from driftline.detectors.outcomes import metrics
from driftline.detectors.registry import DETECTORS

METRICS = tuple(metrics.METRICS)

if TYPE_CHECKING:
    DetectorName = str
    Metric = str
else:
    DetectorName = Literal[tuple(DETECTORS)]
    Metric = Literal[METRICS]


def metric_hint(name: str) -> str:
    """Return the end of a sentence about an unknown metric.

    >>> metric_hint("auc"), metric_hint("ROC-AUC"), metric_hint("estimated_accuracy")
    ('did you mean roc_auc?', 'did you mean roc_auc?', 'estimates share the limit of accuracy')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    for metric in METRICS:
        if plain == f"estimated_{metric}":
            return f"estimates share the limit of {metric}"
    aliases = {alias: each.name for each in metrics.METRICS.values() for alias in each.aliases}
    plain = aliases.get(plain, plain)
    return f"did you mean {plain}?" if plain in METRICS else hint(name, METRICS)
