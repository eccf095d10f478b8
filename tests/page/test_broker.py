"""`driftline ui` in a browser, beside a worker, over a real broker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.kafka import car_loan
from tests.kafka.worker import Worker
from tests.page.process import serving
from tests.page.streams import alive, event, streams
from tests.page.window import tab

pytestmark = [pytest.mark.page, pytest.mark.kafka]


def test_an_alert_of_a_worker_shows_by_itself(
    browser: Any, bootstrap: str, prefix: str, new_topic: Callable[..., str], tmp_path: Path
) -> None:
    """On a page that was open before the worker had judged anything; it leads to its feature.

    Fifty other open pages hear of it too, and stand in the way of neither process.
    """
    car_loan.build_reference(tmp_path)
    topic = new_topic("events", car_loan.PARTITIONS)
    config = car_loan.write_config(tmp_path / "driftline.yaml", bootstrap, topic, prefix)
    replay = car_loan.Replay(bootstrap, topic)
    worker = Worker(config, tmp_path / "worker.txt")
    worker.start()
    try:
        worker.wait_until_ready()
        with (
            serving("ui", "--config", str(config), "--port", "0") as url,
            tab(browser, url) as own,
            streams(url) as others,
        ):
            page = own.open("/")
            page.wait_for_selector(f".model:has-text('{car_loan.MODEL}')")
            page.evaluate("window.before = true")
            assert page.locator(".alert").count() == 0
            replay.send([row for pane in car_loan.rows_by_pane()[24:30] for row in pane])
            page.set_default_timeout(60_000)
            page.locator(".alert .sentence", has_text="car_value rose").click()
            page.get_by_role("link", name="See car_value").click()
            page.wait_for_selector(".bins")
            of_worker = f"http://{worker.logged('start')[0]['http']}"
            took = []
            for other in others:
                assert event(other) == b"changed"
                took.append((alive(of_worker), alive(url)))
            slowest = (1000 * max(each) for each in zip(*took, strict=True))
            print(
                "/livez of worker and page, the slowest of 50: {:.0f} and {:.0f} ms".format(
                    *slowest
                )
            )
            assert page.evaluate("window.before")
            assert own.complaints == []
    finally:
        replay.close()
        worker.close()
