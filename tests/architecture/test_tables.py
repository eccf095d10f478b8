"""What stands in a table is named there, by what computes it, and nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.architecture.trees import nodes, text_of

from driftline.consumer.deliver.sinks import SINKS
from driftline.detectors.outcomes import METRICS
from driftline.producer.files.formats import FORMATS

# A name that is a common word, or stands for something else too, cannot be looked for.
ENDINGS = {ending for form in FORMATS for ending in form.endings} - {".json"}
SCHEMES = {scheme for sink in SINKS for scheme in sink.schemes} - {"http", "https"}
OWN_FORMS = {sink.name for sink in SINKS if SCHEMES & {*sink.schemes}}

# File, below driftline/, to why it may name some all the same.
TABLES = {
    "metrics": (
        {*METRICS},
        {
            "detectors/outcomes/confusion.py": "measures them",
            "detectors/outcomes/scores.py": "measures them",
            "detectors/outcomes/probabilities.py": "measures them",
            "detectors/outcomes/regression.py": "measures them",
            "detectors/outcomes/estimation.py": "estimates them",
            "detectors/outcomes/error_model.py": "estimates them",
            "detectors/outcomes/watched.py": "tests one of each sort of model",
            "detectors/outcomes/layout.py": "sections of the counts that are called so",
            "detectors/outcomes/metrics.py": "the table",
            "detectors/outcomes/changing_cells.py": "whose evidence is added up",
            "producer/reference/outcome.py": "keys of the reference's file",
            "consumer/judge/performance/details.py": "what else their verdicts hold",
            "consumer/judge/comparison/judge.py": "what two models are compared by",
            "consumer/judge/comparison/records.py": "what two models are compared by",
        },
    ),
    "formats": (ENDINGS, {"producer/files/formats.py": "the table"}),
    "sinks": (OWN_FORMS, {"consumer/deliver/sinks.py": "the table"}),
}


def texts(source: str) -> Iterator[str]:
    """Yield the texts in a source that are values, not docstrings."""
    for node in nodes(source):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@pytest.mark.parametrize("table", TABLES)
def test_names_of_a_table_stand_where_they_must(table: str, sources: list[Path]) -> None:
    names, reasons = TABLES[table]
    assert names
    found = {
        str(path).rpartition("/driftline/")[2]
        for path in sources
        if names & {*texts(text_of(path))}
    }
    assert found == {*reasons}
