"""Models whose code raised an unexpected error: each rests alone, and all others go on."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType


class Failures(dict[str, Exception]):
    """The first unexpected error of each model that failed in one stage.

    >>> failures = Failures()
    >>> with failures.guard("fraud"):
    ...     1 / 0
    >>> failures
    {'fraud': ZeroDivisionError('division by zero')}
    """

    def guard(self, name: str, then: Callable[[str, Exception], object] | None = None) -> Guard:
        """Return a context in which an error of the model `name` is noted, and ends the block.

        The block reads and writes no log: the errors of a log are not a model's.

        Args:
            name: the model.
            then: called with the model and its error.
        """
        return Guard(self, name, then)

    def add_to(self, others: Failures | None) -> None:
        """Add them to others, of which a model's first holds; raise one where there are none."""
        for name, error in self.items():
            if others is None:
                raise error
            others.setdefault(name, error)


class Guard:
    """See `Failures.guard`. A class, because it is entered for every model of every poll."""

    __slots__ = ("_failures", "_name", "_then")

    def __init__(
        self, failures: Failures, name: str, then: Callable[[str, Exception], object] | None
    ) -> None:
        self._failures, self._name, self._then = failures, name, then

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        """Note an error, if there is one."""
        if not isinstance(error, Exception):
            return False
        self._failures.setdefault(self._name, error)
        if self._then is not None:
            self._then(self._name, error)
        return True
