"""Secrets: only from files of their own or the environment, and never in a text that is shown."""

from __future__ import annotations

import os

from pydantic import SecretStr

from driftline.consumer.config.client_options import PASSWORD_ADVICE
from driftline.consumer.config.errors import Problem
from driftline.consumer.config.secret_file import read_password, refuse_if_open_to_all
from driftline.consumer.config.tree import Node, edit
from driftline.producer.files.regular_file import open_regular, too_large

PASSWORD = ("kafka", "sasl", "password")
_BASIC_AUTH = ("schema_registry", "basic_auth")
SECRETS = {
    PASSWORD: PASSWORD_ADVICE,
    _BASIC_AUTH: "set schema_registry.basic_auth_file or DRIFTLINE__SCHEMA_REGISTRY__BASIC_AUTH",
}
"""Keys that hold a secret, each with where it belongs."""
_TLS_FILES = ("ca_file", "cert_file", "key_file")
_LARGEST_TLS_FILE = 10_000_000


def refuse_secrets(root: Node) -> tuple[Node, list[Problem]]:
    """Take secrets out of the tree of a file or command line, and refuse them.

    Others can read both: a file lies in a repository, a command line in the list of processes.
    """
    problems = []
    for path, advice in SECRETS.items():
        if (found := root.get(*path)) is not None:
            problems.append(found.origin.problem(f"a secret does not belong here, {advice}"))
            root = edit(root, path, lambda node: None) or root
    return root, problems


def hide_secrets(root: Node) -> Node:
    """Wrap the secrets of the environment, so that no text of the tree shows them."""
    for path in SECRETS:
        root = edit(root, path, lambda n: Node(SecretStr(str(n.value)), n.origin)) or root
    return root


def read_secrets(root: Node) -> tuple[Node, list[Problem]]:
    """Read the files of secrets, and see that the files of TLS are there.

    A secret of the environment wins over its file.
    """
    root, problems = _read_login(root)
    file = root.get("schema_registry", "ca_file")
    if (
        file
        and isinstance(file.value, str)
        and (reason := _unfit_for_tls(file.value, secret=False))
    ):
        problems.append(file.origin.problem(reason))
    registry, file = root.get("schema_registry"), root.get("schema_registry", "basic_auth_file")
    if registry is None or file is None or root.get(*_BASIC_AUTH):
        return root, problems
    secret, unfit = _secret_of(file)
    if secret is None:
        return root, [*problems, *unfit]
    if ":" not in secret.value.get_secret_value():
        return root, [*problems, file.origin.problem(f"{file.value} does not hold user:password")]
    parts = {**registry.value, "basic_auth": secret}
    return edit(root, _BASIC_AUTH[:1], lambda node: Node(parts, node.origin)) or root, problems


def _read_login(root: Node) -> tuple[Node, list[Problem]]:
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
    secret, unfit = _secret_of(file)
    if secret is None:
        return root, [*problems, *unfit]
    parts = {**sasl.value, "password": secret}
    return edit(root, PASSWORD[:2], lambda node: Node(parts, node.origin)) or root, problems


def _secret_of(file: Node) -> tuple[Node | None, list[Problem]]:
    """Return what a file of a secret holds, wrapped; else what is wrong with it."""
    if not isinstance(file.value, str):
        return None, []
    try:
        text = read_password(file.value)
    except OSError as error:
        return None, [file.origin.problem(f"{file.value} cannot be read: {error.strerror}")]
    if not text:
        return None, [file.origin.problem(f"{file.value} is empty")]
    return Node(SecretStr(text), file.origin), []


def _unfit_for_tls(path: str, *, secret: bool) -> str | None:
    """Say why a file cannot be used: TLS itself would read a device without an end."""
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > _LARGEST_TLS_FILE:
                raise too_large(_LARGEST_TLS_FILE)
            if secret:
                refuse_if_open_to_all(file.fileno())
            return None
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
