"""The cells of the matrix, and what each of them is expected to do."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from matrix.content import WHATS, What
from matrix.servers import ACCESSES, Access
from matrix.versions import Listed, of_kind

Mode = Literal["auto", "named"]
MODES: tuple[Mode, ...] = ("auto", "named")
Writer = Literal["crane", "skopeo", "dockless"]

REFERRERS_API = frozenset({"ociregistry"})
"""The registries that list referrers; distribution up to 3.1 and crane's up to 0.22 do not."""

Note = Literal["", "realm", "realm-auto", "subject", "unlisted", "untyped"]

# The oldest crane that was seen to refuse a token service at a private address that is not the
# registry's own with its port, and to keep an artifact's type in the tag that stands in for the
# list of referrers. 0.20.7 does neither; none between them has been run.
_STRICT_REALMS = _TYPED_REFERRERS = (0, 21, 9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One push.

    Attributes:
        engine: The only engine on PATH; None for none.
        registry: Where to.
        access: Who may use the registry.
        mode: Whether dockless chooses the engine, or is given its name.
        what: What is pushed.
    """

    engine: Listed | None
    registry: Listed
    access: Access
    mode: Mode
    what: What

    @property
    def quick(self) -> bool:
        """Whether `make test` has it, too."""
        plain = self.access == "open" and self.what == "image"
        return bool(plain and self.engine and self.engine.quick and self.registry.quick)

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """What tells it from all others."""
        engine = self.engine.label if self.engine else "none"
        return engine, self.registry.label, self.access, self.mode, self.what

    def __str__(self) -> str:
        return "-".join(part.replace(" ", "_") for part in self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a push is expected to do.

    Attributes:
        succeeds: Whether it ends well, with everything in the registry; else nothing is tagged.
        writer: What writes the manifests.
        says: A pattern in stderr; empty when nothing need be said.
        listed: How an artifact's referrer is found: `API`, `tag`, or `nowhere`.
        note: Which of the page's notes explains it; empty when nothing needs explaining.
    """

    succeeds: bool
    writer: Writer
    says: str = ""
    listed: str = ""
    note: Note = ""

    @property
    def typed(self) -> bool:
        """Whether the referrer is found by its type, too."""
        return self.note not in {"unlisted", "untyped"}


def expected(cell: Cell) -> Expected:
    """Return what a push is expected to do."""
    if cell.engine is None:
        return Expected(succeeds=True, writer="dockless", listed=_listed(cell, "dockless"))
    program: Writer = "crane" if cell.engine.name == "crane" else "skopeo"
    refuses = cell.access == "token elsewhere" and strict_realms(cell.engine)
    if cell.mode == "named":
        if refuses:
            return Expected(succeeds=False, writer=program, says="invalid realm", note="realm")
        return _named(cell, cell.engine, program)
    if cell.what == "artifact":
        listed = _listed(cell, "dockless")
        return Expected(succeeds=True, writer="dockless", listed=listed, note="subject")
    if refuses:
        says = r"invalid realm[^\n]*dockless writes the image itself\."
        return Expected(succeeds=True, writer="dockless", says=says, note="realm-auto")
    return Expected(succeeds=True, writer=program)


def _named(cell: Cell, engine: Listed, program: Writer) -> Expected:
    listed = _listed(cell, program)
    note: Note = "unlisted" if listed == "nowhere" else ""
    if listed == "tag" and _version(engine) < _TYPED_REFERRERS:
        note = "untyped"
    return Expected(succeeds=True, writer=program, listed=listed, note=note)


def strict_realms(engine: Listed) -> bool:
    """Whether an engine refuses a token service at another private address than the registry's."""
    return engine.name == "crane" and _version(engine) >= _STRICT_REALMS


def _version(engine: Listed) -> tuple[int, ...]:
    return tuple(int(part) for part in engine.version.split("."))


def cells() -> Iterator[Cell]:
    """Return every cell."""
    for engine in (*of_kind("engine"), None):
        modes = MODES if engine else MODES[:1]
        for registry, access, mode, what in itertools.product(
            of_kind("registry"), ACCESSES, modes, WHATS
        ):
            yield Cell(engine=engine, registry=registry, access=access, mode=mode, what=what)


def _listed(cell: Cell, writer: Writer) -> str:
    """Return how the referrer is found when this writer has written it."""
    if cell.what != "artifact":
        return ""
    if cell.registry.name in REFERRERS_API:
        return "API"
    return "nowhere" if writer == "skopeo" else "tag"
