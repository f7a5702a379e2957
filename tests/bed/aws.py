"""Amazon's API as moto serves it: a real HTTP server, for boto3 and the real `aws` CLI."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bed.process import running

ACCOUNT, REGION = "123456789012", "eu-west-1"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Aws:
    """The API that is running.

    Attributes:
        url: Where.
        log: Every request.
    """

    url: str
    log: Path

    @property
    def environment(self) -> dict[str, str]:
        """What leads boto3 and the CLI there."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "the secret key of the bed",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def count(self) -> int:
        """Return how many requests there were."""
        return self.log.read_text().count('"POST ')


@contextlib.contextmanager
def moto(folder: Path) -> Iterator[Aws]:
    """Run moto's server for as long as the block lasts."""
    argv = (sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", "0")
    with running(argv, folder / "moto.log") as daemon:
        port = daemon.wait_for(r"Running on http://127\.0\.0\.1:(\d+)")[1]
        yield Aws(f"http://127.0.0.1:{port}", daemon.log)
