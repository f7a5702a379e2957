"""The engines of a machine, as `dockless tools list` shows them."""

from msgspec import Struct


class ListedProbe(Struct, frozen=True):
    """The last push probe of an engine.

    Attributes:
        passed: Whether it pushed and tagged exactly what it was given.
        reason: Why not; empty when it passed.
        when: When, as RFC 3339.
    """

    passed: bool
    reason: str
    when: str


class ListedEngine(Struct, frozen=True, kw_only=True):
    """A program, or the lack of one; the names of its members are those of the JSON.

    Attributes:
        engine: `crane` or `skopeo`.
        version: Its version; empty when unknown.
        state: `usable`, `faulty` (it failed its last probe), `unusable` or `missing`.
        path: Where it is; empty when it is missing.
        features: The options that it has.
        notes: Why it cannot push, and what is known of its version, a sentence each.
        probe: Its last push probe; None for none.
    """

    engine: str
    version: str = ""
    state: str
    path: str = ""
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    probe: ListedProbe | None = None
