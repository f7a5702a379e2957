import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockless.model.printable import one_line, printable, printed_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text\nsecond line", "plain text\nsecond line"),
        ("Zürich 🐳", "Zürich 🐳"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("a\rb\tc", r"a\rb\tc"),
        ("\u202egpj.exe", r"\u202egpj.exe"),
        ("isolated \u2066x\u2069", r"isolated \u2066x\u2069"),
        ("no width \u200b\ufeff", r"no width \u200b\ufeff"),
        ("a line \u2028 and a paragraph \u2029", r"a line \u2028 and a paragraph \u2029"),
        ("not UTF-8: \udcff", r"not UTF-8: \udcff"),
        ("8-bit CSI \x9b31m", r"8-bit CSI \x9b31m"),
        ("tags \U000e0041", r"tags \U000e0041"),
        ("nothing to see \u3164\u2800", r"nothing to see \u3164\u2800"),
        ("DEL \x7f", r"DEL \x7f"),
    ],
)
def test_text_cannot_command_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_name_cannot_make_up_a_line() -> None:
    assert one_line("x\nError: none\r\n") == r"x\nError: none\r\n"


def test_the_output_of_a_program_keeps_its_tabs_and_lines() -> None:
    text = "Step 1/2\r\n\tRUN\x1b[0m x\rdone\n"
    assert printed_lines(text) == "Step 1/2\n\tRUN\\x1b[0m x\ndone\n"


@given(st.text(st.characters(codec=None)))
def test_nothing_but_line_ends_is_unseen(text: str) -> None:
    assert all(each == "\n" or each.isprintable() for each in printable(text))
