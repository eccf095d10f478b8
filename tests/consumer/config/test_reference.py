"""`models.<name>.reference`: an address, or a past that moves."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.consumer.config.conftest import Problems

from driftline.consumer.config import ModelConfig, load, show

HEAD = "kafka: {bootstrap_servers: localhost:9092}\n"
MODEL = "models: {m: {predictions: t, window: {length: 1h}, reference: %s}}\n"


@pytest.mark.parametrize(
    ("written", "read", "shown"),
    [
        ("r.json", ("conf/r.json", None, None), "r.json"),
        ("/r.json", ("/r.json", None, None), "/r.json"),
        ("s3://b/r.json", ("s3://b/r.json", None, None), "s3://b/r.json"),
        ("models:/m@live/r.json", ("models:/m@live/r.json", None, None), "models:/m@live/r.json"),
        (
            "{rolling: 28d, layout: r.json}",
            ("conf/r.json", 28 * 86_400_000, None),
            {"rolling": "28d", "layout": "r.json"},
        ),
        (
            "{previous: 2 windows, layout: 'https://x/r.json'}",
            ("https://x/r.json", None, 2),
            {"previous": "2 windows", "layout": "https://x/r.json"},
        ),
        ("{previous: 1 window}", (None, None, 1), {"previous": "1 window"}),
    ],
)
def test_what_is_written_is_read_and_shown(
    written: str,
    read: tuple[str | None, int | None, int | None],
    shown: object,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("conf").mkdir()
    Path("conf/driftline.yaml").write_text(HEAD + MODEL % written, encoding="utf-8")
    loaded = load("conf/driftline.yaml", environ={}, offline=True)
    found = loaded.config.models["m"].reference
    assert (found.layout, found.rolling, found.previous) == read
    assert found.moves == (read[1:] != (None, None))
    assert yaml.safe_load(show(loaded))["models"]["m"]["reference"] == shown


@pytest.mark.parametrize(
    ("written", "place", "said"),
    [
        ("{rolling: 28d, previous: 1 window}", ".previous", "give rolling or previous, not both"),
        ("{}", "", "give a file, or a map with rolling or previous"),
        ("{rolling: 28}", ".rolling", "a duration needs its unit, for example 28s or 28m"),
        ("{rolling: 30m, layout: r}", ".rolling", "must be at least as long as a window"),
        ("{previous: one}", ".previous", "write a number of windows, for example 1 window"),
        ("{roling: 28d}", ".roling", "unknown key, did you mean rolling?"),
        ("{rolling: 28d, layout: 5}", ".layout", "must be a path or a URL"),
        ("[r.json]", "", "must be a path"),
        (
            "https://me:secret@x/r.json", ".layout",
            "an address that others see must not hold a password: the libraries that fetch it read"
            " their own files and variables",
        ),
    ],
)  # fmt: skip
def test_slips(problems: Problems, written: str, place: str, said: str) -> None:
    found = problems(HEAD + MODEL % written)
    assert found == [f"driftline.yaml:2: models.m.reference{place}: {said}"]


def test_versions_have_files() -> None:
    model = {"predictions": "t", "reference": {"rolling": "28d", "layout": "r"}}
    with pytest.raises(ValueError, match="compared with files: leave this out, or rolling and"):
        ModelConfig.model_validate({**model, "references": {"3.2": "s"}})


def test_windows_of_rows_have_no_days() -> None:
    rows = {"predictions": "t", "window": {"rows": 100}}
    with pytest.raises(ValueError, match="windows of rows have no times: write previous"):
        ModelConfig.model_validate({**rows, "reference": {"rolling": "28d", "layout": "r"}})
    way = {"previous": "1 window", "layout": "r"}
    assert ModelConfig.model_validate({**rows, "reference": way}).reference.moves
