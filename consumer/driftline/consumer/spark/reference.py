"""A reference of a DataFrame: the product's own readings, each by all executors."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from driftline.consumer.config import Config, load
from driftline.consumer.config.seasons import UTC
from driftline.consumer.offline import file_rows
from driftline.consumer.offline.feedback import Feedback
from driftline.consumer.offline.ground_truth import check_measured
from driftline.consumer.offline.reference_settings import together, with_config
from driftline.consumer.spark.errors import SparkError
from driftline.consumer.spark.probe import probe
from driftline.consumer.spark.readings import Executors, TableRows
from driftline.consumer.spark.versions import check_session
from driftline.detectors.build import DEFAULT_GRID
from driftline.detectors.reference import Reference
from driftline.producer.files.given import Given
from driftline.producer.reference.build import ReferenceSettings, reference_by
from driftline.producer.reference.counted_answers import CountedAnswers
from driftline.producer.reference.derive import FieldType

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def build_reference(
    df: DataFrame,
    *,
    model: str,
    segments: Sequence[str] = (),
    config: str | Path | None = None,
    actual: str | None = None,
    positive_label: str | None = None,
    types: Mapping[str, FieldType] | None = None,
    ignore: Sequence[str] = (),
    grid: int | None = DEFAULT_GRID,
    timezone: str | None = None,
) -> Reference:
    """Freeze a table as what is normal: the bytes of `driftline reference build` of the same rows.

    The order of the rows and their partitions do not matter. Executors read them, seven to nine
    times: what is dear to compute is better written first, or cached. The driver merges what tasks
    have counted, which has a limit whatever the rows.

    Args:
        df: the events, a column a field.
        model: its name.
        segments: tags by whose values the events are also counted apart.
        config: maps the columns by the source of the model's topic, and has its segments and types;
            None: the columns are guessed.
        actual: the column with the ground truth; None to guess it by its name.
        positive_label: the class that the score speaks of.
        types: feature to type, where the inferred one is wrong.
        ignore: globs of columns that are no features.
        grid: the most values of a numeric feature's grid; None for all.
        timezone: whose clocks tell the hour and the day that features may follow; None: UTC's.

    Returns:
        The reference; `Path(...).write_bytes(reference.to_json())` keeps it.

    Raises:
        SparkError: the session will not do, or the table changed while it was read.
        DriftlineError: the rows cannot be used.
    """
    settings = ReferenceSettings(
        model, grid, types or {}, tuple(dict.fromkeys(segments)), positive_label,
        ignore=tuple(ignore), timezone=timezone or UTC,
    )  # fmt: skip
    whole = topic = joint = None
    if config is not None:
        whole = load(config, environ=os.environ, offline=True).config
        topic = _topic(whole, model)
        settings = with_config(settings, whole.models[model])
        joint = together(0, whole.models[model])
    if settings.derived:
        raise SparkError(
            f"types: of {min(settings.derived)} features would be derived, which depends on the"
            " order of the rows: leave it out, or write the rows and run  driftline reference build"
        )
    session = df.sparkSession
    check_session(session)
    probe(session, None)
    kept = TableRows(df)
    given = Given("the table", kept.scan)
    mapping = file_rows.mapping_for(whole, topic, given, Feedback(), actual)
    mapping = file_rows.with_actual(mapping, actual)
    reader = Executors(kept, mapping, settings)
    built = reference_by(reader, CountedAnswers(), settings, joint)
    check_measured(built, mapping, actual, given)
    return built.reference


def _topic(config: Config, model: str) -> str:
    if model not in config.models:
        raise SparkError(
            f"the configuration has no model {model}; it has {', '.join(config.models)}"
        )
    return config.models[model].predictions[0]
