from pathlib import Path

import pytest

from dockless.config import files
from dockless.errors import UsageError


@pytest.mark.parametrize(
    "text",
    [
        "[password]\nS3cr3t = 1\n[password.S3cr3t]\n",
        "[a.S3cr3t]\n[a.S3cr3t]\n",
        "a = {S3cr3t = 1, S3cr3t = 2}\n",
        "a = {b.S3cr3t = 1, b = 2}\n",
    ],
)
def test_an_error_of_toml_quotes_no_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "f.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match="is not TOML") as caught:
        files.read_toml(path, "f.toml")
    assert "S3cr3t" not in str(caught.value)
