"""Where text goes: results to stdout, all else to stderr; colour only on a terminal.

What is printed may hold values of records that others wrote, so no character reaches the terminal
that moves the cursor, turns the direction of text around, or cannot be seen.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
import typer

if TYPE_CHECKING:
    from rich.text import Text

_COLOURS = {
    "red": r"^error\b|\bcritical\b",
    "yellow": r"^warning\b|(?<=\s)warning\b",
    "green": r"^ok\b",
    "bold": r"\b(?:FIRING|RESOLVED)\b",
}


def out(text: str) -> None:
    """Print a result."""
    _write(sys.stdout, text)


def out_json(document: Any) -> None:
    """Print a result as one JSON document on one line, at once: its reader may be a program."""
    with _whoever_reads():
        text = msgspec.json.encode(document).decode()
        if not text.isprintable():
            text = "".join(c if c.isprintable() else _escaped_in_json(c) for c in text)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def say(text: str) -> None:
    """Print what is no result: an assumption, a note, an error."""
    _write(sys.stderr, text)


def printable(text: str) -> str:
    r"""Return `text` with control and format characters escaped; line ends stay.

    >>> printable("a\x1b[31m"), printable("a\u202eb")
    ('a\\x1b[31m', 'a\\u202eb')
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def one_line(text: str) -> str:
    r"""Return `text` as `printable`, with line ends escaped too.

    >>> one_line("a\x07\nb")
    'a\\x07\\x0ab'
    """
    return text if text.isprintable() else "".join(map(_escaped_if_unseen, text))


class PrintableLines(logging.Formatter):
    r"""Formats what is logged where no log was started: each message one line, all of it printable.

    >>> record = logging.LogRecord("x", logging.ERROR, "", 0, "a\x1b[31m\nb", (), None)
    >>> PrintableLines().format(record)
    'a\\x1b[31m\\x0ab'
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base's name)
        """Return the message on one line."""
        return one_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the message and the traceback, if there is one."""
        return printable(super().format(record))


def colourful(stream: TextIO) -> bool:
    """Tell whether `stream` is a terminal whose user wants colours (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def painted(text: str) -> Text:
    """Return `text` with the names of states in colour, for a terminal."""
    from rich.text import Text  # for a terminal only: it takes as long as all the rest

    found = Text(text)
    for style, pattern in _COLOURS.items():
        found.highlight_regex(f"(?m){pattern}", style)
    return found


def _escaped_if_unseen(char: str) -> str:
    return char if char.isprintable() else _escaped(char)


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escaped_in_json(char: str) -> str:
    units = char.encode("utf-16-be").hex()  # above 65,535 there are two
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))


@contextmanager
def _whoever_reads() -> Iterator[None]:
    """End quietly, as every Unix program, when who read our output has seen enough."""
    try:
        yield
    except BrokenPipeError:
        # What Python still holds must go somewhere when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(128 + signal.SIGPIPE) from None


def _write(stream: TextIO, text: str) -> None:
    with _whoever_reads():
        _paint(stream, printable(text))


def _paint(stream: TextIO, text: str) -> None:
    if colourful(stream):
        from rich.console import Console  # as in `painted`

        Console(file=stream, highlight=False).print(painted(text), soft_wrap=True)
        return
    try:
        stream.write(text + "\n")
    except UnicodeEncodeError:  # a locale without, for example, the euro sign
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
