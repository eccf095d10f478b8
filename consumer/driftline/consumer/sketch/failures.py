"""Models whose code raised an unexpected error: each rests alone, and all others go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Failures(dict[str, Exception]):
    """The first unexpected error of each model that failed in one stage.

    >>> failures = Failures()
    >>> with failures.guard("fraud"):
    ...     1 / 0
    >>> failures
    {'fraud': ZeroDivisionError('division by zero')}
    """

    @contextmanager
    def guard(self, name: str) -> Iterator[None]:
        """Note an error of the model `name` in the block, which ends there.

        The block reads and writes no log: the errors of a log are not a model's.
        """
        try:
            yield
        except Exception as error:
            self.setdefault(name, error)
