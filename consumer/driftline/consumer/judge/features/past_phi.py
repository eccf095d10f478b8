"""phi of a stream as it was before a window, so that no pane of the window has a say in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.dispersion import DIRECTIONS, NONE, OTHER
from driftline.detectors.grid import FloatArray

_KEPT = [NONE, OTHER]  # the directions that windows are tempered by
_TIMES = 3
_NEVER = -(1 << 62)


class PastPhi:
    """Keeps phi as it was once in the length of a window, the last three times.

    The newest is from just before the panes that follow it, so that a window which begins with
    them, as windows that do not overlap do, knows all that was before. Windows that overlap begin
    behind the oldest.

    Args:
        first: phi before the first pane, shape (5, F).
        panes: of a window.
        kept: what `state` returned; empty: nothing.

    Example:
        >>> past = PastPhi(np.full((5, 1), 2.0), 3, b"")
        >>> for pane in range(3, 8):
        ...     if past.is_due(pane):
        ...         past.keep(pane, np.full((5, 1), float(pane)))
        >>> [float(past.before(pane)[OTHER, 0]) for pane in (2, 3, 5, 6)]
        [2.0, 3.0, 3.0, 6.0]
    """

    def __init__(self, first: FloatArray, panes: int, kept: bytes) -> None:
        self._first, self._panes = first, panes
        self._at = np.full(_TIMES, _NEVER)
        self._phi = np.stack([first[_KEPT]] * _TIMES).astype(np.float32)
        if len(kept) == self._at.nbytes + self._phi.nbytes:
            self._at = np.frombuffer(kept, "<i8", _TIMES).astype(np.int64)
            shape, size = self._phi.shape, self._at.nbytes
            self._phi = np.frombuffer(kept, "<f4", offset=size).reshape(shape).astype(np.float32)

    def carry(self, old: PastPhi, same: NDArray[np.bool_], phi: FloatArray) -> None:
        """Go on with what was kept when something else was normal.

        Args:
            old: of the same features and windows.
            same: features for which it goes on, shape (F,).
            phi: that holds for the others, shape (5, F), also in windows that began before.
        """
        self._at = old._at
        now = phi[_KEPT].astype(np.float32)
        self._phi = np.where(same, old._phi, now[None])

    def begin_anew(self, f: int, phi: FloatArray) -> None:
        """Let phi, shape (5, F), be that of the f-th feature in all windows to come."""
        self._phi[:, :, f] = phi[_KEPT, f].astype(np.float32)

    def is_due(self, pane: int) -> bool:
        """Return whether phi is to be kept before the pane of this number."""
        return bool(self._at[-1] // self._panes != pane // self._panes)

    def keep(self, pane: int, phi: FloatArray) -> None:
        """Keep phi, shape (5, F), as it is before the pane of this number."""
        self._at = np.append(self._at[1:], pane)
        self._phi = np.append(self._phi[1:], phi[None, _KEPT].astype(np.float32), axis=0)

    def before(self, pane: int) -> FloatArray:
        """Return phi as it was before a window that begins with this pane, shape (5, F).

        It is there in the directions that windows are tempered by, and 1 in the others.
        """
        phi = np.ones((len(DIRECTIONS), self._phi.shape[-1]))
        known = np.flatnonzero(self._at <= pane)
        never = not known.size or self._at[known[-1]] == _NEVER
        phi[_KEPT] = self._first[_KEPT] if never else self._phi[known[-1]]
        return phi

    def state(self) -> bytes:
        """Return what has to be kept."""
        return self._at.astype("<i8").tobytes() + self._phi.astype("<f4").tobytes()
