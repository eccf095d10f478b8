"""Reading a file with a password or a token, for verbs that need no configuration too."""

from __future__ import annotations

import errno
import os
import stat

from driftline.producer.files.regular_file import open_regular, too_large

_LARGEST_PASSWORD = 64_000  # bytes; a token of OAUTHBEARER has a few thousand


def read_password(path: str | os.PathLike[str]) -> str:
    """Return the password, or token, that a file holds.

    Raises:
        OSError: it cannot be read, is no regular file or too large, or everybody may write it.
    """
    with open_regular(os.fspath(path)) as file:
        refuse_if_open_to_all(file.fileno())
        content = file.read(_LARGEST_PASSWORD + 1)
    if len(content) > _LARGEST_PASSWORD:
        raise too_large(_LARGEST_PASSWORD)
    return content.decode(errors="replace").rstrip("\r\n")


def refuse_if_open_to_all(descriptor: int) -> None:
    """Refuse an open file that everybody may write.

    Raises:
        PermissionError: everybody may.
    """
    if os.fstat(descriptor).st_mode & stat.S_IWOTH:
        raise PermissionError(errno.EPERM, "everybody may write it, run  chmod o-w  on it")
