"""The table of metrics of performance: what there is, and what each one is.

Whoever lists metrics or asks about one reads it here: limits and their schema, checks, verdicts,
sentences, tables and the docs. What measures them is `performance.MEASURES`, a function a family,
because metrics of one family share most of their work. This module needs neither numpy nor scipy.

A new metric is a line here, and a figure in what its family's function returns; a package of yours
adds one by an entry point of the group `driftline.metrics` (docs/how-to/own-detector.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal, get_args

from driftline.detectors.registry import Scale
from driftline.detectors.tables import Group, Table

Family = Literal["classes", "scores", "probabilities", "errors"]
"""What a metric is of: predicted classes; scores; scores that are probabilities; a regression."""


@dataclass(frozen=True)
class MetricScale(Scale):
    """What a metric's values are.

    Attributes:
        unit: `share`, `nats`, `prediction` (that of the predicted number) or `none`.
        worse: +1 if larger is worse, -1 if smaller is, 0 if both are, away from the reference.
    """

    unit: Literal["share", "nats", "prediction", "none"]
    worse: Literal[-1, 0, 1]


@dataclass(frozen=True)
class Metric:
    """One metric of performance.

    Attributes:
        name: in the configuration, verdicts and metrics.
        words: its name in a sentence.
        family: what it is of, and so which models have it.
        scale: what its values are.
        interval: what its 95 % interval rests on; None if it has none.
        aliases: what others call it, or one that says the same.
        note: what the name leaves open.
        use: `estimated`: in every verdict, and there is an estimate before labels come; `always`:
            in every verdict; `named`: only where a limit names it.
        module: of a line that a package adds, where its function is; else empty.
    """

    name: str
    words: str
    family: Family
    scale: MetricScale
    interval: str | None
    aliases: tuple[str, ...] = ()
    note: str = ""
    use: Literal["estimated", "always", "named"] = "named"
    module: str = field(init=False, default="")

    @property
    def estimated(self) -> bool:
        """Whether there is an estimate, too, before labels come."""
        return self.use == "estimated"

    @property
    def always(self) -> bool:
        """Whether it is in every verdict; else only where a limit names it."""
        return self.use != "named"


_RIGHT = MetricScale("share", 0.0, 1.0, -1)
_WRONG = MetricScale("share", 0.0, 1.0, 1)
_SIZE = MetricScale("prediction", 0.0, inf, 1)
_POSITIVE = "of the positive class, or the mean over all classes"
_WILSON, _MEAN = "Wilson; of a mean over classes, delta method", "central limit theorem"

_TABLE = (
    Metric(
        "accuracy", "accuracy", "classes", _RIGHT, "Wilson",
        ("acc", "accuracy_score", "error_rate"), use="estimated",
    ),
    Metric(
        "precision", "precision", "classes", _RIGHT, _WILSON,
        ("precision_score", "ppv"), _POSITIVE, use="estimated",
    ),
    Metric(
        "recall", "recall", "classes", _RIGHT, _WILSON,
        ("recall_score", "sensitivity", "tpr"), _POSITIVE, use="estimated",
    ),
    Metric(
        "f1", "F1", "classes", _RIGHT, _WILSON,
        ("f1_score", "f1score", "fscore"), _POSITIVE, use="estimated",
    ),
    Metric(
        "balanced_accuracy", "balanced accuracy", "classes", _RIGHT, "delta method",
        ("balanced_accuracy_score", "bacc", "uar"), "the mean of the recalls of all classes",
    ),
    Metric(
        "roc_auc", "ROC AUC", "scores", _RIGHT, "DeLong",
        ("auc", "auroc", "roc", "auc_roc", "rocauc", "roc_auc_score", "gini"), use="estimated",
    ),
    Metric(
        "pr_auc", "PR AUC", "scores", _RIGHT, "influence of each pair",
        ("average_precision", "average_precision_score", "auprc", "ap", "aucpr", "auc_pr"),
        "average precision", use="always",
    ),
    Metric(
        "log_loss", "log loss", "probabilities", MetricScale("nats", 0.0, inf, 1), _MEAN,
        ("logloss", "cross_entropy", "binary_logloss"), use="estimated",
    ),
    Metric(
        "brier", "Brier score", "probabilities", _WRONG, _MEAN,
        ("brier_score", "brier_score_loss"), use="estimated",
    ),
    Metric(
        "calibration_error", "calibration error", "probabilities", _WRONG,
        "for the true error, which is below the plain estimate",
        ("ece", "calibration", "expected_calibration_error"), "over ten even bins", use="always",
    ),
    Metric(
        "mae", "mean absolute error", "errors", _SIZE, _MEAN,
        ("mean_absolute_error",), use="estimated",
    ),
    Metric(
        "rmse", "root mean squared error", "errors", _SIZE, "delta method",
        ("mse", "mean_squared_error", "root_mean_squared_error"), use="estimated",
    ),
    Metric(
        "r2", "R2", "errors", MetricScale("none", -inf, 1.0, -1), "delta method",
        ("r2_score", "r_squared"), use="always",
    ),
    Metric(
        "bias", "bias", "errors", MetricScale("prediction", -inf, inf, 0), _MEAN,
        ("mean_error",), "the mean of prediction less actual", use="always",
    ),
)  # fmt: skip

GAP = Metric(
    "estimate_gap", "performance against its estimate", "scores",
    MetricScale("share", -1.0, 1.0, -1), None, note="realised less estimated", use="always",
)  # fmt: skip
"""Realised less estimated performance: stands in records where a metric does, but takes no limit
and has a test of its own, see `estimation.gap`. Of a regression it is the mean absolute error, in
the unit of the prediction, and larger is worse: `error_gap`."""

GAP_OF_ERRORS = "mae"
"""Of which metric a regression's gap is: what its inputs let expect is no other metric's."""


def _functions(_: Metric) -> tuple[str, ...]:
    return ("figure",)


def _refusal(metric: Metric) -> str:
    if metric.family not in get_args(Family):
        return f"must have a family, one of {', '.join(get_args(Family))}"
    if metric.name == GAP.name or "estimated" in metric.name.split("_"):
        return "has the name of an estimate"
    return ""


METRICS: Mapping[str, Metric] = Table(
    _TABLE, Group("driftline.metrics", "metric", Metric, "METRIC", _functions, _refusal)
)
"""Name to metric, in the order of all lists."""


def figure_named(name: str) -> Metric:
    """Return a metric, or the gap, by its name in records.

    Raises:
        KeyError: there is none of that name.

    Example:
        >>> figure_named("mae").words, figure_named("estimate_gap").scale.worse
        ('mean absolute error', -1)
    """
    return GAP if name == GAP.name else METRICS[name]


def names_of(families: Iterable[Family], *, estimated: bool = False) -> tuple[str, ...]:
    """Return the metrics of some families, in the table's order.

    Args:
        families: what the metrics are of.
        estimated: only those that have an estimate.

    Example:
        >>> names_of(["probabilities"]), names_of(["errors"], estimated=True)
        (('log_loss', 'brier', 'calibration_error'), ('mae', 'rmse'))
    """
    wanted = set(families)
    return tuple(
        name
        for name, metric in METRICS.items()
        if metric.family in wanted and (metric.estimated or not estimated)
    )
