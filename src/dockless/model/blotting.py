"""Secrets blotted out of foreign words: a registry, proxy or program may echo what it was sent.

What was shown to others in this process is taken out of their words, in every form in which it may
come back, before these become part of an error, a note or a receipt.
"""

import base64
import json
import re
from urllib.parse import quote, quote_plus

from dockless.model.secret import sent

BLOT = "***"
_SHORT = 8


def forms(text: str) -> frozenset[str]:
    """Return the forms in which a secret may come back: plain, base64, in a URL, in JSON."""
    data = text.encode(errors="replace")
    plain = data.decode()
    packed = (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode())
    encoded = (quote(data, safe=""), quote_plus(data), quote(data))
    lowered = (re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), each) for each in encoded)
    quoted = (json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1])
    stripped = (each.rstrip("=") for each in packed)
    found = {text, plain, *packed, *stripped, *encoded, *lowered, *quoted, repr(text)[1:-1]}
    return frozenset(found - {""})


def blotted(words: str) -> str:
    """Return foreign words without what was shown to others.

    A short one is blotted where it stands as a word by itself.
    """
    known = frozenset(form for secret in sent() for form in forms(secret.reveal()))
    for each in sorted(known, key=len, reverse=True):
        if len(each) >= _SHORT:
            words = words.replace(each, BLOT)
        elif each in words:
            words = re.sub(rf"(?<!\w){re.escape(each)}(?!\w)", BLOT, words)
    return words
