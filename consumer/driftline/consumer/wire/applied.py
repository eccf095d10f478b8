"""What was applied: records of `<prefix>.models`, compacted, all in its one partition.

A model's record holds its versions, the newest last. Each names the parts of its reference by the
digests of their bytes; parts stand before the record that names them and are deleted after the
next one that does not.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec


class Version(msgspec.Struct, frozen=True):
    """A configuration and reference of a model, or that it is watched no more.

    Attributes:
        version: id of configuration and reference together.
        first: start of the first pane that is counted and judged by it, ms; None: it was the first.
        configuration: the model's keys as JSON, defaults worked in; None where it was removed.
        reference: id of the reference; empty where it was removed.
        parts: digests of the parts of the packed reference, in order.
        who: applied it; `at`: when, ms since 1970.
        life: where versions before it were forgotten, `begun` of the first of them that was watched
            without a break.
    """

    version: str
    first: int | None
    configuration: str | None
    reference: str
    parts: list[bytes]
    who: str
    at: int
    life: int | msgspec.UnsetType = msgspec.UNSET

    @property
    def begun(self) -> int:
        """Where it is the first of its life that is known: from when on that has rows, ms."""
        return (self.first or 0) if self.life is msgspec.UNSET else self.life

    @property
    def removed(self) -> bool:
        """Whether the model is watched no more."""
        return self.configuration is None

    @property
    def configuration_id(self) -> str:
        """The id of the configuration alone."""
        return "" if self.configuration is None else digest(self.configuration.encode()).hex()


class AppliedModel(msgspec.Struct, frozen=True, tag="model"):
    """A model and its versions: those that may still be needed, the newest last."""

    name: str
    versions: list[Version]

    @property
    def newest(self) -> Version:
        """The version that holds, or is about to."""
        return self.versions[-1]


class AppliedSource(msgspec.Struct, frozen=True, tag="source"):
    """How the records of a topic are read; `configuration`: its keys as JSON."""

    name: str
    configuration: str
    who: str
    at: int


class AppliedComparison(msgspec.Struct, frozen=True, tag="comparison"):
    """A comparison of two models; `configuration`: its keys as JSON."""

    name: str
    configuration: str
    who: str
    at: int


class ReferencePart(msgspec.Struct, frozen=True, tag="part"):
    """A part of a model's packed reference."""

    model: str
    data: bytes


Applied = AppliedModel | AppliedSource | AppliedComparison
AppliedRecord = Applied | ReferencePart


def key_of(record: AppliedRecord) -> bytes:
    """Return the key of a record.

    >>> key_of(ReferencePart("churn", b"...")), key_of(AppliedModel("churn", []))
    (b'part/ed8afa03a2db846a/churn', b'model/churn')
    """
    if isinstance(record, ReferencePart):
        return part_key(record.model, digest(record.data))
    kind = record.__struct_config__.tag
    return f"{kind}/{record.name}".encode()


def part_key(model: str, part: bytes) -> bytes:
    """Return the key of a part of a model's reference, by its digest."""
    return f"part/{part.hex()}/{model}".encode()


def digest(data: bytes) -> bytes:
    """Return what names some bytes."""
    return blake2b(data, digest_size=8).digest()
