"""Progress that is only written down."""


class FakeTask:
    """A task, as a `ports.Task`."""

    def __init__(self, what: str, total: int | None) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self.finished = False

    def advance(self, count: int) -> None:
        """Count the bytes."""
        self.done += count

    def complete(self) -> None:
        """Count what is missing, and remember that the work ended."""
        self.done = self.done if self.total is None else self.total
        self.finish()

    def finish(self) -> None:
        """Remember that the work ended."""
        self.finished = True


class FakeProgress:
    """What was shown, as a `ports.Progress`."""

    def __init__(self) -> None:
        self.tasks: list[FakeTask] = []
        self.notes: list[str] = []

    def start(self, what: str, total: int | None) -> FakeTask:
        """Begin a task."""
        self.tasks.append(FakeTask(what, total))
        return self.tasks[-1]

    def step(self, text: str) -> None:
        """Keep a line."""
        self.notes.append(text)

    def note(self, text: str) -> None:
        """Keep a line."""
        self.notes.append(text)
