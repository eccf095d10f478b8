"""What is derived of vectors and texts: the same by exact arithmetic, in any company."""

from __future__ import annotations

import math
import unicodedata
from fractions import Fraction
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from driftline.detectors.counts import Feature, Layout
from driftline.detectors.derivations import (
    KINDS,
    TextDerivation,
    VectorDerivation,
    derivation_from_json,
)
from driftline.detectors.derivations.characters import CLASSES, characters
from driftline.detectors.derivations.text import word_hashes
from driftline.detectors.derivations.vector import exponent_for, steps_of

STEP = st.integers(-32_767, 32_767)
NUMBER = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-20, 20),
    st.integers(-40, 40).map(lambda x: x / 8),  # halfway between steps, and equally near
)


@st.composite
def vectors(draw: st.DrawFn) -> tuple[VectorDerivation, list[list[float]]]:
    """Centroids, and vectors of which some are near them."""
    d = draw(st.integers(1, 6))
    centroids = draw(st.lists(st.lists(STEP, min_size=d, max_size=d), min_size=1, max_size=5))
    exponent = draw(st.integers(-3, 12))
    derivation = VectorDerivation.of("v", exponent, np.array(centroids, np.int16))
    near = st.sampled_from(centroids).map(lambda c: [x * 2.0**-exponent for x in c])
    rows = st.one_of(st.lists(NUMBER, min_size=d, max_size=d), near)
    return derivation, draw(st.lists(rows, min_size=1, max_size=12))


def exactly(derivation: VectorDerivation, vector: list[float]) -> tuple[int, float]:
    """The oracle: whole numbers of Python."""
    steps = []
    for number in vector:
        scaled = Fraction(number) * Fraction(2) ** derivation.exponent
        steps.append(max(-32_767, min(32_767, round(scaled))))  # to the even one of two
    squared = [
        sum((a - b) ** 2 for a, b in zip(steps, c, strict=True))
        for c in derivation.centroids.tolist()
    ]
    return squared.index(min(squared)), math.sqrt(min(squared)) * 2.0**-derivation.exponent


@given(vectors(), st.data())
def test_a_vector_gives_the_same_in_every_batch(
    case: tuple[VectorDerivation, list[list[float]]], data: st.DataObject
) -> None:
    derivation, rows = case
    wanted = [list(exactly(derivation, row)) for row in rows]
    cut = data.draw(st.integers(0, len(rows)))
    order = data.draw(st.permutations(range(len(rows))))
    whole = derivation.derive(np.array(rows)).T
    parts = [derivation.derive(np.array(p)).T for p in (rows[:cut], rows[cut:]) if p]
    shuffled = derivation.derive(np.array([rows[i] for i in order])).T
    assert whole.tolist() == wanted
    assert np.concatenate(parts).tolist() == wanted
    assert shuffled.tolist() == [wanted[i] for i in order]


def test_products_of_large_vectors_are_exact() -> None:
    """Where doubles would round: many dimensions, all at the end of the steps."""
    rng = np.random.default_rng(3)
    centroids = rng.integers(-32_767, 32_768, (7, 3_000)).astype(np.int16)
    derivation = VectorDerivation.of("v", 0, centroids)
    rows = rng.integers(-40_000, 40_001, (33, 3_000)).astype(np.float64)
    wanted = [list(exactly(derivation, row)) for row in rows.tolist()]
    assert derivation.derive(rows).T.tolist() == wanted
    assert [derivation.derive(row[None])[:, 0].tolist() for row in rows] == wanted


def test_of_equally_near_centroids_the_lowest() -> None:
    derivation = VectorDerivation.of("v", 0, np.array([[2], [-2], [2]], np.int16))
    assert derivation.derive(np.array([[0.0], [-1.0], [9.0]])).tolist() == [[0, 1, 0], [2, 1, 7]]


def test_what_is_too_large_counts_as_the_last_step() -> None:
    assert steps_of(np.array([[9e300, -np.inf, np.nan, 2.5, 3.5]]), 0).tolist() == [
        [32_767, -32_767, 0, 2, 4]
    ]


@pytest.mark.parametrize(
    ("numbers", "exponent"),
    [([0.0], 0), ([1.0], 11), ([0.9], 12), ([np.nan], 0), ([5e-324], 1_000), ([1e308], -1_000)],
)
def test_steps_fit_the_numbers(numbers: list[float], exponent: int) -> None:
    assert exponent_for(np.array([numbers])) == exponent


