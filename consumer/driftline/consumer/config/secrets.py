"""Secrets: only from `password_file` or the environment, and never in a text that is shown."""

from __future__ import annotations

import errno
import os
import stat

from pydantic import SecretStr

from driftline.consumer.config.client_options import PASSWORD_ADVICE
from driftline.consumer.config.errors import Problem
from driftline.consumer.config.tree import Node, edit
from driftline.producer.files.regular_file import open_regular, too_large

PASSWORD = ("kafka", "sasl", "password")
_TLS_FILES = ("ca_file", "cert_file", "key_file")
_LARGEST_PASSWORD = 64_000  # bytes; a token of OAUTHBEARER has a few thousand
_LARGEST_TLS_FILE = 10_000_000


def refuse_password(root: Node) -> tuple[Node, list[Problem]]:
    """Take a password out of the tree of a file or command line, and refuse it.

    Others can read both: a file lies in a repository, a command line in the list of processes.
    """
    found = root.get(*PASSWORD)
    if found is None:
        return root, []
    rest = edit(root, PASSWORD, lambda node: None)
    problem = found.origin.problem(f"a secret does not belong here, {PASSWORD_ADVICE}")
    return rest or root, [problem]


def hide_password(root: Node) -> Node:
    """Wrap the password of the environment, so that no text of the tree shows it."""
    return edit(root, PASSWORD, lambda node: Node(SecretStr(str(node.value)), node.origin)) or root


def read_login(root: Node) -> tuple[Node, list[Problem]]:
    """Read `password_file`, and see that the files of TLS are there.

    The password of the environment wins over the file.
    """
    problems = [
        node.origin.problem(reason)
        for name in _TLS_FILES
        if (node := root.get("kafka", "tls", name)) and isinstance(node.value, str)
        if (reason := _unfit_for_tls(node.value, secret=name == "key_file"))
    ]
    sasl = root.get("kafka", "sasl")
    if sasl is None or not isinstance(sasl.value, dict) or root.get(*PASSWORD):
        return root, problems
    file = root.get("kafka", "sasl", "password_file")
    mechanism = root.get("kafka", "sasl", "mechanism")
    if file is None:
        if mechanism and mechanism.value != "OAUTHBEARER":
            problems.append(sasl.origin.problem(f"a password is missing, {PASSWORD_ADVICE}"))
        return root, problems
    if not isinstance(file.value, str):
        return root, problems
    try:
        password = read_password(file.value)
    except OSError as error:
        return root, [
            *problems,
            file.origin.problem(f"{file.value} cannot be read: {error.strerror}"),
        ]
    if not password:
        return root, [*problems, file.origin.problem(f"{file.value} is empty")]
    parts = {**sasl.value, "password": Node(SecretStr(password), file.origin)}
    return edit(root, PASSWORD[:2], lambda node: Node(parts, node.origin)) or root, problems


def read_password(path: str | os.PathLike[str]) -> str:
    """Return the password, or token, that a file holds.

    Raises:
        OSError: it cannot be read, is no regular file or too large, or everybody may write it.
    """
    with open_regular(os.fspath(path)) as file:
        _refuse_if_open_to_all(file.fileno())
        content = file.read(_LARGEST_PASSWORD + 1)
    if len(content) > _LARGEST_PASSWORD:
        raise too_large(_LARGEST_PASSWORD)
    return content.decode(errors="replace").rstrip("\r\n")


def _unfit_for_tls(path: str, *, secret: bool) -> str | None:
    """Say why a file cannot be used: TLS itself would read a device without an end."""
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > _LARGEST_TLS_FILE:
                raise too_large(_LARGEST_TLS_FILE)
            if secret:
                _refuse_if_open_to_all(file.fileno())
            return None
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"


def _refuse_if_open_to_all(descriptor: int) -> None:
    if os.fstat(descriptor).st_mode & stat.S_IWOTH:
        raise PermissionError(errno.EPERM, "everybody may write it, run  chmod o-w  on it")
