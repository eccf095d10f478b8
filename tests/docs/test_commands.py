"""Every command of README and docs is run: here what needs no broker, the others in tests/kafka."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from driftline.consumer.config import load
from driftline.detectors import FeatureColumn, Reference, build_reference
from driftline.producer import Constant, Mapping, ReferenceSettings, format_time, parse_timestamp
from driftline.producer.reference.build import reference_from_rows

from .commands import COMMANDS, DRIFTLINE, NOT_RUN, of_page, pages, run
from .own_data import last_quarter, orders, reviews, truths, two_versions, visits, without_times
from .pages import EVERY, PAGES, sections
from .shell import Shell

STEP = 15_000  # ms between two records of a mapping's sample


def write_reference(shell: Shell, path: Path, reference: Reference) -> None:
    (shell.folder / path).parent.mkdir(exist_ok=True)
    (shell.folder / path).write_bytes(gzip.compress(reference.to_json(), 1))


def configured(text: str) -> Callable[[Shell], None]:
    """Return what puts a configuration there, with references that have what it names."""

    def prepare(shell: Shell) -> None:
        shell.write("driftline.yaml", text)
        config = load(shell.folder / "driftline.yaml", environ={}, offline=True).config
        numbers = np.random.default_rng(5).normal(50, 10, 2_000)
        for name, model in config.models.items():
            columns = {feature: FeatureColumn("numeric", numbers) for feature in model.features}
            columns["km"] = FeatureColumn("numeric", numbers)
            tags = {tag: ["web", "app"] * 1_000 for tag in model.segments}
            write_reference(
                shell,
                Path(model.reference.layout or ""),
                build_reference(name, columns, segments=tags),
            )

    return prepare


def configured_car_loan(shell: Shell) -> None:
    """Put the bundled events there, and the page's configuration."""
    last_quarter(shell)
    shell.write("driftline.yaml", PAGES["how-to/scale.md"].blocks("yaml")[0])


def rows(record: dict[str, Any], mapping: Mapping) -> Iterator[dict[str, Any]]:
    """Yield records like the one that a page shows, one after the other."""
    rng = np.random.default_rng(3)
    paths = mapping.paths()

    def at(row: dict[str, Any], field: str) -> tuple[dict[str, Any], str] | None:
        path = paths.get(field)
        if path is None or isinstance(path, Constant):
            return None
        for name in path[:-1]:
            row = row[name]
        return row, path[-1]

    for number in range(2_000):
        row = json.loads(json.dumps(record), parse_float=lambda x: float(x) * rng.uniform(0.9, 1.1))
        if (place := at(row, "event_id")) is not None:
            place[0][place[1]] = f"r-{number}"
        if (place := at(row, "timestamp")) is not None:
            shown = place[0][place[1]]
            time = parse_timestamp(shown, mapping.times)
            assert time is not None
            time += number * STEP
            place[0][place[1]] = time if isinstance(shown, int) else format_time(time)
        yield row


def mapped(section: str) -> Callable[[Shell], None]:
    """Return what puts a mapping of docs/mappings.md there, a reference, and a sample."""

    def prepare(shell: Shell) -> None:
        page = sections(PAGES["mappings.md"])[section]
        (text,), (record,) = page.blocks("yaml"), page.blocks("json")
        shell.write("driftline.yaml", text)
        config = load(shell.folder / "driftline.yaml", environ={}, offline=True).config
        ((name, model),) = config.models.items()
        mapping = config.sources[model.predictions[0]].mapping
        sample = list(rows(json.loads(record), mapping))
        shell.write("sample.ndjson", "".join(f"{json.dumps(row)}\n" for row in sample))
        built = reference_from_rows([sample], mapping, ReferenceSettings(name))
        write_reference(shell, Path(model.reference.layout or ""), built.reference)

    return prepare


STAGES: dict[str, dict[str, Callable[[Shell], None]]] = {
    "README.md": {"": last_quarter},
    "index.md": {"": last_quarter},
    "concepts.md": {"": last_quarter},
    "how-to/no-time.md": {"": without_times},
    "how-to/embeddings.md": {"": reviews},
    "how-to/every-morning.md": {"": visits},
    "how-to/versions.md": {"": two_versions},
    "how-to/too-often.md": {"": last_quarter},
    "how-to/insufficient.md": {"": last_quarter},
    "how-to/missing-labels.md": {"": truths},
    "subscribing.md": {"": lambda shell: None},
    "how-to/report.md": {"": last_quarter},
    "how-to/scale.md": {"": configured_car_loan},
    "how-to/training-set.md": {"": orders},
    "how-to/what-changed.md": {"": orders},
    "how-to/in-ci.md": {"": last_quarter},
    "references.md": {"": last_quarter},
    "configuration.md": {
        "smallest": configured(PAGES["configuration.md"].blocks("yaml")[0]),
        "larger": configured(PAGES["configuration.md"].blocks("yaml")[1]),
    },
    # Records of Seldon hold no time, which the page says a file needs.
    "mappings.md": {name: mapped(name) for name in ("Flat rows", "BentoML", "Kafka Connect")},
}
"""By page: what it presupposes, in one or more forms."""


@pytest.mark.parametrize(
    ("page", "form"), [(page, form) for page, forms in STAGES.items() for form in forms]
)
def test_the_commands_of_a_page(page: str, form: str, tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    STAGES[page][form](shell)
    for command in of_page(page, broker=False):
        run(command, shell)


def test_every_page_with_such_commands_has_what_it_presupposes() -> None:
    assert set(pages(broker=False)) == {*STAGES, "performance.md"}  # see test_performance.py


def test_what_is_not_run_is_listed_with_the_reason() -> None:
    others = [command.line for command in COMMANDS if command not in DRIFTLINE]
    assert set(others) == set(NOT_RUN)
    assert all(NOT_RUN.values())


def test_every_block_is_in_a_language_that_is_tested() -> None:
    """Text shows what is printed, or draws; docstrings, which doctest runs, make the pycon."""
    found = set().union(*(page.languages for page in EVERY.values()))
    assert found <= {"sh", "yaml", "json", "python", "pycon", "text", ""}
