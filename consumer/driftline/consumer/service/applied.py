"""The log of models: what was applied to a deployment, read outside the group.

A worker whose configuration names no models takes those that stand here.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from itertools import pairwise

from pydantic import ValidationError

from driftline.consumer.config import ModelConfig
from driftline.consumer.config.applied import (
    read_comparison,
    read_model,
    read_source,
    with_applied,
)
from driftline.consumer.judge.model_streams import reference_streams
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log, Record, TopicPartition, UnreadBatch
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.reference_outline import parse_outline, parse_reference
from driftline.consumer.service.stored_references import References, StoredReference
from driftline.consumer.service.versions import ModelVersion
from driftline.consumer.wire.applied import (
    Applied,
    AppliedComparison,
    AppliedModel,
    AppliedRecord,
    AppliedSource,
    ReferencePart,
    Version,
    part_key,
)
from driftline.consumer.wire.codec import decode
from driftline.consumer.wire.messages import ModelChange
from driftline.detectors.reference import Reference
from driftline.errors import RecordError, ReferenceError  # noqa: A004 (the operator's word for it)

SETTLED_MS = 15 * 60_000
"""So long after a version was replaced its topics are still read for it."""


class AppliedModels:
    """What was applied, as far as it was read.

    Args:
        log: the log outside the group.
        topic: the log of models.

    Attributes:
        parts: parts of references, by key.
        end: offset up to which the log was read.
    """

    def __init__(self, log: Log, topic: str) -> None:
        self.topic = topic
        self._log = log
        self._place = TopicPartition(topic, 0)
        self._records: dict[bytes, Applied] = {}
        self.parts: dict[bytes, ReferencePart] = {}
        self._versions: dict[tuple[str, str, int | None, int], ModelVersion] = {}
        self.end = 0

    def refresh(self) -> bool:
        """Read what was written since the last call; return whether anything was applied.

        Raises:
            LogError: a record is damaged, or of a newer version.
        """
        end = self._log.end_offsets(frozenset([self._place]))[self._place]
        if end <= self.end:
            return False
        changed = [self._take(record) for record in self._log.read({self._place: self.end})]
        self.end = end
        return any(changed)

    @property
    def models(self) -> dict[str, AppliedModel]:
        """The models by name, removed ones too."""
        return {r.name: r for r in self._records.values() if isinstance(r, AppliedModel)}

    @property
    def sources(self) -> dict[str, AppliedSource]:
        """How the records of topics are read, by topic."""
        return {r.name: r for r in self._records.values() if isinstance(r, AppliedSource)}

    @property
    def comparisons(self) -> dict[str, AppliedComparison]:
        """The comparisons, by name."""
        return {r.name: r for r in self._records.values() if isinstance(r, AppliedComparison)}

    def find(self, kind: str, name: str) -> Applied | None:
        """Return what is applied of a kind and name."""
        return self._records.get(f"{kind}/{name}".encode())

    def reference(self, name: str, version: Version) -> Reference:
        """Return the reference of a version of a model.

        Raises:
            ReferenceError: it is not whole.
        """
        return parse_reference(self._unpacked(name, version))

    def _unpacked(self, name: str, version: Version) -> bytes:
        """Return the reference of a version as its file has it."""
        try:
            packed = b"".join(self.parts[part_key(name, part)].data for part in version.parts)
            return gzip.decompress(packed)
        except (KeyError, OSError, EOFError, zlib.error) as error:
            raise ReferenceError(
                f"the reference of {name} in {self.topic} is not whole: apply it again"
            ) from error

    def plan(self, base: Plan, now: int) -> Plan:
        """Return a plan with what was applied.

        Args:
            base: of the deployment's own configuration, or what this returned before.
            now: wall-clock time, ms.
        """
        versions: dict[str, tuple[ModelVersion, ...]] = {}
        configs: dict[str, ModelConfig] = {}
        leaving: set[str] = set()
        for name, model in sorted(self.models.items()):
            known = [self._version(name, version) for version in model.versions]
            recent = _recent(known, now)
            leaving.update(*(version.topics for version in recent))
            newest = known[-1].config
            if newest is not None:
                configs[name] = newest
            if newest is not None or recent:
                versions[name] = tuple(known)
        config = with_applied(
            base.own_config,
            configs,
            {topic: read_source(each.configuration) for topic, each in self.sources.items()},
            {name: read_comparison(each.configuration) for name, each in self.comparisons.items()},
        )
        return replace(
            base,
            config=config,
            references=References({name: versions[name][-1].stored for name in configs}),
            versions=versions,
            leaving=frozenset(leaving),
            own=base.own_config,
        )

    def settling(self, now: int) -> bool:
        """Return whether a version was replaced, or a model removed, a short time ago."""
        return any(
            now - version.at < SETTLED_MS
            for model in self.models.values()
            for version in model.versions[1:]
        )

    def _version(self, name: str, version: Version) -> ModelVersion:
        key = (name, version.version, version.first, version.begun)
        if key not in self._versions:
            change = ModelChange(
                name,
                version.version,
                version.configuration_id,
                version.reference,
                version.first or 0,
                version.removed,
            )
            text = version.configuration
            config = None if text is None else self._config(name, text)

            def whole() -> Reference:
                found = self.reference(name, version)
                streams = () if config is None else reference_streams(config, found)
                return found.watched_by(streams)

            def outline() -> Reference:
                return parse_outline(self._unpacked(name, version))

            stored = StoredReference(whole, outline)
            self._versions[key] = ModelVersion(change, config, stored, version.at, version.begun)
        return self._versions[key]

    def _config(self, name: str, text: str) -> ModelConfig:
        """Read a configuration. It may name what another installation has and this one has not."""
        try:
            return read_model(text)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(part for part in map(str, first["loc"]) if part != "[key]")
            raise LogError(
                f"{name} in {self.topic} cannot be watched here: {key}: {first['msg']}; install"
                " what it names beside every worker, or apply it without"
            ) from error

    def _take(self, record: Record) -> bool:
        """Take in a record; return whether it changes what was applied."""
        if isinstance(record.value, UnreadBatch):
            raise LogError(f"{self.topic} cannot be read: {record.value.detail}")
        key = record.key or b""
        if record.value is None:
            self.parts.pop(key, None)
            return self._records.pop(key, None) is not None
        try:
            found: AppliedRecord = decode(record.value, AppliedRecord)  # type: ignore[arg-type]  # a union is a type to msgspec
        except RecordError as error:
            name = key.decode(errors="replace")
            raise LogError(f"{name} in {self.topic} cannot be read: {error}") from error
        if isinstance(found, ReferencePart):
            self.parts[key] = found
            return False
        self._records[key] = found
        return True


def _recent(known: list[ModelVersion], now: int) -> list[ModelVersion]:
    """Return the versions that were replaced a short time ago, or are about to be."""
    return [version for version, after in pairwise(known) if now - after.at < SETTLED_MS]
