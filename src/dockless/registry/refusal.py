"""What a registry says with a refusal.

The body is that of the distribution-spec, 'Error Codes': `{"errors": [{"code": "MANIFEST_INVALID",
"message": "…", "detail": …}]}`. What comes with another body is judged by its status alone.
"""

import json
import re

from msgspec import Struct

from dockless.model.blotting import blotted
from dockless.oci.untrusted_json import parse_json
from dockless.transport.http import Response

LONGEST_SAID = 300
"""How many characters of a registry's message are shown."""

_LONGEST_BODY = 64 * 1024
_MOST_COMPLAINTS = 3
_BLANKS = re.compile(r"\s+")


class Refusal(Struct, frozen=True):
    """A registry's response that refuses the PUT of a manifest or a tag.

    Attributes:
        status: The HTTP status.
        codes: The distribution-spec's codes, in upper case.
        said: The registry's own words, bounded and without control characters; may be empty.
    """

    status: int
    codes: frozenset[str] = frozenset()
    said: str = ""


def read_refusal(response: Response) -> Refusal:
    """Return what an answer says, in the distribution-spec's form or another; never raises."""
    try:
        members = parse_json(response.body[:_LONGEST_BODY])
    except (ValueError, RecursionError):
        members = None
    entries = members.get("errors") if isinstance(members, dict) else None
    known = (
        [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    )
    codes = frozenset(str(each.get("code", "")).upper() for each in known) - {""}
    if known:
        said = "; ".join(dict.fromkeys(filter(None, map(_sentence, known[:_MOST_COMPLAINTS]))))
    else:
        html = "html" in response.headers.get("Content-Type", "").lower()
        # blotted before it is cut, as half a secret would stay
        text = "" if html else blotted(response.body.decode(errors="replace"))
        said = "a web page" if html else text[:_LONGEST_BODY]
    return Refusal(response.status, codes, clean(said))


def clean(text: str) -> str:
    """Return foreign text as one line that can be shown: printable, and of a bounded length."""
    # before and after: a secret may have blanks in it, and may be hidden by what is not printable
    line = _BLANKS.sub(" ", blotted(text)).strip()
    line = blotted("".join(character for character in line if character.isprintable()))
    return line if len(line) <= LONGEST_SAID else f"{line[: LONGEST_SAID - 1]}…"


def _sentence(entry: dict[str, object]) -> str:
    code, message, detail = (entry.get(key) for key in ("code", "message", "detail"))
    parts = [str(part) for part in (code, message) if part and isinstance(part, str)]
    if detail and detail != message:
        parts.append(detail if isinstance(detail, str) else json.dumps(detail))
    return ": ".join(parts)
