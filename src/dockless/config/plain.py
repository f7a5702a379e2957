"""What the parsers of JSON and TOML return, as values of a file."""

from dockless.config.document import Scalar, Value, member_key


def value(data: object, file: str, key: str = "") -> Value:
    """Return maps, lists and scalars as a value, which knows its key but no line."""
    if isinstance(data, dict):
        members = {
            name: value(member, file, member_key(key, name)) for name, member in data.items()
        }
        return Value(data=members, file=file, line=0, key=key)
    if isinstance(data, list):
        items = (value(item, file, f"{key}[{number}]") for number, item in enumerate(data))
        return Value(data=tuple(items), file=file, line=0, key=key)
    return Value(data=_scalar(data), file=file, line=0, key=key)


def _scalar(data: object) -> Scalar:
    if data is None:
        return Scalar("null", "")
    if isinstance(data, bool):
        return Scalar("boolean", "true" if data else "false")
    return Scalar("text" if isinstance(data, str) else "number", str(data))
