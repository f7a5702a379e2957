"""The folder of a file that a command is to write."""

from pathlib import Path

from dockless.errors import UsageError


def check_folder_of(path: Path, option: str) -> None:
    """Check that what a file is to be in is a folder.

    Args:
        path: The file.
        option: The option that names it.

    Raises:
        UsageError: It is not.
    """
    folder = path.parent
    if folder.is_dir():
        return
    if folder.exists():
        raise UsageError(
            f"{folder} is not a folder, so {option} cannot write {path}.",
            f"Give {option} another path.",
        )
    raise UsageError(f"There is no folder {folder} for {option}.", "Make it first.")
