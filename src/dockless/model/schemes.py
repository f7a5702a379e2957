"""A scheme in front of a host: addresses are often pasted from browsers."""

from dockless.errors import UsageError


def has_scheme(text: str) -> bool:
    """Whether a text begins with `http://` or `https://`."""
    return text.partition("://")[0].lower() in ("http", "https") and "://" in text


def without_scheme(text: str, origin: str) -> str:
    """Return a host or image name without `https://` or `docker://` in front.

    Args:
        text: What was written.
        origin: Its source, as text for messages.

    Raises:
        UsageError: It asks for plain HTTP, which has an option of its own.
    """
    scheme, mark, rest = text.partition("://")
    if mark and scheme.lower() == "http":
        raise UsageError(
            f"{text!r} from {origin} asks for plain HTTP.",
            "Leave http:// out, and add --insecure if that is intended.",
        )
    return rest if mark and scheme.lower() in ("https", "docker") else text
