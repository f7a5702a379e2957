"""ERB in a deploy.yml, as far as it can be answered without Ruby.

Kamal evaluates the file with ERB before it reads the YAML. What asks for an environment variable is
answered here; anything else is left as a mark, and is an error only where its value is needed.
"""

import re
from collections.abc import Mapping

from dockless.errors import UsageError

MARK = "\ue000"
"""What begins the place of a tag that cannot be answered: a character of no script."""

_MARKED = re.compile("\ue000(?P<name>[^\ue001]*)\ue001")

_TAG = re.compile(r"<%(?P<kind>[=#%-]?)(?P<code>.*?)-?%>", re.DOTALL)
_TEXT = r"""(?:"(?P<{0}d>[^"\\#]*)"|'(?P<{0}s>[^'\\]*)')"""
_ENV = re.compile(
    rf"\s*ENV\s*(?:\[\s*{_TEXT.format('i')}\s*\]|\.fetch\s*\(?\s*{_TEXT.format('f')}"
    rf"(?:\s*,\s*{_TEXT.format('c')})?\s*\)?(?:\s*\{{\s*{_TEXT.format('b')}\s*\}})?)"
    rf"(?:\s*\|\|\s*{_TEXT.format('o')})?\s*"
)


def answered(text: str, name: str, environment: Mapping[str, str]) -> str:
    """Return a file's text with its ERB answered by the environment, or marked.

    Args:
        text: The file's text.
        name: What errors call the file.
        environment: The variables that `ENV` has.

    Raises:
        UsageError: It has Ruby that writes no value, such as a condition: that decides what the
            file is.
    """

    def answer(tag: re.Match[str]) -> str:
        kind, code = tag["kind"], tag["code"]
        lines = "\n" * tag[0].count("\n") if _is_alone(tag) else ""
        if kind == "#" or _is_comment(tag):
            return lines if kind == "#" else tag[0]
        if kind != "=":
            line = text.count("\n", 0, tag.start()) + 1
            raise UsageError(
                f"{name}:{line} is ERB (`<%`), which is Ruby code and is not run.",
                "Write the value itself, or give it by an option or a DOCKLESS_ variable.",
            )
        found = _ENV.fullmatch(code)
        value = _value(found, environment) if found else None
        if value is not None:
            return value
        return f"{MARK}{_literal(found, 'f') if found else ''}\ue001"

    return _TAG.sub(answer, text)


def unset_variable(text: str) -> str:
    """Return the variable that a marked value needs and that is not set; empty for other Ruby."""
    found = _MARKED.search(text)
    return found["name"] if found else ""


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str | None:
    """Return what `ENV` gives; None where Ruby raises an error."""
    fetched = _literal(found, "f")
    name = _literal(found, "i") if fetched is None else fetched
    value = environment.get(name or "")
    if value is None and fetched is not None:
        defaults = (_literal(found, "b"), _literal(found, "c"))
        return next((each for each in defaults if each is not None), None)
    other = _literal(found, "o")
    return other if value is None and other is not None else value or ""


def _literal(found: re.Match[str], group: str) -> str | None:
    return found[f"{group}d"] if found[f"{group}d"] is not None else found[f"{group}s"]


def _is_alone(tag: re.Match[str]) -> bool:
    """Whether a tag has its lines for itself."""
    before = tag.string.rfind("\n", 0, tag.start()) + 1
    after = tag.string.find("\n", tag.end())
    rest = tag.string[tag.end() : None if after < 0 else after]
    return not (tag.string[before : tag.start()] + rest).strip()


def _is_comment(tag: re.Match[str]) -> bool:
    """Whether a tag stands in a comment of YAML."""
    before = tag.string.rfind("\n", 0, tag.start()) + 1
    return tag.string[before : tag.start()].lstrip().startswith("#")
