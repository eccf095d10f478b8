"""References that lie elsewhere: fetched from a URL, an object store or a registry of models.

The libraries that fetch them come with the extra `references` alone, and are imported where an
address needs them.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from driftline.consumer.config.schemes import scheme_of
from driftline.errors import ReferenceError  # noqa: A004 - the operator's word for it
from driftline.producer.errors import MissingExtraError

REGISTRY = "models"


def fetch(address: str, most: int) -> bytes:
    """Return what is at an address.

    Args:
        address: with a scheme.
        most: bytes that it may have.

    Raises:
        FileNotFoundError: nothing is there.
        MissingExtraError: what fetches it is not installed.
        ReferenceError: it cannot be read.
    """
    fetched = _of_registry if scheme_of(address) == REGISTRY else _of_store
    try:
        return _within(address, fetched, most)
    except (FileNotFoundError, ReferenceError):
        raise
    except ImportError as error:
        raise MissingExtraError(
            f'{address} needs the extra references: pip install "driftline[references]" ({error})'
        ) from None
    except Exception as error:  # each store raises errors of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ReferenceError(f"{address} cannot be read: {reason}") from None


def _within(address: str, fetched: Callable[[str, int], bytes], most: int) -> bytes:
    data = fetched(address, most + 1)
    if len(data) > most:
        raise ReferenceError(f"{address} cannot be read: it has more than {most // 1_000_000} MB")
    return data


def _of_store(address: str, most: int) -> bytes:
    import fsspec

    with fsspec.open(address, "rb") as file:
        data: bytes = file.read(most)
        return data


def _of_registry(address: str, most: int) -> bytes:
    """Return a file of a model version: `models:/NAME/VERSION/FILE`, or `models:/NAME@ALIAS/FILE`.

    Which registry, `MLFLOW_TRACKING_URI` and `MLFLOW_REGISTRY_URI` say.
    """
    from mlflow.artifacts import download_artifacts

    with tempfile.TemporaryDirectory() as folder:
        found = Path(download_artifacts(address, dst_path=folder))
        if found.is_dir():
            raise ReferenceError(
                f"{address} is no file: name the reference in it, for example"
                f" {address.rstrip('/')}/reference.json.gz"
            )
        with found.open("rb") as file:
            return file.read(most)
