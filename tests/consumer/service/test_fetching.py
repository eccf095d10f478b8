"""References that lie elsewhere: from stores as they are, each by the library that users have."""

from __future__ import annotations

import gzip
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import numpy as np
import pytest

from driftline.consumer.service import fetching, reference_file
from driftline.consumer.service.references import load_reference
from driftline.detectors import FeatureColumn, build_reference
from driftline.detectors.reference import Reference
from driftline.errors import ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.errors import MissingExtraError

PATHS = ("/models/churn.json", "/models/churn.json.gz")


@pytest.fixture(scope="module")
def reference() -> Reference:
    return build_reference("churn", {"age": FeatureColumn("numeric", np.arange(100.0))})


@pytest.fixture(scope="module")
def store(reference: Reference) -> Iterator[str]:
    """A web server that is an object store, too: it answers HEAD and GET of a whole object."""
    plain = reference.to_json()
    objects = {PATHS[0]: plain, PATHS[1]: gzip.compress(plain)}

    class Store(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(b"")

        def do_GET(self) -> None:
            found = objects.get(self.path.partition("?")[0], b"")
            first, _, last = self.headers.get("Range", "bytes=0-").partition("=")[2].partition("-")
            self.answer(found[int(first) : int(last) + 1 if last else None])

        def answer(self, body: bytes) -> None:
            found = objects.get(self.path.partition("?")[0])
            self.send_response(404 if found is None else 200)
            if found is not None:
                self.send_header("ETag", '"1"')
                self.send_header("Last-Modified", "Sun, 01 Nov 2026 00:00:00 GMT")
                self.send_header("Content-Length", str(len(body) or len(found)))
            else:
                self.send_header("Content-Length", "0")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("path", PATHS)
def test_from_a_url(store: str, reference: Reference, path: str) -> None:
    assert load_reference(store + path).id == reference.id


def test_nothing_at_a_url(store: str) -> None:
    with pytest.raises(ReferenceError, match=r"none\.json does not exist: build it with"):
        load_reference(f"{store}/none.json")


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
def test_from_s3(store: str, reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "reader")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert load_reference("s3://models/churn.json").id == reference.id


def test_from_a_registry_of_models(
    reference: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "registry").as_uri())
    import mlflow

    artifacts = tmp_path / "artifacts"
    artifacts.mkdir()
    (artifacts / "reference.json.gz").write_bytes(gzip.compress(reference.to_json()))
    client = mlflow.MlflowClient()
    client.create_registered_model("churn")
    client.create_model_version("churn", str(artifacts))
    client.set_registered_model_alias("churn", "champion", "1")
    for version in ("churn/1", "churn@champion"):
        assert load_reference(f"models:/{version}/reference.json.gz").id == reference.id
    with pytest.raises(ReferenceError, match="churn/1 is no file: name the reference in it"):
        load_reference("models:/churn/1")
    with pytest.raises(ReferenceError, match=r"models:/churn/2/r\.json cannot be read: Model Ver"):
        load_reference("models:/churn/2/r.json")


def test_any_store_that_fsspec_knows(reference: Reference) -> None:
    with fsspec.open("memory://churn.json", "wb") as file:
        file.write(reference.to_json())
    assert load_reference("memory://churn.json").id == reference.id


def test_a_large_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_file, "_LARGEST_REFERENCE", 1_000_000)
    with fsspec.open("memory://large.json", "wb") as file:
        file.write(b" " * 1_000_001)
    with pytest.raises(ReferenceError, match="it has more than 1 MB"):
        load_reference("memory://large.json")


def test_no_extra_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"s3://a/b.json needs the extra references: pip"):
        load_reference("s3://a/b.json")


def test_errors_of_a_store_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: str, most: int) -> bytes:
        raise RuntimeError("no\n  credentials")

    monkeypatch.setattr(fetching, "_of_store", refuse)
    with pytest.raises(ReferenceError, match=r"^s3://a/b\.json cannot be read: no credentials$"):
        load_reference("s3://a/b.json")
