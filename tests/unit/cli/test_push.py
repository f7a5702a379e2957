import contextlib
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from jsonschema import Draft202012Validator

from dockless.errors import (
    AuthError,
    DocklessError,
    LostCopyError,
    PartialError,
    PushError,
    SourceError,
    UsageError,
)
from dockless.model.ended import RunWords
from dockless.model.options import CommandOptions
from dockless.model.plan import PushResult
from dockless.model.timings import Timings
from dockless.oci.digest import Digest
from dockless.oci.platform import Platform
from dockless.oci.reference import Repository
from dockless.ports import Image
from dockless.processes import stops
from dockless.processes.stops import Terminated
from dockless.retry import RetryPolicy
from dockless.sources.archive import Candidate, select
from dockless.sources.spec import SourceSpec
from dockless.storage.oci_layout import write_layout
from dockless.storage.receipt_reading import read_receipt
from dockless.usecases.push.context import PushContext, PushRequest
from dockless.usecases.push.push import push
from fakes.early import FakeEarlyUploads
from fakes.image import FakeImage
from fakes.journal import Journal
from fakes.overview import FakeOverview
from fakes.progress import FakeProgress
from fakes.registry import FakeRegistry
from fakes.writer import FakeWriter

Run = Callable[..., Result]
SHOP = Repository.of("ghcr.io", "acme/shop")
TARGET = ("--registry", "ghcr", "--namespace", "acme", "--tag", "v1")


