"""What is normal of features together, in the file of a reference."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.detectors.joint.correlated import columns, drawn, normal

from driftline.detectors.counts import count_columns
from driftline.detectors.joint.normal import JointNormal
from driftline.detectors.reference import Reference, ReferenceCounts, content_hash
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)

VALUES = drawn(np.random.default_rng(1), 500)


def reference(joint: JointNormal | None) -> Reference:
    layout = normal()[0]
    counts = count_columns(layout, columns(VALUES))[None]
    counted = ReferenceCounts((None,), counts, np.array([500]), joint=joint)
    return Reference("m", layout, counted, {})


def edited(*path: str | int, to: object) -> bytes:
    """The file with one value changed, under the id of that content."""
    document = json.loads(reference(normal()[1]).to_json())
    del document["id"]
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return json.dumps({"id": content_hash(document), **document}).encode()


def test_a_file_gives_the_same_again() -> None:
    written = reference(normal()[1])
    read = Reference.from_json(written.to_json())
    assert (read.id, read.to_json()) == (written.id, written.to_json())
    assert read.joint is not None
    assert read.joint.counts.tolist() == normal()[1].counts.tolist()
    assert read.joint.layout.names == normal()[1].layout.names
    unknown = replace(normal()[1], dispersion=None)
    again = Reference.from_json(reference(unknown).to_json()).joint
    assert again is not None
    assert again.dispersion is None


def test_what_is_counted_together_is_part_of_the_layout() -> None:
    known = normal()[1]
    with_pairs, without = reference(known), reference(None)
    assert with_pairs.layout_id != without.layout_id
    assert with_pairs.size == without.size + known.layout.size
    other = replace(known, counts=known.counts * 2)
    assert reference(other).layout_id == with_pairs.layout_id
    assert reference(other).id != with_pairs.id
    assert b"joint" not in without.to_json()


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("layout", "joint", "features", 0), "nobody"),
        (("layout", "joint", "cuts", 0, 3), 9_999),
        (("layout", "joint", "features"), ["age"]),
        (("baseline", "joint", "counts"), [1, 2]),
        (("baseline", "joint", "dispersion", "events"), [1.0]),
    ],
)
def test_what_does_not_fit_is_refused(path: tuple[str | int, ...], to: object) -> None:
    with pytest.raises(ReferenceError, match="lacks fields or has wrong ones"):
        Reference.from_json(edited(*path, to=to))
