"""Versions and segments: codes of what a record says."""

from .decode_cases import (
    NOW,
    decoder,
    encoded,
    plain,
)


def test_versions_and_segments() -> None:
    reader = decoder()
    versions: list[object] = ["2", 7, "7", 7.0, None, True, "x" * 257, "\ud800", "__other__", "new"]
    tags: list[object] = ["app", "shop", None, 5, ["web"], "web", "", True, {}, "app"]
    values = [
        encoded({"features": {"age": 1}, "model_version": version, "tags": {"channel": tag}})
        for version, tag in zip(versions, tags, strict=True)
    ]
    values.append(encoded({"features": {"age": 1}}))
    values.append(encoded({"features": {"age": 1}, "tags": None}))
    rows = plain(reader, reader.decode(values, [NOW] * len(values)))["rows"]
    assert [rows[i][4] for i in range(len(values))] == [
        "2", "7", "7", "7", None, "true", "__other__", "__other__", "__other__", "new", None, None,
    ]  # fmt: skip
    channels = [rows[i][5]["channel"] for i in range(len(values))]
    assert channels == [0, 2, 2, 2, 2, 1, 2, 2, 2, 0, 2, 2]
    assert [rows[i][5]["model_version"] for i in range(3)] == [1, 2, 2]


def test_too_many_version_names_are_forgotten_between_batches() -> None:
    reader = decoder()
    many = [encoded({"features": {"age": 1}, "model_version": f"v{i}"}) for i in range(10_001)]
    decoded = reader.decode(many, [NOW] * len(many))
    assert reader.version_names["churn"][:3] == ["1", "2", "v0"]
    assert decoded.models["churn"].versions.tolist() == list(range(2, 10_003))
    known = encoded({"features": {"age": 1}, "model_version": "v5"})
    assert reader.decode([known], [NOW]).models["churn"].versions.tolist() == [2]
    assert reader.version_names["churn"] == ["1", "2", "v5"]


def test_refused_events_teach_no_version_name() -> None:
    reader = decoder()
    reader.decode(
        [encoded({"features": {"age": 1}, "timestamp": 0, "model_version": "bad"})], [NOW]
    )
    assert reader.version_names["churn"] == ["1", "2"]
