"""The FastAPI example, as it stands in the repository, with a sender in memory."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from driftline.producer import Event, Label, MemorySender, PredictionLogger

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_app.py"


@pytest.fixture
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fastapi_app", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)  # starts without a broker
    return module


FEATURES = {"amount": 12.5, "country": "XX", "returning": True, "age": None}


async def use(app: Any) -> dict[str, Any]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        answer = await client.post("/predict", json=FEATURES)
        assert answer.status_code == 200
        said: dict[str, Any] = answer.json()
        labelled = await client.post(f"/labels/{said['event_id']}?fraud=true")
        assert labelled.status_code == 200
        return said


def test_the_server_logs_its_predictions_and_labels(
    example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = MemorySender()
    with PredictionLogger("payments", sender) as predictions:
        monkeypatch.setattr(example, "predictions", predictions)
        answer = asyncio.run(use(example.app))
    event, label = (json.loads(record.value) for record in sender.records)
    Event.model_validate(event)
    Label.model_validate(label)
    assert event["features"] == FEATURES
    assert event["prediction"] == answer["score"] == 0.9
    assert event["event_id"] == label["event_id"] == answer["event_id"]
    assert label["actual"] is True
    assert predictions.counts.dropped == {}


def test_the_example_is_as_short_as_it_says() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    code = [line for line in lines if line.strip() and not line.strip().startswith(('"""', "#"))]
    assert len(code) <= 12  # two imports and ten lines
