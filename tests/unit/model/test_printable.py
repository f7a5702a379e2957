import unicodedata

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
        ("joiner a\u034fb", r"joiner a\u034fb"),
        ("Hangul \u115f\u1160\uffa0", r"Hangul \u115f\u1160\uffa0"),
        ("Khmer \u17b4\u17b5", r"Khmer \u17b4\u17b5"),
        ("Mongolian \u180b\u180e\u180f", r"Mongolian \u180b\u180e\u180f"),
        ("variation x\ufe0f \U000e0100", r"variation x\ufe0f \U000e0100"),
        ("private \ue000, unassigned \u0378", r"private \ue000, unassigned \u0378"),
        ("marks that show: e\u0301 \u0e33", "marks that show: e\u0301 \u0e33"),
    ],
)
def test_text_cannot_command_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_name_cannot_make_up_a_line() -> None:
    assert one_line("x\nError: none\r\n") == r"x\nError: none\r\n"


def test_the_output_of_a_program_keeps_its_tabs_and_lines() -> None:
    text = "Step 1/2\r\n\tRUN\x1b[0m x\rdone\n"
    assert printed_lines(text) == "Step 1/2\n\tRUN\\x1b[0m x\ndone\n"


# Default_Ignorable_Code_Point of DerivedCoreProperties.txt
IGNORABLE = (
    *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5),
    *range(0x180B, 0x1810),
    *range(0x200B, 0x2010),
    *range(0x202A, 0x202F),
    *range(0x2060, 0x2070),
    *(0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0),
    *range(0xFFF0, 0xFFF9),
    *range(0x1BCA0, 0x1BCA4),
    *range(0x1D173, 0x1D17B),
    *range(0xE0000, 0xE1000),
)
UNSEEN = frozenset({"Cf", "Cc", "Zl", "Zp", "Co", "Cn", "Cs"})


def test_what_shows_as_nothing_is_escaped() -> None:
    codes = (*range(0x3000), *range(0x3000, 0x110000, 97))
    characters = (each for each in map(chr, codes) if each != "\n")
    unseen = (each for each in characters if unicodedata.category(each) in UNSEEN)
    assert not [ascii(each) for each in (*map(chr, IGNORABLE), *unseen) if each in printable(each)]


@given(st.text(st.characters(codec=None)))
def test_nothing_but_line_ends_is_unseen(text: str) -> None:
    assert all(each == "\n" or each.isprintable() for each in printable(text))
