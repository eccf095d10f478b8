"""A batch of data in a program: a reference of it, drift between two, and a backtest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from operator import index
from typing import Any, TypeVar

from driftline.consumer.config import ModelConfig, SourceConfig
from driftline.consumer.config.seasons import UTC
from driftline.consumer.config.values import Budget
from driftline.consumer.offline.assumed import assumed
from driftline.consumer.offline.assumptions import assume
from driftline.consumer.offline.data import tables_of
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.first_look import FEWEST
from driftline.consumer.offline.found import Found
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.consumer.offline.monitor import TOPIC, config_of
from driftline.consumer.offline.published import Run, missed_by
from driftline.consumer.offline.report import Report
from driftline.consumer.offline.run import run
from driftline.consumer.offline.window_options import WindowOptions
from driftline.consumer.service.backtest import Backtest
from driftline.consumer.service.plan import Plan
from driftline.consumer.wire.records import Alert, Verdict
from driftline.consumer.wire.text import counted
from driftline.detectors.dispersion import Dispersion
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.files.given import Given
from driftline.producer.records.durations import format_duration, parse_duration
from driftline.producer.reference.build import ReferenceSettings, reference_from_tables
from driftline.producer.reference.derive import FieldType

_MODEL = "model"
_T = TypeVar("_T")


def build_reference(
    data: Any,
    model: str = _MODEL,
    *,
    actual: str | None = None,
    positive_label: str | None = None,
    segments: Sequence[str] = (),
    types: Mapping[str, FieldType] | None = None,
    ignore: Sequence[str] = (),
    timezone: str | None = UTC,
) -> Reference:
    """Freeze data as what is normal; `Path(...).write_bytes(reference.to_json())` keeps it.

    Args:
        data: a frame of pandas or polars, an Arrow table or stream, a dictionary of columns, a
            list of dictionaries, an array, or the path of files.
        model: the model's name.
        actual: the column with the ground truth; None to guess it by its name.
        positive_label: the class that the score speaks of.
        segments: columns by whose values the data is also counted apart.
        types: feature to type, where the inferred one is wrong; `vector` and `text` are columns of
            which features are derived.
        ignore: globs of columns that are no features.
        timezone: whose clocks tell the hour and the day that features may follow; None: they follow
            none.

    Raises:
        InputError: the data cannot be used; one sentence that says why.

    >>> build_reference({"age": [31, 32, 33], "plan": ["free", "paid", "free"]}).events
    3
    """
    given = _given(data, "the data")
    found = assume(given, model, Feedback(), actual)
    fields = {f"tags.{name}": name for name in segments}
    mapping = found.mapping
    if fields and not mapping.is_native:
        mapping = replace(mapping, fields={**mapping.fields, **fields})
    settings = ReferenceSettings(
        model,
        types={**found.types, **(types or {})},
        segments=tuple(segments),
        positive_label=positive_label,
        ignore=(*found.ignore, *ignore),
        timezone=timezone,
    )
    return reference_from_tables(given.scan, mapping, settings).reference


def report(
    reference: Any,
    current: Any,
    *,
    settings: Mapping[str, Any] | None = None,
    actual: str | None = None,
    positive_label: str | None = None,
) -> Report:
    """Compare two batches of data, feature by feature, as one window of the monitor.

    The level of all tests together is that of the budget, `1 per 100 windows` unless the settings
    have another: of 100 batches without drift at most one is called drifted, however many features.
    The order of rows does not matter, unless the reference has times.

    Args:
        reference: what is normal: data of any form that `build_reference` takes, or a reference.
        current: data of the same columns.
        settings: as under `models.<name>` of a configuration, such as `{"min_effect": 0.05}`.
        actual: the column with the ground truth; None to guess it by its name.
        positive_label: the class that the score speaks of.

    Raises:
        InputError: the data cannot be used; one sentence that says why.

    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> before = {"age": rng.normal(0, 1, 2_000), "size": rng.normal(0, 1, 2_000)}
    >>> now = {"age": rng.normal(1, 1, 500), "size": rng.normal(0, 1, 500)}
    >>> report(before, now).drifted
    ['age']
    """
    feedback = Feedback()
    if not isinstance(reference, Reference):
        # A batch is one window whatever the hours of its rows: it is compared with all of them.
        reference = build_reference(
            reference, actual=actual, positive_label=positive_label, timezone=None
        )
    if reference.seasons is not None:
        reference = reference.without_seasons()
    if reference.dispersion is None:  # rows without times are taken as independent of each other
        dispersion = Dispersion.independent(len(reference.layout.features))
        reference = replace(reference, dispersion=dispersion)
    given = _given(current, "the current data")
    name, found = reference.model, assume(given, reference.model, feedback, actual)
    rows = sum(table.rows for table in given.scan())
    if min(rows, reference.events) < FEWEST:
        feedback.note(
            "note",
            f"the reference has {counted(reference.events, 'row')}, the current data {rows:,}:"
            f" with fewer than {FEWEST:,} only great changes can be told from chance",
        )
    wanted: dict[str, Any] = {
        # One pane: the rows of a batch are a set, so evidence is not added up along their order.
        "window": {"rows": rows, "pane": rows, "min_events": 1},
        "ignore": found.ignore,
        **(settings or {}),
    }
    if Outcomes.of(reference) is None:
        wanted.setdefault("labels", None)
    source = SourceConfig.of(found.mapping).model_dump(mode="json", exclude_defaults=True)
    config = config_of(name, wanted, source)
    judge = Backtest(Plan(config, {name: reference}, ordered=False), name, TOPIC)
    outputs = list(chain(chain.from_iterable(map(judge.feed_table, given.scan())), judge.end()))
    summed = Found(name, 1)
    for output in outputs:
        summed.add(output)
    return _report(summed, outputs, feedback, judge, config.models[name])


def backtest(
    data: Any,
    reference: Any = None,
    *,
    actual: str | None = None,
    labels: Any = None,
    positive_label: str | None = None,
    rows: int | None = None,
    window: str | timedelta | None = None,
    every: str | timedelta | None = None,
    min_events: int | None = None,
    budget: str | None = None,
) -> Report:
    """Tell the alerts that data would have raised, as `driftline backtest` does.

    Args:
        data: of any form that `build_reference` takes.
        reference: what is normal: data, or a reference; None for the earlier half of the data.
        actual: the column with the ground truth, of `labels` if given; None to guess it.
        labels: the ground truth, where it is data of its own: by the id of its rows.
        positive_label: the class that the score speaks of.
        rows: rows of a window, in their order, for data without times.
        window: length of a window, such as `1d` or `timedelta(days=1)`.
        every: from one to the next, such as `6h`.
        min_events: a window with fewer is not judged.
        budget: false alarms that are allowed, such as `1 per 30d`, or `1 per 100 windows`.

    Returns:
        A row a feature, in the window in which it differed most; all verdicts and alerts too.

    Raises:
        InputError: the data cannot be used; one sentence that says why.

    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> ages = np.concatenate([rng.normal(0, 1, 3_000), rng.normal(1, 1, 1_000)])
    >>> backtest({"age": ages}, rows=500).drifted
    ['age']
    """
    if reference is not None and not isinstance(reference, Reference):
        reference = build_reference(reference, actual=actual, positive_label=positive_label)
    windows = WindowOptions(
        _parsed("window", window, parse_duration),
        _parsed("every", every, parse_duration),
        _whole("rows", rows),
        _whole("min_events", min_events),
        _parsed("budget", budget, Budget.parse),
    )
    feedback = Feedback()
    given = _given(data, "the data")
    truth = GivenTruth(actual, None if labels is None else _given(labels, "labels"), positive_label)
    setup = assumed(given, None, reference, feedback, truth, windows)
    outputs = list(run(setup))
    return _report(setup.found, outputs, feedback, setup.backtest, setup.config)


def _parsed(name: str, value: str | timedelta | None, parse: Callable[[str], _T]) -> _T | None:
    """Return what an argument says.

    Raises:
        InputError: it is not written as it should be.
    """
    if value is None:
        return None
    if isinstance(value, timedelta):
        value = format_duration(value // timedelta(milliseconds=1))
    if not isinstance(value, str):
        raise InputError(f"{name}={value!r}: give it as text")
    try:
        return parse(value)
    except ValueError as error:
        raise InputError(f"{name}={value!r}: {error}") from None


def _whole(name: str, value: int | None) -> int | None:
    """Return a number of rows or events.

    Raises:
        InputError: it is none.
    """
    if value is None:
        return None
    try:
        number = index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise InputError(f"{name}={value!r}: give a whole number above 0")
    return number


def _report(
    found: Found,
    outputs: Sequence[Verdict | Alert],
    feedback: Feedback,
    judge: Backtest,
    config: ModelConfig,
) -> Report:
    for failure in judge.failures.values():
        raise failure
    verdicts = [output for output in outputs if isinstance(output, Verdict)]
    alerts = tuple(output for output in outputs if isinstance(output, Alert))
    beside = Run(found.model, config, alerts, missed_by(judge, found.model))
    return Report.of(found, verdicts, feedback.notes, beside)


def _given(data: Any, name: str) -> Given:
    """Return data as rows that can be read several times.

    Raises:
        InputError: it is no data, or has no rows.
    """
    tables = list(tables_of(data))
    return Given(name, lambda: iter(tables))