class FakeSession:
    """What stands between the command line and the use case, without network and daemons.

    Attributes:
        found: The images of every SOURCE, and the local ones by name.
        refuses: Tags whose push fails.
        opened: What was looked for.
        expected: The repositories that layers were sent ahead to.
        lost: Whether the user's store is deleted again and again.
        caches: The folders that stood in for the user's.
        limits: The limits of time.
        checks: Whether every blob was to be asked for.
        before: Called before anything is pushed.
        now: What tags refer to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.journal = Journal()
        self.registry = FakeRegistry(self.journal)
        self.found: list[Candidate] = [self.candidate("shop:v1")]
        self.refuses: dict[str, DocklessError] = {}
        self.opened: list[object] = []
        self.expected: list[Repository] = []
        self.opener = self
        self.overview = FakeOverview()
        self.timings = Timings()
        self.lost = False
        self.caches: list[Path | None] = []
        self.limits: list[float | None] = []
        self.checks: list[bool | None] = []
        self.before: Callable[[], object] = lambda: None
        self.now: dict[str, Digest | None] = {}

    def warn(self, text: str) -> None:
        raise AssertionError(text)

    def candidate(self, *names: str) -> Candidate:
        return Candidate(
            names=names, open=lambda: FakeImage(self._folder / "blobs", journal=self.journal)
        )

    def deliver(
        self,
        repository: Repository,
        tags: Sequence[str],
        choose: Callable[[], Image],
    ) -> PushResult:
        self.expected.append(repository)
        return self.push(repository, tags, choose())

    def reach(self, repository: Repository) -> None:
        assert repository.host

    def tags_now(self, repository: Repository, tags: Sequence[str]) -> dict[str, Digest | None]:
        assert repository == SHOP
        return {tag: self.now[tag] for tag in tags}

    def chosen(self, spec: SourceSpec, platform: Platform | None) -> Candidate:
        return select(self.images(spec, platform), spec.selector, spec.label)

    def images(self, spec: SourceSpec, platform: Platform | None) -> list[Candidate]:
        self.opened.append((spec.label, platform))
        return self.found

    def local(self, names: tuple[str, ...], platform: Platform | None, tool: str = "") -> Candidate:
        self.opened.append((names, platform, tool))
        if not self.found:
            raise SourceError("There is no local image.")
        return self.found[0]

    def push(self, repository: Repository, tags: Sequence[str], image: Image) -> PushResult:
        self.before()
        if tags[0] in self.refuses:
            raise self.refuses[tags[0]]
        folder = self._folder / f"layout-{len(self.journal.steps)}"
        context = PushContext(
            registry=self.registry,
            early=FakeEarlyUploads(),
            writer=lambda: FakeWriter(self.registry, self.journal),
            direct=None,
            lay_out=partial(write_layout, folder),
            progress=FakeProgress(),
            retry_policy=RetryPolicy(attempts=1, deadline=None, note=print),
            clock=iter((0.0, 1.0)).__next__,
            timings=self.timings,
        )
        return push(PushRequest(repository=repository, tags=tuple(tags)), image, context)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSession:
    fake = FakeSession(tmp_path)

    @contextlib.contextmanager
    def opened(
        options: CommandOptions,
        given: object,
        cache: Path | None = None,
        many: RunWords | None = None,
    ) -> Iterator[FakeSession]:
        assert bool(many) is options.all_images
        assert options.source is None or given
        fake.caches.append(cache)
        fake.limits.append(stops.until())
        fake.checks.append(options.check_blobs)
        if fake.lost and not cache:
            raise LostCopyError("The store was deleted.", "Run it again.")
        yield fake

    monkeypatch.setattr("dockless.cli.surroundings.session", opened)
    for name in ("name", "tagger"):
        monkeypatch.setattr(FakeWriter, name, "crane")
    monkeypatch.setattr("dockless.engines.installed.InstalledEngines.version", lambda *_: "1.2")
    return fake


def digest(session: FakeSession) -> str:
    return str(next(iter(session.registry.repositories[SHOP].manifests)))


def test_stdout_carries_the_reference_by_digest_and_stderr_the_talk(
    run: Run, session: FakeSession
) -> None:
    result = run("push", "shop:dev", *TARGET)
    assert result.exit_code == 0
    assert result.stdout == f"ghcr.io/acme/shop@{digest(session)}\n"
    assert "Target: ghcr.io/acme/shop:v1" in result.stderr
    assert "verified" in result.stderr
    assert session.opened == [("shop:dev", None)]
    assert session.expected == [SHOP]


def test_without_a_source_the_local_image_of_the_target_is_looked_for(
    run: Run, session: FakeSession
) -> None:
    run("push", *TARGET, "--platform", "linux/arm64")
    names = ("shop:v1", "shop:latest")
    assert session.opened == [(names, Platform("linux", "arm64"), "")]


@pytest.mark.parametrize("source", [("shop:dev",), ()])
@pytest.mark.parametrize("limit", [None, 900.0])
def test_where_the_store_is_deleted_again_and_again_another_is_made_for_the_push(
    run: Run, session: FakeSession, source: tuple[str, ...], limit: float | None
) -> None:
    session.lost = True
    result = run("push", *source, *TARGET, *(("--timeout", f"{limit:.0f}s") if limit else ()))
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"ghcr.io/acme/shop@{digest(session)}\n"
    assert "The store was deleted. It is staged in a temporary folder." in result.stderr
    first, second = session.caches
    assert first is None
    assert second
    assert not second.exists(), "it is gone with the push"
    before, after = session.limits
    assert (before is None) == (limit is None)
    assert after == before, "the limit is one for both"


@pytest.mark.parametrize("argv", [("-",), ("--build",)])
def test_what_cannot_be_had_twice_is_lost_with_the_store(
    run: Run, session: FakeSession, argv: tuple[str, ...]
) -> None:
    session.lost = True
    result = run("push", *argv, *TARGET)
    assert isinstance(result.exception, LostCopyError)
    assert session.caches == [None]


def test_quiet_leaves_the_result_alone(run: Run, session: FakeSession) -> None:
    result = run("push", "shop", *TARGET, "--quiet")
    assert result.stdout == f"ghcr.io/acme/shop@{digest(session)}\n"
    assert result.stderr == ""


def test_json_is_one_document(run: Run, session: FakeSession) -> None:
    result = run("push", "shop", *TARGET, "--format", "json")
    assert json.loads(result.stdout)["result"]["digest"] == digest(session)


def test_the_digest_is_written_to_a_file(run: Run, session: FakeSession, project: Path) -> None:
    run("push", "shop", *TARGET, "--digest-file", "digest")
    assert (project / "digest").read_text() == f"{digest(session)}\n"


def test_an_error_in_json_is_a_document_with_its_code(run: Run, session: FakeSession) -> None:
    session.refuses["v1"] = AuthError("Refused.", "Log in.")
    result = run("push", "shop", *TARGET, "--format", "json")
    assert isinstance(result.exception, AuthError)
    error = json.loads(result.stdout)["error"]
    assert (error["message"], error["remedy"]) == ("Refused.", "Log in.")


@pytest.mark.parametrize("names", [(), ("shop:v1", "shop:v2")])
def test_one_image_of_several_must_be_named(
    run: Run, session: FakeSession, project: Path, names: tuple[str, ...]
) -> None:
    (project / "image.tar").touch()
    session.found = [session.candidate(name) for name in names]
    assert isinstance(run("push", "image.tar", *TARGET).exception, SourceError)
    assert not session.registry.repositories[SHOP].tags


def test_all_images_go_by_their_own_names(run: Run, session: FakeSession, project: Path) -> None:
    (project / "image.tar").touch()
    session.found = [session.candidate("shop:v1", "v3"), session.candidate("ghcr.io/other/app:v2")]
    result = run("push", "image.tar", "--all", "--registry", "ghcr", "--namespace", "acme")
    assert result.exit_code == 0
    assert session.registry.repositories[SHOP].tags.keys() == {"v1", "v3"}
    assert session.registry.repositories[Repository.of("ghcr.io", "other/app")].tags.keys() == {
        "v2"
    }
    assert len(result.stdout.splitlines()) == 3


def test_all_images_go_below_a_destination(run: Run, session: FakeSession, project: Path) -> None:
    (project / "set.tar").touch()
    session.found = [
        session.candidate("docker.io/library/shop:v1", "v1"),
        session.candidate("ghcr.io/other/app:v2"),
        session.candidate("v3"),
    ]
    result = run("push", "set.tar", "--all", "--to", "registry.example.com/mirror")
    assert result.exit_code == 0, result.output
    tags = {
        str(repository): {*found.tags}
        for repository, found in session.registry.repositories.items()
        if found.tags
    }
    assert tags == {
        "registry.example.com/mirror/library/shop": {"v1"},
        "registry.example.com/mirror/other/app": {"v2"},
        "registry.example.com/mirror/set": {"v3"},
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--to", "registry.example.com"), "--image HOST/NAME:TAG"),
        (("--all", "--to", "registry.example.com", "--namespace", "a"), "do not go together"),
        (("--all", "--to", "registry.example.com", "--tag", "v1"), "do not go together"),
        (("--all", "--to", ""), "--to is empty"),
        (("--all", "--to", "mirror"), "Write --to HOST[/PREFIX]"),
        (("--all", "--to", "registry.example.com/UP"), "Write --to HOST[/PREFIX]"),
        (("--all", "--to", "registry.example.com/a:v1"), "Write --to HOST[/PREFIX]"),
        (("--all", "--to", "http://registry.example.com"), "--insecure"),
        (("--all", "--to", "registry.example.com", "--registry", "ghcr"), "is private"),
        (("--all", "--to", "my-reg.io/x", "--registry", "acr"), "is private"),
    ],
)
def test_a_wrong_destination_says_what_is_right(
    run: Run, project: Path, arguments: tuple[str, ...], said: str
) -> None:
    (project / "set.tar").touch()
    error = run("push", "set.tar", *arguments).exception
    assert isinstance(error, UsageError)
    assert said in f"{error.what} {error.remedy}"


@pytest.mark.parametrize(
    ("given", "host"),
    [
        (("--to", "https://registry.example.com/a"), "registry.example.com/a"),
        (("--to", "myregistry/team", "--registry", "acr"), "myregistry.azurecr.io/team"),
        (("--to", "my-reg.azurecr.cn", "--registry", "acr"), "my-reg.azurecr.cn"),
    ],
)
def test_a_destination_is_explained(
    run: Run, project: Path, given: tuple[str, ...], host: str
) -> None:
    (project / "set.tar").touch()
    done = run("push", "set.tar", "--all", *given, "--explain")
    assert done.exit_code == 0, done.output
    shown = done.stdout
    assert re.search(rf"^target +{re.escape(host)}/NAME:TAG +each image$", shown, re.MULTILINE)
    assert re.search(rf"^to +{re.escape(host)} +--to$", shown, re.MULTILINE), shown


def test_when_some_images_fail_the_others_are_pushed(
    run: Run, session: FakeSession, project: Path
) -> None:
    (project / "image.tar").touch()
    session.found = [session.candidate("shop:v1"), session.candidate("shop:v2")]
    session.refuses["v1"] = AuthError("Refused.")
    result = run("push", "image.tar", "--all", "--registry", "ghcr", "--namespace", "acme")
    assert isinstance(result.exception, PartialError)
    assert session.registry.repositories[SHOP].tags.keys() == {"v2"}
    assert "shop:v1: Error: Refused." in result.stderr


def test_when_all_images_fail_the_first_error_is_raised(
    run: Run, session: FakeSession, project: Path
) -> None:
    (project / "image.tar").touch()
    session.refuses["v1"] = AuthError("Refused.")
    result = run("push", "image.tar", "--all", "--registry", "ghcr", "--namespace", "acme")
    assert isinstance(result.exception, AuthError)


@pytest.mark.parametrize("names", [("shop:v1",), ("Not A Name",), ("shop:v1", "shop:v2")])
@pytest.mark.parametrize("output", ["text", "json"])
def test_the_error_of_a_single_image_is_left_to_the_end_of_the_command(
    run: Run, session: FakeSession, project: Path, names: tuple[str, ...], output: str
) -> None:
    (project / "image.tar").touch()
    session.found = [session.candidate(*names)]
    session.refuses = dict.fromkeys(("v1", "v2"), AuthError("Refused."))
    argv = ("--all", "--format", output, "--registry", "ghcr", "--namespace", "acme")
    result = run("push", "image.tar", *argv)
    assert result.exception
    assert ("Error: " in result.stderr) is (len(names) > 1)


@pytest.mark.parametrize(
    ("names", "said"), [((), "has no name"), (("Not A Name",), "is not an image name")]
)
def test_images_that_have_no_usable_name_cannot_all_be_pushed(
    run: Run, session: FakeSession, project: Path, names: tuple[str, ...], said: str
) -> None:
    (project / "image.tar").touch()
    session.found = [session.candidate(*names)]
    result = run("push", "image.tar", "--all", "--registry", "ghcr", "--namespace", "acme")
    assert isinstance(result.exception, SourceError)
    assert said in str(result.exception)


@pytest.mark.parametrize("names", [(), ("Not A Name",), ("shop:v1",), ("shop:v1", "shop:v2")])
def test_all_images_are_one_json_document_however_many_fail(
    run: Run, session: FakeSession, project: Path, names: tuple[str, ...]
) -> None:
    (project / "image.tar").touch()
    session.found = [session.candidate(*names)]
    session.refuses["v1"] = AuthError("Refused.")
    argv = ("--all", "--format", "json", "--registry", "ghcr", "--namespace", "acme")
    result = run("push", "image.tar", *argv)
    assert result.exception
    assert len(json.loads(result.stdout)["images"]) == max(1, len(names))


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stand in for the tools that build; what was built is kept."""
    built: list[str] = []

    def build(recipe: object, environment: object, note: object) -> str:
        assert environment
        assert note
        built.append(recipe.image)  # type: ignore[attr-defined] # a Recipe
        return "podman"

    monkeypatch.setattr("dockless.sources.build.build", build)
    return built


