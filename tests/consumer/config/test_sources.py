"""What `sources` says of the texts of records."""

from __future__ import annotations

import pytest

from driftline.consumer.config import ConfigError
from driftline.producer.records.text_form import TextForm

from .conftest import Read

MODEL = "models: {m: {predictions: t, reference: r.json}}\nkafka: {bootstrap_servers: k:1}\n"


def read_texts(read: Read, keys: str) -> TextForm:
    text = f"{MODEL}sources: {{t: {{{keys}}}}}\n"
    return read({"driftline.yaml": text}, offline=True).config.sources["t"].mapping.texts


@pytest.mark.parametrize(
    ("keys", "texts"),
    [
        ("", TextForm()),
        ("missing: unknown", TextForm(("unknown",))),
        ('missing: [NA, "?"], coerce: true', TextForm(("NA", "?"), coerce=True)),
    ],
)
def test_marks_and_numbers_as_text(read: Read, keys: str, texts: TextForm) -> None:
    assert read_texts(read, keys) == texts


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("missing: [a, b, a]", "missing: a is named twice"),
        ('missing: "true"', "missing: true is a value of booleans; leave it out"),
        ("missing: [-999]", "missing[0]: must be text; put it in quotes"),
        ("coerce: numbers", "coerce: must be true or false"),
    ],
)
def test_what_is_refused(read: Read, keys: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_texts(read, keys)
    assert [str(each) for each in refused.value.problems] == [
        f"driftline.yaml:3: sources.t.{problem}"
    ]