WORDS = (
    "Grüße",
    "ENDE",
    "naïve",
    "語",
    "ひらがな",
    "한국어",
    "привет",
    "x1y",
    "don't",
    "😀",
    "",
    "\n",
)
TEXT = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(), max_size=8),
    st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join),
)


def words_of(text: str) -> list[str]:
    """The oracle: words by a walk over the characters."""
    known = unicodedata.ucd_3_2_0
    words: list[str] = []
    inside = False
    for letter in text:
        if known.category(letter)[0] not in "LM":
            inside = False
            continue
        alone = known.east_asian_width(letter) == "W"
        small = letter.lower() if len(letter.lower()) == 1 else letter
        if inside and not alone:
            words[-1] += small
        else:
            words.append(small)
        inside = not alone
    return words


def class_of(letter: str) -> str:
    category = unicodedata.ucd_3_2_0.category(letter)[0]
    if letter in "\t\n\v\f\r":
        return "spaces"
    return {"L": "letters", "M": "letters", "N": "digits", "Z": "spaces", "P": "punctuation"}.get(
        category, "other"
    )


@given(st.lists(TEXT, min_size=1, max_size=6), st.lists(TEXT, min_size=1, max_size=3), st.data())
@example(["a\nb", "\ud800x", "𠀀𠀁", "\U0002f800"], ["B", "𠀁"], None)
def test_a_text_gives_the_same_in_every_batch(
    texts: list[str], known: list[str], data: st.DataObject | None
) -> None:
    derivation = TextDerivation.of("t", np.unique(word_hashes(known).hashes))
    vocabulary = {word for text in known for word in words_of(text)}
    wanted = []
    for text in texts:
        words = words_of(text)
        unseen = sum(word not in vocabulary for word in words)
        share = unseen / len(words) if words else None
        kinds = [sum(class_of(x) == kind for x in text) for kind in CLASSES]
        shares = [count / len(text) if text else None for count in kinds]
        wanted.append([float(len(text)), share, *shares])
    cut = 0 if data is None else data.draw(st.integers(0, len(texts)))
    parts = [derivation.derive(part).T for part in (texts[:cut], texts[cut:])]
    for found in (derivation.derive(texts).T, np.concatenate(parts)):
        assert [[None if x != x else x for x in row] for row in found.tolist()] == wanted


def test_the_table_of_characters_is_frozen() -> None:
    """Another Python has to count as this one."""
    digests = [blake2b(each.tobytes(), digest_size=8).hexdigest() for each in characters()]
    assert digests == FROZEN


FROZEN = ["059f991122e4b5eb", "716f45bc3aefaa9c", "2d332b33a46d9cc6"]


def test_a_derivation_comes_back_from_a_file() -> None:
    vector = VectorDerivation.of("v", -2, np.array([[1, -32_767]], np.int16))
    text = TextDerivation.of("t", np.array([3, 2**64 - 1], np.uint64))
    for each in (vector, text):
        again = derivation_from_json(each.to_json())
        assert again.to_json() == each.to_json()
        assert KINDS[each.kind] is type(again)


@pytest.mark.parametrize(
    "change",
    [
        {"features": ["one"]},
        {"centroids": ""},
        {"centroids": "AA"},
        {"kind": "word"},
        {"words": "?"},
    ],
)
def test_a_damaged_derivation_is_refused(change: dict[str, object]) -> None:
    vector = VectorDerivation.of("v", 0, np.array([[1, 2]], np.int16)).to_json()
    text = TextDerivation.of("t", np.array([3, 4], np.uint64)).to_json()
    document = {**(text if "words" in change else vector), **change}
    with pytest.raises((ValueError, KeyError)):
        derivation_from_json(document)
    with pytest.raises(ValueError, match="text"):
        derivation_from_json({**text, "features": ["one"]})


def test_a_layout_knows_of_what_its_features_are_derived() -> None:
    vector = VectorDerivation.of("v", 0, np.array([[1, 2]], np.int16))
    layout = Layout.of([Feature("v.distance", "numeric", np.array([1.0]))], derived=(vector,))
    assert layout.derivations == {"v.cluster": vector, "v.distance": vector}
    assert vector.holds == "an array of 2 numbers"
