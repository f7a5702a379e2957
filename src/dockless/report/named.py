"""Progress of one of several hosts: its name stands before everything."""

from dockless.ports import Progress, Task


class NamedProgress:
    """A `ports.Progress` whose every line begins with a name."""

    def __init__(self, name: str, progress: Progress) -> None:
        self._name = name
        self._progress = progress

    def start(self, what: str, total: int | None) -> Task:
        """Start to show a task of `total` bytes; None when unknown."""
        return self._progress.start(f"{self._name}: {what}", total)

    def note(self, text: str) -> None:
        """Show one line."""
        self._progress.note(f"{self._name}: {text}")
