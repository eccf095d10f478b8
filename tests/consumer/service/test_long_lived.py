"""What stages are made of is not looked at again for garbage; what became garbage is found."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from tests.consumer.service.small import plan

from driftline.consumer.service.status import Status
from driftline.consumer.service.worker import LongLived


@pytest.fixture(autouse=True)
def _thaw() -> Iterator[None]:
    gc.unfreeze()  # what tests/conftest.py froze
    yield
    gc.unfreeze()


class Ring:
    """An object that only a search for cycles can free."""

    def __init__(self) -> None:
        self.own = self


def test_what_is_opened_is_passed_over_and_freed_after_the_next_change() -> None:
    status = Status(plan())
    long_lived = LongLived(status)
    ring = Ring()
    gone = weakref.ref(ring)
    status.unopened = 2
    long_lived.look()
    del ring
    assert gc.get_freeze_count() > 0
    gc.collect()
    assert gone() is not None  # it is not looked at
    status.unopened, status.generation = 0, 1
    long_lived.look()
    assert gone() is not None  # nor at the end of the first opening
    status.generation = 2
    long_lived.look()
    assert gone() is None
    assert gc.get_freeze_count() > 0


def test_where_nothing_changed_nothing_is_frozen() -> None:
    status = Status(plan())
    long_lived = LongLived(status)
    long_lived.look()
    assert gc.get_freeze_count() == 0
