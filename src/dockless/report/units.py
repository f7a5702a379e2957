"""Numbers in a readable form."""

_ROUNDS_TO_A_THOUSAND = 999.5
_MINUTE_SECONDS = 60


def human_size(count: float) -> str:
    """Return bytes in decimal units, as docker shows them, with three digits: `1.23 MB`."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < _ROUNDS_TO_A_THOUSAND:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} PB"


def human_time(seconds: float) -> str:
    """Return seconds as `1.9 s`, or as `2 min 5 s` from a minute on."""
    if round(seconds, 1) < _MINUTE_SECONDS:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), _MINUTE_SECONDS)
    return f"{minutes} min {rest} s"
