"""Command lines that cannot be understood: what is wrong, in our words, and what to do."""

import re
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher, get_close_matches

from dockless.errors import UsageError
from dockless.oci.reference import REGISTRY, Name

_OF_A_LIST = "A list of sources is pushed by: dockless mirror -f LIST --to HOST[/PREFIX]."
_OF_A_BUNDLE = "What is in a bundle is pushed by: dockless mirror BUNDLE --to HOST."
_MEANT = {
    "dockless bundle apply": _OF_A_BUNDLE,
    "dockless bundle load": _OF_A_BUNDLE,
    "dockless bundle push": _OF_A_BUNDLE,
    "dockless bundle save": "Did you mean create?",
    "dockless cache clean": "Did you mean prune?",
    "dockless cache clear": "Did you mean prune?",
    "dockless copy": "Did you mean push, for one image, or mirror, for many?",
    "dockless explain": "Where settings come from is shown by: dockless push --explain.",
    "dockless install": "Crane is installed by: dockless tools install.",
    "dockless sync": "Did you mean mirror?",
    "dockless version": "Did you mean --version?",
    "dockless bundle create --all": "Every image of the sources is included without an option.",
    "dockless mirror --all": "Every image of the sources is mirrored without an option.",
    "dockless mirror --image": "Where images go is --to HOST[/PREFIX].",
    "dockless mirror --registry": "Where images go is --to HOST[/PREFIX].",
    "dockless mirror --tag": "Images keep their tags.",
    "dockless push -f": _OF_A_LIST,
    "dockless push --file": _OF_A_LIST,
    "dockless push -u": "Did you mean --username?",
    "dockless mirror -u": "Did you mean --username?",
    "dockless login -u": "Did you mean --username?",
    "dockless logout -u": "Did you mean --username?",
    "dockless push -p": "Did you mean --password-stdin?",
    "dockless mirror -p": "Did you mean --password-stdin?",
    "dockless login -p": "Did you mean --password-stdin?",
    "dockless push -t": "Did you mean --tag?",
    "dockless hosts -t": "Did you mean --tag?",
    "dockless mirror -t": "Did you mean --to HOST[/PREFIX]? Images keep their tags.",
}
"""What people may mean by words of other programs."""

_ADD = {
    "--to": "Add --to HOST[/PREFIX], the registry that everything goes to.",
    "--output": "Add -o FOLDER or -o FILE.tar, which is what it writes.",
    "RECEIPTS": "Give the file that push or mirror wrote with --receipt.",
}
"""What to do where an option or argument is missing."""

_FEWER = {
    "dockless hosts": "A host is given with --host.",
    "dockless push": "One SOURCE is pushed; `dockless mirror` takes several.",
}
"""What to do where there is an argument too many."""

_ONCE = {
    "dockless push --image": "Push to one name at a time; several tags of it are several --tag.",
    "dockless push --to": "Push to one registry at a time.",
    "dockless mirror --to": "Mirror to one registry at a time.",
    "dockless push --servers": "Give several servers with commas, as in --servers 1,3.",
}
"""What to do where an option of one value is given twice."""

_NEAR, _AS_NEAR = 0.65, 0.1
"""From which similarity on, of 1, a word may be meant, and how much less is as near."""

_WITHOUT_PASSWORDS = ("bundle", "cache", "completion", "hosts", "tools")
"""The commands that no login is given to."""

_OF_LOGINS = ("login", "logout", "whoami")
"""The commands that are about a login alone."""

_FILE = re.compile(r"[\w./-]*\.(?:tar|tgz|tar\.\w+|json|ya?ml|txt)")
"""The names of files that are shown where they are an argument too many."""

_TAGGED = re.compile(r"[a-z0-9._-]+:(?:v?\d+\.\d[\w.-]*|v\d[\w.-]*|latest)")
"""A name and a tag that is a version; `me:hunter2` may be a login."""

_WORDS = (
    (r"(.* )?(\S+) is not in the range (\d+)<=x<=(\d+)", r"\1\2 is not from \3 to \4"),
    (r"(.* )?(\S+) is not in the range x>=(\d+)", r"\1\2 is not \3 or more"),
    (r"(-?-\S+): A path is empty", r"\1 is empty"),
    (r"(.*) is not a valid integer(?: range)?", r"\1 is not a whole number"),
)
"""What the library that reads command lines says, and what is said in place of that."""

_UNSET = "Give a path; a variable may be unset there."


