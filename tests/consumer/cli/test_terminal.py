"""What reaches the terminal, and what a pipe gets."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from driftline.consumer.cli import terminal
from driftline.consumer.cli.options import read_time


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def on_screen(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Let stdout be a terminal; in the test itself, since pytest sets it anew for each phase."""
    made = Terminal()
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stdout", made)
    return made


def test_colour_only_marks_words_that_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_screen(monkeypatch)
    terminal.out("error    kafka   gone\nok       b\n2019-04-02  FIRING    critical  m")
    text = screen.getvalue()
    assert "\x1b[31merror\x1b[0m" in text
    assert "\x1b[31mcritical\x1b[0m" in text
    assert "\x1b[32mok\x1b[0m" in text


def test_a_long_line_is_not_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_screen(monkeypatch)
    terminal.out("x " * 500)
    assert screen.getvalue().count("\n") == 1


def test_no_colour_if_nobody_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = on_screen(monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.out("error    kafka")
    assert screen.getvalue() == "error    kafka\n"


def test_no_colour_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.out("error    kafka")
    assert capsys.readouterr().out == "error    kafka\n"


def test_control_characters_never_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.out("a\x1b]0;title\x07b\x9bc\r\td")
    assert capsys.readouterr().out == "a\\x1b]0;title\\x07b\\x9bc\\x0d\\x09d\n"
    terminal.out_json({"a": "\x1b\x9b"})
    assert capsys.readouterr().out == '{"a":"\\u001b\\u009b"}\n'


def test_characters_that_turn_text_around_or_are_unseen_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terminal.out("a\u202eb\u2066c\u200bd\u2028e\U000e0041f")
    assert capsys.readouterr().out == "a\\u202eb\\u2066c\\u200bd\\u2028e\\U000e0041f\n"
    document = {"a": "\x7f\u202e\u2028\U000e0041 €"}
    terminal.out_json(document)
    text = capsys.readouterr().out
    assert text == '{"a":"\\u007f\\u202e\\u2028\\udb40\\udc41 €"}\n'
    assert json.loads(text) == document


def test_a_locale_without_the_character(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    terminal.out("60K+ €")
    assert raw.getvalue() == b"60K+ \\u20ac\n"


def test_a_reader_that_has_seen_enough() -> None:
    program = "from driftline.consumer.cli import main; main()"
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as gone:
        ran = subprocess.run(
            [sys.executable, "-c", program, "config", "schema"],
            stdout=gone,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stderr) == (141, "")


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2019-03-27T00:00:00Z", 1_553_644_800_000),
        ("2019-03-27", 1_553_644_800_000),
        ("1h30m", 1_000 - 5_400_000),
        ("-1h30m", 1_000 - 5_400_000),
    ],
)
def test_times_of_options(text: str, time: int) -> None:
    assert read_time(text, "--since", 1_000) == time
