"""A registry that refuses by a code of its own, hints early, or names an unusable Location."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from bed import images
from bed.dockless import Dockless
from bed.images import Layer
from bed.serving import serving

ENGINES = ("auto", "direct", "crane", "skopeo")
MESSAGE = "not on a Monday"
ALONE = {"crane": 1, "skopeo": 6}
"""The exit code where a program alone talks to the registry, and prints no status."""
REFUSALS = (
    (403, "QUOTA_EXCEEDED", 1),
    (403, "BLOCKED", 4),
    (412, "PROJECTPOLICYVIOLATION", 1),
    (413, "TOO_MUCH", 1),
    (418, "TEAPOT", 1),
)


class Handler(BaseHTTPRequestHandler):
    """A registry without content.

    Attributes:
        begun: The status, headers and body that answer the begin of an upload.
        hints: Whether each answer is preceded by others.
        host: The server's `HOST:PORT`.
    """

    protocol_version = "HTTP/1.1"
    begun: ClassVar[tuple[int, dict[str, str], bytes]] = (202, {}, b"")
    hints: ClassVar[bool] = False
    host: ClassVar[str] = ""

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send an answer."""
        if self.hints:
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n" * 2)
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        """Respond as a registry that has nothing."""
        if self.path == "/v2/":
            self.answer(200, {"Content-Type": "application/json"}, b"{}")
        else:
            self.answer(404, {}, refusal("MANIFEST_UNKNOWN", "none"))

    do_HEAD = do_GET  # noqa: N815 - the name that the server looks for

    def do_POST(self) -> None:
        """Begin no upload."""
        self.answer(*self.begun)


def refusal(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message}]}).encode()


@pytest.fixture
def registry() -> Iterator[type[Handler]]:
    """Return the class of the handlers of a server that runs, with its `host`."""

    class Own(Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    Own.host = f"127.0.0.1:{server.server_port}"
    with serving(server):
        yield Own


@pytest.fixture
def layout(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    made = images.Layout(tmp_path / "layout")
    return made.top(made.image(layers[:1], **images.named("1")))


@pytest.mark.sampled(5)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("status", "code", "ending"), REFUSALS)
def test_a_refusal_with_a_code_of_its_own_ends_by_its_status(
    program: Dockless,
    registry: type[Handler],
    layout: Path,
    engine: str,
    status: int,
    code: str,
    ending: int,
) -> None:
    registry.begun = (status, {"Content-Type": "application/json"}, refusal(code, MESSAGE))
    target = f"{registry.host}/acme/shop:1"
    result = program.run("push", layout, "--image", target, "--engine", engine, "--retries", "1")
    assert result.code == ALONE.get(engine, ending), result.stderr
    assert MESSAGE in result.stderr
    assert engine == "skopeo" or f"{code}: {MESSAGE}" in result.stderr
    assert engine == "skopeo" or "Retrying" not in result.stderr


@pytest.mark.sampled(3)
@pytest.mark.parametrize("engine", ENGINES)
def test_very_long_words_of_a_registry_are_shortened(
    program: Dockless, registry: type[Handler], layout: Path, engine: str
) -> None:
    registry.begun = (412, {}, refusal("BIG", "x" * 3_000_000))
    target = f"{registry.host}/acme/shop:1"
    result = program.run("push", layout, "--image", target, "--engine", engine, "--retries", "1")
    assert result.code == ALONE.get(engine, 1)
    assert len(result.stderr) < 4_000
    assert "…" in result.stderr


@pytest.mark.parametrize("engine", ENGINES)
def test_early_hints_are_not_the_answer(
    program: Dockless, registry: type[Handler], layout: Path, engine: str
) -> None:
    registry.hints = True
    registry.begun = (412, {}, refusal("POLICY", MESSAGE))
    target = f"{registry.host}/acme/shop:1"
    result = program.run("push", layout, "--image", target, "--engine", engine, "--retries", "1")
    assert result.code == ALONE.get(engine, 1), result.stderr
    assert MESSAGE in result.stderr


@pytest.mark.sampled(5)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("location", ["javascript:1", "gopher://x/", "http://[x/"])
def test_a_location_of_another_scheme_is_not_usable(
    program: Dockless, registry: type[Handler], layout: Path, engine: str, location: str
) -> None:
    registry.begun = (202, {"Location": location}, b"")
    target = f"{registry.host}/acme/shop:1"
    result = program.run("push", layout, "--image", target, "--engine", engine, "--retries", "1")
    assert result.code == 1, result.stderr
    assert location.partition(":")[0] in result.stderr
    assert "Retrying" not in result.stderr
