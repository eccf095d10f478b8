"""A configuration as it goes to other processes: with the bytes of its references' files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from driftline.consumer.config import Config, Loaded
from driftline.consumer.service.reference_file import read_reference_file
from driftline.consumer.service.reference_outline import parse_outline, parse_reference
from driftline.consumer.service.references import read_references, sort_out
from driftline.consumer.service.stored_references import References, StoredReference
from driftline.consumer.spark.errors import SparkError
from driftline.detectors.reference import Reference
from driftline.detectors.versions import with_versions
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)


@dataclass(frozen=True)
class ShippedConfig:
    """A configuration of which each process reads the references for itself, when it wants them.

    Attributes:
        config: of the models.
        topic: the input.
        files: address of a reference to its bytes; None: processes read the addresses themselves.
    """

    config: Config
    topic: str
    files: Mapping[str, bytes] | None

    @property
    def references(self) -> References:
        """The references by model: to count events the outline of one is read alone."""
        return References(
            {
                name: StoredReference(partial(self.reference, name), partial(self._outline, name))
                for name in self.config.models
            }
        )

    def reference(self, name: str) -> Reference:
        """Return the reference of a model.

        Raises:
            SparkError: it is to be read here, and cannot be.
        """
        model = self.config.models[name]
        found = self._read(model.reference.layout or "", parse_reference)
        if not model.references:
            return found
        named = {v: self._read(at, parse_reference) for v, at in model.references.items()}
        return with_versions(found, named)

    def _outline(self, name: str) -> Reference:
        model = self.config.models[name]
        if model.references:
            return self.reference(name).outline()
        return self._read(model.reference.layout or "", parse_outline)

    def _read(self, address: str, parse: Callable[[bytes], Reference]) -> Reference:
        if self.files is not None:
            return parse(self.files[address])
        try:
            return parse(read_reference_file(address))
        except ReferenceError as error:
            raise SparkError(
                f"an executor cannot read a reference ({error}): put it where all of them can, or"
                " leave out references_by_path"
            ) from None


def read_files(loaded: Loaded) -> dict[str, bytes]:
    """Return the bytes of all references of a configuration by address.

    Raises:
        ConfigError: one cannot be read, or does not fit.
    """
    _, problems = read_references(loaded)
    sort_out(problems)
    models = loaded.config.models.values()
    addresses = {address for model in models for address in model.references.values()}
    addresses |= {m.reference.layout for m in models if m.reference.layout is not None}
    return {each: read_reference_file(each) for each in sorted(addresses)}
