"""What is refused before anything runs, each in one sentence."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError

import pytest

from driftline.consumer.spark import versions
from driftline.consumer.spark.errors import SparkError


def installed(monkeypatch: pytest.MonkeyPatch, found: str | None) -> None:
    def version(name: str) -> str:
        assert name == "pyspark"
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(versions, "version", version)


@pytest.mark.parametrize("found", ["4.2.0", "4.2.1"])
def test_the_series_will_do(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    installed(monkeypatch, found)
    versions.check_pyspark()


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (None, r'^pyspark is not installed: run  pip install "driftline\[spark\]"$'),
        ("3.5.4", r"^pyspark 3\.5\.4 will not do, Driftline was run with 4\.2 alone: run  pip "),
        ("4.20.0", r"^pyspark 4\.20\.0 will not do"),
    ],
)
def test_others_are_refused(monkeypatch: pytest.MonkeyPatch, found: str | None, text: str) -> None:
    installed(monkeypatch, found)
    with pytest.raises(SparkError, match=text):
        versions.check_pyspark()


def test_a_worker_with_an_old_python_is_refused() -> None:
    with pytest.raises(SparkError, match=r"^the workers run Python 3\.10, .* spark\.pyspark\.p"):
        versions.check_worker((3, 10, 14))