def usage_error(
    command: str, message: str, commands: Collection[str], source: str | None = None
) -> UsageError:
    """Return the error for a command line that cannot be understood.

    Args:
        command: The command, as in `dockless push`.
        message: What click says about it.
        commands: The commands that there are.
        source: The SOURCE that was given, if one was.
    """
    see = f"See `{command} --help`."
    if found := re.match(r"No such (option|command) '(.+?)'\.(?: \(?(Did .*?\?))?", message):
        what, typed, said = found.groups()
        near = re.findall("'(.+?)'", said or "")
        if what == "command" and command == "dockless":  # whose commands click does not know
            near = get_close_matches(typed, commands)
        meant = _MEANT.get(f"{command} {typed}") or _one_of(_nearest(typed, near))
        if what == "option" and command == "dockless" and not meant:
            meant = "Options follow the command, as in: dockless push --debug."
        return UsageError(f"{command} has no {what} {typed}.", f"{meant} {see}".strip())
    if found := re.match(r"Missing (?:option|argument) .*?'?([^' ]+?)(?:\.\.\.)?'\.", message):
        name = found[1]
        return UsageError(f"{command} needs {name}.", f"{_ADD.get(name, f'Add {name}.')} {see}")
    if found := re.fullmatch(r"Got unexpected extra arguments? \((.*)\)", message):
        return _too_many(command, found[1], source)
    if found := re.fullmatch(r"Option '(\S+)' (.+?)\.?", message):
        return _option_error(command, *found.groups())
    # an argument is shown there by its choices
    said = re.sub(
        r"^Invalid value(?: for (?:'\[.*?\]'|'[A-Z]+\.\.\.'|.*?'(-?-[^']+)'))?: ", r"\1: ", message
    )
    said = said.removeprefix(": ").rstrip(".")
    for pattern, words in _WORDS:
        said = re.sub(f"^{pattern}$", words, said)
    return UsageError(f"{said}.", _UNSET if said.endswith(" is empty") else see)


def _option_error(command: str, option: str, said: str) -> UsageError:
    """Return the error for an option that is known, and what click says about it."""
    if said == "requires an argument":
        return UsageError(f"{option} needs a value.", f"Write it as {option} VALUE.")
    if said == "does not take a value":
        return UsageError(f"{option} takes no value.", "Leave out the = and what follows it.")
    if said.startswith("is given "):
        once = _ONCE.get(f"{command} {option}", "Give it once.")
        return UsageError(f"{option} takes one value, and {said}.", once)
    return UsageError(f"{option} {said}.", f"See `{command} --help`.")


def _too_many(command: str, extra: str, source: str | None) -> UsageError:
    """Return the error for an argument too many."""
    if source and command == "dockless push" and _is_target(extra):
        return UsageError(
            f"SOURCE is {source}, and {extra} is an argument too many.",
            f"If {extra} is the target: dockless push {source} --image {_name(extra)}",
        )
    fewer = _FEWER.get(command, "Leave it out, or put quotes around a value with spaces.")
    remedy = f"{fewer} See `{command} --help`."
    if _may_be_secret(command, extra):
        return UsageError(
            f"{command} was given an argument too many, which is not shown, as it may be a "
            "password.",
            f"Passwords are read with --password-stdin, or at a prompt. {remedy}",
        )
    return UsageError(f"{command} cannot use the argument {extra}.", remedy)


def _may_be_secret(command: str, extra: str) -> bool:
    """Whether arguments too many may have a password: what is neither an image's nor a file's name.

    Args:
        command: The command, as in `dockless push`.
        extra: The arguments, with spaces between them.
    """
    kind = command.split()[1] if " " in command else ""
    if kind in _WITHOUT_PASSWORDS:
        return False
    if kind in _OF_LOGINS:
        return True
    return not all(_FILE.fullmatch(word) or _is_target(word) for word in extra.split())


def _is_target(text: str) -> bool:
    """Whether an argument looks like the name of a target: other programs take it as the second."""
    name = _name(text)
    if (
        not ("/" in name or _TAGGED.fullmatch(name))
        or text.startswith((".", "/", "~"))
        or ".tar" in text
    ):
        return False
    try:
        return bool(Name.parse(name))
    except ValueError:
        return False


def _name(text: str) -> str:
    return text.removeprefix(REGISTRY)


def _nearest(typed: str, near: Sequence[str]) -> Sequence[str]:
    """Return those of similar words that are about as near as the nearest, which has to be near.

    One that has every letter that was typed, in their order, is nearer than others.
    """
    text = typed.lstrip("-")
    ranks = {}
    for each in near:
        letters = iter(each.lstrip("-"))
        whole = all(letter in letters for letter in text) and each.lstrip("-")[:1] == text[:1]
        ranks[each] = SequenceMatcher(None, text, each.lstrip("-")).ratio() + whole
    best = max(ranks.values(), default=0.0)
    return [each for each, rank in ranks.items() if rank >= max(best - _AS_NEAR, _NEAR)]


def _one_of(near: Sequence[str]) -> str:
    """Return the question whether one of some words is meant; nothing where there is none."""
    *others, last = near or ("",)
    return f"Did you mean {' or '.join(filter(None, (', '.join(others), last)))}?" if last else ""
