"""What version 0.1.0 left in its topics and files is read by this one, which goes on from there."""

from __future__ import annotations

from typing import Any

import pytest
from tests.consumer.service import frozen
from tests.consumer.service.rig import Rig

from driftline.consumer.service.states import Head, Part
from driftline.consumer.wire.codec import decode
from driftline.consumer.wire.records import EVENTS
from driftline.detectors import Reference


@pytest.fixture(scope="module")
def continued() -> Rig:
    """The rest of the input, read by a worker of today from the frozen log on."""
    rig, _ = frozen.thaw()
    rig.start(batch=50)
    frozen.feed(rig, frozen.HALF, frozen.END + 30)
    rig.settle()
    return rig


@pytest.fixture(scope="module")
def undisturbed() -> Rig:
    """All of the input, read by one worker of today."""
    rig = frozen.rig_for(frozen.thaw()[0].plan)
    rig.start(batch=50)
    frozen.feed(rig, 0, frozen.END + 30)
    rig.settle()
    return rig


def test_verdicts_and_alerts_go_on_as_if_nothing_had_been(continued: Rig, undisturbed: Rig) -> None:
    old, _ = frozen.thaw()
    expected = undisturbed.verdicts()
    assert continued.verdicts().keys() == expected.keys()
    assert 0 < len(old.verdicts()) < len(expected)
    # The old version raised alerts on segments beside those on the whole model: they go on, too.
    begun = {alert["alert_id"] for alert in old.alerts()}
    beside = [alert for alert in continued.alerts() if alert["segment"] is not None]
    assert {alert["alert_id"] for alert in beside} <= begun
    assert all(alert["segment"] is None for alert in undisturbed.alerts())
    whole = [alert for alert in continued.alerts() if alert["segment"] is None]
    assert frozen.lives(whole) == frozen.lives(undisturbed.alerts())
    assert {status for _, _, status, *_ in frozen.lives(old.alerts())} == {"firing"}
    assert {status for _, _, status, *_ in frozen.lives(continued.alerts())} == {
        "firing",
        "resolved",
    }


def test_what_the_old_version_did_not_judge_has_the_same_bytes(
    continued: Rig, undisturbed: Rig
) -> None:
    known = frozen.thaw()[0].verdicts()
    expected = {
        name: body
        for name, body in undisturbed.verdicts().items()
        # The old version did not count how many events came, and did not ask how much the sides
        # of a comparison vary.
        if name not in known and body["type"] != EVENTS and body["stream"] != "versions"
    }
    found = continued.verdicts()
    assert expected
    assert {name: found[name] for name in expected} == expected


def test_states_are_written_anew_with_the_name_of_their_group(continued: Rig) -> None:
    old, _ = frozen.thaw()
    left = {record.key: record.value for record in continued.records("state")}
    written = {key: value for key, value in left.items() if value is not None}
    assert {record.key for record in old.records("state")} <= left.keys() - written.keys()
    # Version 0.1.0 says of this one: "this record has version 2, newer than 1: upgrade Driftline".
    assert {value[2] for value in written.values()} == {2}
    either: Any = Head | Part
    found = [decode(value, either) for value in written.values()]
    assert {record.group for record in found} == {frozen.PREFIX}
    assert {record.stage for record in found if isinstance(record, Head)} == {
        (record.key or b"").decode() for record in old.records("state")
    }


def test_a_reference_of_the_first_schema_keeps_its_id() -> None:
    text = frozen.REFERENCE.read_bytes()
    _, kept = frozen.thaw()
    assert text == kept.references[frozen.LABELLED]
    assert Reference.from_json(text).id == "17aefaf4359d8c9b"
