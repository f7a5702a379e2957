"""No message says '1 images': a number before a noun goes through `dockless.model.counts`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockless.model.counts import counted, number

SOURCE = Path(__file__).parents[2] / "src" / "dockless"
_NOUNS = (
    *("attempts", "blobs", "bytes", "entries", "faults", "files", "hosts", "images", "layers"),
    *("lines", "manifests", "others", "parts", "platforms", "problems", "references"),
    *("registries", "repositories", "servers", "tags"),
)
_PLURAL = re.compile(rf" (?:other |more |different )?({'|'.join(_NOUNS)})\b")
_AT_LEAST_TWO = {
    "len(payload)": "it is longer than a keyring takes",
    "len(data)": "it is longer than a registry takes, or what a probe got",
    "child.size": "a manifest of a probe",
    "length": "what a probe got",
    "self.size": "it is longer than a header may say",
    "size": "it is longer than a document may be",
    "tried.least": "megabytes",
    "' and in '.join(map(str, counts))": "they differ, so the last is more than one",
    "len(found)": "they are several, or nobody would have to choose",
    "len(errors)": "a single one is reported alone",
    "len(roots)": "one alone is pushed",
    "len(images)": "they differ from one another",
    "len(tags)": "fewer are named",
    "total": "one alone is called 'no image'",
}


def plurals(source: str) -> Iterator[str]:
    """Yield each number in a text that a plural follows, whatever the number is."""
    for text in ast.walk(ast.parse(source)):
        if not isinstance(text, ast.JoinedStr):
            continue
        for value, after in zip(text.values, text.values[1:], strict=False):
            if not isinstance(value, ast.FormattedValue) or not isinstance(after, ast.Constant):
                continue
            name = ast.unparse(value.value)
            if _PLURAL.match(str(after.value)) and not name.lstrip("_").isupper():
                yield name


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda path: path.stem)
def test_numbers_before_nouns_have_the_right_form(path: Path) -> None:
    assert set(plurals(path.read_text())) <= _AT_LEAST_TWO.keys()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('f"{n} images were lost"', ["n"]),
        ('f"has {self.size} bytes"', ["self.size"]),
        ('f"{a} of {b} other files"', ["b"]),
        ('f"at most {_MOST} parts"', []),
        ("f\"{counted(n, 'image')} arrived\"", []),
        ('f"{n} byte-counts"', []),
    ],
)
def test_a_number_with_a_fixed_plural_is_found(source: str, found: list[str]) -> None:
    assert list(plurals(source)) == found


@pytest.mark.parametrize(
    ("count", "words", "figures"),
    [(0, "no bytes", "0 bytes"), (1, "1 byte", "1 byte"), (2, "2 bytes", "2 bytes")],
)
def test_a_number_is_written_as_a_word_or_as_a_figure(count: int, words: str, figures: str) -> None:
    assert (counted(count, "byte"), number(count, "byte")) == (words, figures)
