"""A model server whose predictions Driftline watches: fastapi run examples/fastapi_app.py."""

from fastapi import FastAPI

from driftline.producer import KafkaSender, PredictionLogger

app = FastAPI()
predictions = PredictionLogger("payments", KafkaSender("ml.predictions", "localhost:9092"))


@app.post("/predict")
def predict(features: dict[str, float | str | bool | None]) -> dict[str, object]:
    """Answer with the score, and log it: the call never waits for Kafka."""
    score = 0.9 if features.get("country") == "XX" else 0.1  # your model
    return {"score": score, "event_id": predictions.log(features, score)}


@app.post("/labels/{event_id}")
def label(event_id: str, fraud: bool) -> None:
    """Take the truth about an earlier answer."""
    predictions.label(event_id, fraud)
