"""Secrets: only from `password_file` or the environment, and never in a text that is shown."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from driftline.consumer.config.errors import Problem
from driftline.consumer.config.kafka import PASSWORD_ADVICE
from driftline.consumer.config.tree import Node, edit

PASSWORD = ("kafka", "sasl", "password")
_TLS_FILES = ("ca_file", "cert_file", "key_file")


def refuse_password(root: Node) -> tuple[Node, list[Problem]]:
    """Take a password out of the tree of a file or command line, and refuse it.

    Others can read both: a file lies in a repository, a command line in the list of processes.
    """
    found = root.get(*PASSWORD)
    if found is None:
        return root, []
    origin = found.origin
    message = f"a secret does not belong here, {PASSWORD_ADVICE}"
    rest = edit(root, PASSWORD, lambda node: None)
    return rest or root, [Problem(origin.file, origin.line, origin.key, message)]


def hide_password(root: Node) -> Node:
    """Wrap the password of the environment, so that no text of the tree shows it."""
    return edit(root, PASSWORD, lambda node: Node(SecretStr(str(node.value)), node.origin)) or root


def read_login(root: Node) -> tuple[Node, list[Problem]]:
    """Read `password_file`, and see that the files of TLS are there.

    The password of the environment wins over the file.
    """
    problems = [
        _problem(node, reason)
        for name in _TLS_FILES
        if (node := root.get("kafka", "tls", name)) and isinstance(node.value, str)
        if (reason := _unreadable(node.value))
    ]
    sasl = root.get("kafka", "sasl")
    if sasl is None or not isinstance(sasl.value, dict) or root.get(*PASSWORD):
        return root, problems
    file = root.get("kafka", "sasl", "password_file")
    mechanism = root.get("kafka", "sasl", "mechanism")
    if file is None:
        if mechanism and mechanism.value != "OAUTHBEARER":
            problems.append(_problem(sasl, f"a password is missing, {PASSWORD_ADVICE}"))
        return root, problems
    if not isinstance(file.value, str):
        return root, problems
    if reason := _unreadable(file.value):
        return root, [*problems, _problem(file, reason)]
    password = Path(file.value).read_bytes().decode(errors="replace").rstrip("\r\n")
    if not password:
        return root, [*problems, _problem(file, f"{file.value} is empty")]
    parts = {**sasl.value, "password": Node(SecretStr(password), file.origin)}
    return edit(root, PASSWORD[:2], lambda node: Node(parts, node.origin)) or root, problems


def _unreadable(path: str) -> str | None:
    try:
        with Path(path).open("rb"):
            return None
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"


def _problem(node: Node, message: str) -> Problem:
    return Problem(node.origin.file, node.origin.line, node.origin.key, message)