def test_build_builds_first_and_takes_the_image_from_the_tool_that_built(
    run: Run, session: FakeSession, builds: list[str]
) -> None:
    assert run("push", "--build", *TARGET).exit_code == 0
    assert builds == ["shop:v1"]
    assert session.opened == [(("shop:v1",), None, "podman")]


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A docker on PATH that works; what it was told to do is in the file that is returned."""
    folder, log = tmp_path / "bin", tmp_path / "log"
    folder.mkdir()
    (folder / "docker").write_text(f"#!/bin/sh\necho \"$*\" >> '{log}'\n")
    (folder / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return log


@pytest.mark.parametrize(
    ("name", "program"),
    [("Dockerfile", "docker"), ("Containerfile", "docker"), ("compose.yml", "docker compose")],
)
def test_a_dry_run_builds_nothing(
    run: Run, session: FakeSession, tools: Path, project: Path, name: str, program: str
) -> None:
    (project / name).write_text("services: {app: {build: ., image: 'shop:v1'}}")
    session.now = {"v1": None, "stable": Digest.of(b"before")}
    argv = ("push", "--build", "--dry-run", *TARGET, "--tag", "stable")
    said = run(*argv)
    assert said.exit_code == 0, said.exception
    assert f"Build   shop:v1 with {program}, from {project}/{name}" in said.stdout
    assert "Tag v1: would be created" in said.stdout
    assert f"Tag stable: would be updated from {Digest.of(b'before')}" in said.stdout
    assert "@" not in said.stdout
    document = json.loads(run(*argv, "--format", "json").stdout)
    schema = json.loads(RECEIPT.with_name("push-result.schema.json").read_text())
    Draft202012Validator(schema).validate(document)
    assert document["build"]["program"] == program
    assert document["build"]["tags"][0] == {"tag": "v1", "before": None}
    assert {line.split()[-1] for line in tools.read_text().splitlines()} <= {
        "version",
        "{{.Server.Version}}",
    }
    assert session.opened == session.journal.steps == []


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_a_dry_run_that_builds_has_no_receipt(
    run: Run, session: FakeSession, tools: Path, project: Path, quiet: tuple[str, ...]
) -> None:
    (project / "Dockerfile").touch()
    session.now = {"v1": None}
    argv = ("push", "--build", "--dry-run", *TARGET, "--receipt", "receipt.json")
    result = run(*argv, *quiet)
    assert result.exit_code == 0
    assert ("A dry run writes no receipt." in result.stderr) == (not quiet)
    assert not (project / "receipt.json").exists()
    assert tools.exists()
    assert not session.journal.steps


@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--dry-run", "--build")])
def test_a_push_from_hosts_says_that_they_write_no_receipt(run: Run, more: tuple[str, ...]) -> None:
    argv = ("push", "--remote", *TARGET, "--host", "web1", "--receipt", "receipt.json", *more)
    error = run(*argv).exception
    assert isinstance(error, UsageError)
    assert "hosts write no receipts" in error.what


def test_a_dry_run_does_not_offer_to_build(
    run: Run, session: FakeSession, builds: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    session.found = []
    monkeypatch.setattr("dockless.cli.prompts.may_build", lambda: True)
    assert isinstance(run("push", "--dry-run", *TARGET).exception, SourceError)
    assert builds == []


@pytest.mark.parametrize("wanted", [True, False])
def test_a_missing_image_is_built_when_somebody_at_the_terminal_wants_it(
    run: Run,
    session: FakeSession,
    builds: list[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    wanted: bool,
) -> None:
    session.found = []
    monkeypatch.setattr("dockless.cli.prompts.may_build", lambda: wanted)
    result = run("push", *TARGET)
    assert isinstance(result.exception, SourceError)
    assert result.exception.what not in result.output, "it is said once, by what ends the command"
    assert builds == (["shop:v1"] if wanted else [])


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_image_that_nobody_wants_to_build_is_said_to_be_missing_once(
    run: Run, session: FakeSession, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    session.found = []
    monkeypatch.setattr("dockless.cli.prompts.at_terminal", lambda: True)
    monkeypatch.setattr("dockless.cli.prompts.may_build", lambda: False)
    result = run("push", *TARGET, "--format", form)
    assert isinstance(result.exception, SourceError)
    said = f"{result.stderr}{result.exception}"
    assert said.count("There is no local image") == (1 if form == "text" else 2)
    assert ("There is no local image" in result.stdout) == (form == "json")


def test_a_compose_file_that_builds_several_images_is_a_usage_error(
    run: Run, session: FakeSession, builds: list[str], project: Path
) -> None:
    (project / "compose.yml").write_text("services: {a: {build: .}, b: {build: .}}\n")
    error = run("push", "--build", *TARGET).exception
    assert isinstance(error, UsageError)
    assert builds == session.opened == []


def test_timings_say_where_the_seconds_went(run: Run, session: FakeSession) -> None:
    session.timings.add("start", 0.25)
    result = run("push", "shop:dev", *TARGET, "--timings")
    assert "start      0.250 s  works" in result.stderr
    assert "upload" in result.stderr
    assert "The push took 1.000 s" in result.stderr
    as_json = run("push", "shop:dev", *TARGET, "--format", "json")
    assert json.loads(as_json.stdout)["result"]["timings"]["start"] == 0.25


@pytest.mark.parametrize("how", ["--password", "--password-stdin", "DOCKLESS_PASSWORD"])
def test_one_password_does_not_go_to_every_registry_that_an_archive_names(
    run: Run, session: FakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    (tmp_path / "all.tar").touch()
    names = ("ghcr.io/acme/shop:v1", "evil.example/shop:v1", "Not A Name")
    session.found = [session.candidate(name) for name in names]
    options = {"--password": ("--password", "x"), "--password-stdin": ("--password-stdin",)}
    if how == "DOCKLESS_PASSWORD":
        monkeypatch.setenv(how, "x")
    argv = ("push", str(tmp_path / "all.tar"), "--all", "--username", "me", *options.get(how, ()))
    error = run(*argv).exception
    assert isinstance(error, UsageError)
    assert "evil.example, ghcr.io" in error.what
    assert not session.journal.steps
    session.found = [session.candidate(name) for name in ("ghcr.io/acme/shop:v1", "ghcr.io/a/b:1")]
    assert run(*argv).exit_code == 0


RECEIPT = Path(__file__).parents[3] / "docs" / "receipt.schema.json"


def receipt_of(project: Path, name: str = "receipt.json") -> dict[str, Any]:
    """Return a receipt, which is as the schema has it, and which `verify` reads."""
    text = (project / name).read_text()
    document: dict[str, Any] = json.loads(text)
    Draft202012Validator(json.loads(RECEIPT.read_text())).validate(document)
    assert read_receipt(text, name).document == document
    return document


@pytest.mark.parametrize("source", ["shop:dev", "image.tar", None])
def test_a_single_push_has_a_receipt(
    run: Run, session: FakeSession, project: Path, source: str | None
) -> None:
    (project / "image.tar").touch()
    result = run("push", *filter(None, [source]), *TARGET, "--receipt", "receipt.json")
    assert result.exit_code == 0, result.exception
    said = receipt_of(project)
    assert (said["target"], said["failures"], said["pending"]) == ("ghcr.io", [], [])
    assert said["finished"]
    (image,) = said["images"]
    assert image["digest"] == digest(session)
    assert image["references"] == ["ghcr.io/acme/shop:v1"]
    assert image["name"] == "shop:v1"
    assert Path(image["source"]).name == (source or "shop:v1")
    assert image["arrived"]
    assert image["checked"]
    assert image["blobs"]


def test_what_was_there_before_has_not_arrived_now(
    run: Run, session: FakeSession, project: Path
) -> None:
    for name in ("first", "second"):
        assert run("push", "shop:dev", *TARGET, "--receipt", name).exit_code == 0
    assert session.journal.steps
    first, second = (receipt_of(project, name)["images"][0] for name in ("first", "second"))
    assert first["arrived"]
    assert second["arrived"] is None
    assert second["unchanged"]


@pytest.mark.parametrize("before", ["", None])
def test_a_push_that_fails_has_a_receipt_of_that(
    run: Run, session: FakeSession, project: Path, before: str | None
) -> None:
    if before is None:  # what an earlier run has seen is not claimed
        assert run("push", "shop:dev", *TARGET, "--receipt", "receipt.json").exit_code == 0
    session.refuses["v1"] = AuthError("Refused.", "Log in.")
    result = run("push", "shop:dev", *TARGET, "--receipt", "receipt.json")
    assert isinstance(result.exception, AuthError)
    said = receipt_of(project)
    assert said["images"] == []
    (failure,) = said["failures"]
    assert failure["error"]["message"] == "Refused."
    assert failure["references"] == ["ghcr.io/acme/shop:v1"]


@pytest.mark.parametrize("end", [KeyboardInterrupt, Terminated, SystemExit])
def test_a_push_that_is_ended_from_outside_is_pending(
    run: Run, session: FakeSession, project: Path, end: type[BaseException]
) -> None:
    session.refuses["v1"] = end()  # type: ignore[assignment] # what a signal raises
    with contextlib.suppress(end):
        run("push", "shop:dev", *TARGET, "--receipt", "receipt.json")
    said = receipt_of(project)
    assert said["finished"] is None
    assert [each["references"] for each in said["pending"]] == [["ghcr.io/acme/shop:v1"]]
    assert said["images"] == said["failures"] == []


def test_the_receipt_of_all_images_has_each_of_them(
    run: Run, session: FakeSession, project: Path
) -> None:
    (project / "image.tar").touch()
    broken = SourceError("That entry is damaged.")
    session.found = [
        session.candidate("shop:v1", "shop:v3"),
        session.candidate("shop:v2", "Not A Name"),
        Candidate(names=(), open=lambda: FakeImage(project), fault=broken),
    ]
    session.refuses["v2"] = AuthError("Refused.")
    argv = ("image.tar", "--all", "--registry", "ghcr", "--namespace", "acme")
    result = run("push", *argv, "--receipt", "receipt.json")
    assert isinstance(result.exception, PartialError)
    said = receipt_of(project)
    assert [each["name"] for each in said["images"]] == ["shop:v1", "shop:v3"]
    assert {each["name"]: each["error"]["kind"] for each in said["failures"]} == {
        "shop:v2": "auth",
        "Not A Name": "source",
        "@2": "source",
    }


def test_images_of_several_registries_have_no_common_receipt(
    run: Run, session: FakeSession, project: Path
) -> None:
    (project / "image.tar").touch()
    session.found = [session.candidate("ghcr.io/a/b:1"), session.candidate("quay.io/a/b:1")]
    error = run("push", "image.tar", "--all", "--receipt", "receipt.json").exception
    assert isinstance(error, UsageError)
    assert "ghcr.io, quay.io" in error.what
    assert not session.journal.steps
    assert not (project / "receipt.json").exists()


@pytest.mark.parametrize("name", ["image.tar", "./image.tar", "notes.txt", "."])
def test_a_receipt_replaces_nothing_but_receipts(
    run: Run, session: FakeSession, project: Path, name: str
) -> None:
    (project / "image.tar").write_text("")
    (project / "notes.txt").write_text("mine")
    error = run("push", "image.tar", *TARGET, "--receipt", name).exception
    assert isinstance(error, UsageError)
    assert not session.journal.steps
    assert (project / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("digests", ["receipt.json", "./receipt.json", "link"])
def test_a_receipt_and_digests_have_files_of_their_own(
    run: Run, session: FakeSession, project: Path, digests: str
) -> None:
    (project / "link").symlink_to("receipt.json")
    argv = ("--receipt", "receipt.json", "--digest-file", digests)
    error = run("push", "shop:dev", *TARGET, *argv).exception
    assert isinstance(error, UsageError)
    assert "--digest-file" in error.what
    assert not session.journal.steps


def test_a_dry_run_has_no_receipt(run: Run, session: FakeSession, project: Path) -> None:
    result = run("push", "shop:dev", *TARGET, "--dry-run", "--receipt", "receipt.json")
    assert session.expected == [SHOP]
    assert "A dry run writes no receipt." in result.stderr
    assert not (project / "receipt.json").exists()


@pytest.mark.parametrize("given", [(), ("--no-check-blobs",), ("--check-blobs",)])
def test_a_receipt_claims_what_was_seen(
    run: Run, session: FakeSession, given: tuple[str, ...]
) -> None:
    run("push", "shop:dev", *TARGET, "--receipt", "receipt.json", *given)
    assert session.checks == [given != ("--no-check-blobs",)]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_receipt_that_cannot_be_written_in_the_end_leaves_the_result(
    run: Run, session: FakeSession, project: Path, form: str
) -> None:
    folder = project / "there"
    folder.mkdir()
    session.before = partial(shutil.rmtree, folder)
    argv = ("--receipt", "there/receipt.json", "--format", form)
    result = run("push", "shop:dev", *TARGET, *argv)
    assert isinstance(result.exception, PushError)
    assert "receipt.json" in result.exception.what
    if form == "json":
        assert json.loads(result.stdout)["result"]["digest"] == digest(session)
    else:
        assert result.stdout == f"ghcr.io/acme/shop@{digest(session)}\n"


def test_hosts_have_no_receipt(run: Run) -> None:
    error = run("push", "--remote", *TARGET, "--receipt", "receipt.json").exception
    assert isinstance(error, UsageError)
    assert "--receipt is not for --remote" in error.what
