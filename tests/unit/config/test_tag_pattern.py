import re

import pytest

from dockless.config.tag_pattern import TagPattern

TAGS = (
    "", "1.0", "v1.0", "v1.10.3", "latest", "Latest", "1.13.1-alpine-perl", "1.13.3-alpine",
    "2024-01-31", "sha-abc123", "a", "aa", "ab", "abab", "_x", "x_y.z-9", "v10-rc.1", "a\u00e9b",
)  # fmt: skip
SHARED = (
    "", "a", "^a", "a$", "^a$", "^$", "a*", "^a+$", "a?b", "^(a|b)+$", "^(?:ab)*$", "^(?P<n>a)b",
    r"^\d+\.\d+$", r"^v?\d+(\.\d+){1,2}$", r"1\.13\.[12]-alpine-perl$", "[^a-z]", "^[^.]+$",
    r"^[\w.-]+$", r"\D\d", r"\bx", r"\bz\b", r"\Bb", "(?i)LATEST", "(?i:l)atest", "a{2}",
    "^a{1,}b", "a{0}", "[a]", "[]a]", "[^]a]", "[a-c-]", r"[\d-]", r"[-\w]$", "^.{3}$",
    "^.{2,4}$", "(|a)b", "(a|ab)(c|bab)?$", r"\x61", "a|^$|b", "v1.0|latest", "^[v1]", "^a.b$",
    "(?s).", r"\.", "x*y*z*", "(a*)*b", "((a|b)(a|b))+$", r"rc\.\d$", "[.]", "[A-Z]",
)  # fmt: skip


@pytest.mark.parametrize("pattern", SHARED)
def test_what_python_has_as_well_matches_alike(pattern: str) -> None:
    own = TagPattern(pattern)
    flags = re.ASCII
    expected = [bool(re.search(pattern, tag, flags)) for tag in TAGS]
    assert [own.matches(tag) for tag in TAGS] == expected
    assert [own.matches(tag) for tag in TAGS] == expected  # from what it remembers


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"^[[:digit:]]+$", "123", "12a"),
        (r"^[[:^digit:]x]+$", "ab", "a1"),
        (r"^[[:alpha:][:punct:]]+$", "a-b_c", "a1"),
        (r"^\pL+$", "aZ", "a1"),
        (r"^\p{Lu}\P{Lu}+$", "Ab", "aB"),
        (r"^\p{^Nd}$", "a", "1"),
        (r"^\PN$", "a", "1"),
        (r"\Ab\z", "b", "bb"),
        (r"^\Qa.b*\E$", "a.b*", "axb"),
        (r"^\Qa.b\E+$", "a.bbb", "a.bcb"),
        (r"^(?<year>\d{4})-", "2024-1", "24-1"),
        (r"a(?i)b|c", "C-", "AB"),
        ("^a{,2}$", "a{,2}", "aa"),
        (r"^(?i-s)A$", "a", "b"),
        (r"^(?U)a+$", "aaa", "b"),
        (r"^\x{76}\061$", "v1", "v2"),
        (r"^a{2,3}?$", "aaa", "aaaa"),
        (r"(?im)^RC$", "rc", "rcx"),
        (r"^x{1000}$", "x" * 1000, "x" * 999),
        (r"^[\pL\d]+$", "a1", "a_"),
        (r"^[^\W_]+$", "a1", "a_"),
    ],
)
def test_what_only_re2_has_matches(pattern: str, right: str, wrong: str) -> None:
    own = TagPattern(pattern)
    assert own.matches(right)
    assert not own.matches(wrong)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "( without its )"),
        ("a)", ") without its ("),
        ("[a", "[ without its ]"),
        ("[", "[ without its ]"),
        ("[z-a]", "range that is none"),
        ("[[:nope:]]", "class that RE2"),
        ("*a", "repeats nothing"),
        ("a|+", "repeats nothing"),
        ("{2}", "repeats nothing"),
        ("(?i)+", "repeats nothing"),
        (r"\P{Nope}", "class of Unicode"),
        ("a**", "repetition of a repetition"),
        ("a{2}{3}", "repetition of a repetition"),
        ("a{1001}", "repeats too often"),
        ("a{3,2}", "repeats too often"),
        ("(?=a)", "group that RE2"),
        ("(?<!a)b", "group that RE2"),
        (r"(a)\1", "escape that RE2"),
        (r"\Z", "escape that RE2"),
        ("a\\", "escape that RE2"),
        ("(" * 200 + ")" * 200, "nests too deeply"),
        ("(((a{100}){100}){100})", "too large"),
        ("((((){1000}){1000}){1000})", "too large"),
    ],
)
def test_what_re2_does_not_take_is_refused_without_quoting_it(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        TagPattern(pattern)
