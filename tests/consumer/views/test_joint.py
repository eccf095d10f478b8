"""How features go together, as its view shows what the service published."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from tests.consumer.judge.joint.world import A_PANE, joint_plan, stream
from tests.consumer.service.small import MODEL, alerts, backtest, verdicts
from tests.detectors.joint.correlated import drawn

from driftline.consumer.ui.tables import joint, to_csv
from driftline.consumer.views.fold import Views
from driftline.consumer.views.lean import LEAN
from driftline.consumer.views.ring import Place
from driftline.consumer.wire.records import JOINT, Alert, Verdict


@pytest.fixture(scope="module")
def published() -> tuple[list[Verdict], list[Alert]]:
    """Six quiet hours, then three in which one feature goes together with nothing."""
    apart = drawn(np.random.default_rng(8), 18 * A_PANE, 0)
    outputs = backtest(joint_plan(), stream(3, apart))
    return list(verdicts(outputs)), list(alerts(outputs))


@pytest.fixture
def views(published: tuple[list[Verdict], list[Alert]]) -> Views:
    found, fired = published
    made = Views(read=lambda place: found[place.offset])
    for offset, verdict in enumerate(found):  # as they are read of a topic
        made.judged(LEAN.decode(msgspec.json.encode(verdict)), Place(0, offset))
    for alert in fired:
        made.alerted(alert)
    return made


def test_it_has_the_figures_and_pairs_of_the_verdicts(
    views: Views, published: tuple[list[Verdict], list[Alert]]
) -> None:
    own = [each for each in published[0] if each.type == JOINT]
    view = views.joint(MODEL)
    assert view is not None
    assert view.verdict == own[-1]
    assert own[-1].pairs
    assert view.axis.ends == [each.window.end for each in own]
    assert view.effect == [each.effect for each in own]
    figures = [each.detectors.get(JOINT) for each in own]
    assert view.evidence == [None if each is None else each.value for each in figures]
    assert view.limit == [None if each is None else each.threshold for each in figures]
    assert len(set(view.states)) > 1
    assert [row.kind for row in view.alerts] == ["joint_drift"]
    middle = own[len(own) // 2]
    asked = views.joint(MODEL, middle.window.end)
    assert asked is not None
    assert asked.verdict == middle
    rows = to_csv(joint(view)).decode().splitlines()
    assert (rows[0], len(rows)) == ("start,end,events,effect,evidence,limit,state", len(own) + 1)


def test_who_has_it_says_so_and_a_report_holds_it(views: Views) -> None:
    model, feature = views.model(MODEL), views.feature(MODEL, "age")
    performance = views.performance(MODEL)
    assert model is not None
    assert feature is not None
    assert performance is not None
    assert (model.joint, feature.joint, performance.joint) == (True, True, True)
    assert views.report(None, None).joint == [views.joint(MODEL)]
    assert views.joint("nobody") is None


def test_a_model_whose_features_are_watched_alone_has_none() -> None:
    made = Views()
    for offset, verdict in enumerate(verdicts(backtest(joint_plan(None), stream(3)))):
        made.judged(verdict, Place(0, offset))
    model = made.model(MODEL)
    assert model is not None
    assert (model.joint, made.joint(MODEL), made.report(None, None).joint) == (False, None, [])
