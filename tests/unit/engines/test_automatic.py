from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockless.engines.automatic import Automatic, Program
from dockless.errors import (
    AuthError,
    DocklessError,
    EngineError,
    EngineRefusedError,
    EngineTrustError,
    LostCopyError,
    NetworkError,
    PushError,
    StalledError,
    UnexplainedError,
)
from dockless.oci.content import Content, StagedImage
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST, Descriptor, compact_json
from dockless.oci.reference import Reference, Repository
from dockless.ports import Task, Written
from fakes.image import FakeImage
from fakes.progress import FakeTask

REPOSITORY = Repository.of("registry.example.com", "team/shop")
NOT_THERE = EngineError("It is not there.")
STRANGE = UnexplainedError("crane failed: layout blob is strange.")
ANSWERED = UnexplainedError("crane failed: PUT x: TEAPOT.", answered=True)
REFUSED = EngineRefusedError("crane refuses to push: invalid realm.")
UNTRUSTED = EngineTrustError("crane does not trust it: x509.", passing=False)


@dataclass
class Writer:
    """A writer that does what it is told, as an `automatic.Whole`."""

    name: str
    steps: list[str]
    fails: list[DocklessError] = field(default_factory=list)

    @property
    def tagger(self) -> str:
        return self.name

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        del repository
        assert image.missing is None, "another one may have written some of it"
        self._do("push")
        sending.advance(1)
        return Written(writer=self.name)

    def pull(self, source: Reference, layout: Path) -> None:
        del source, layout
        self._do("pull")

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        del content, repository
        self._do(f"move {tag}")

    def _do(self, what: str) -> None:
        self.steps.append(f"{self.name} {what}")
        if self.fails:
            raise self.fails.pop(0)


@dataclass
class Bench:
    """crane, skopeo and dockless itself."""

    folder: Path
    steps: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    trials: dict[str, str] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.crane, self.skopeo, self.direct = (
            Writer(name, self.steps) for name in ("crane", "skopeo", "direct")
        )
        programs = [
            Program(name=each.name, start=self._start(each), trial=self._trial(each.name))
            for each in (self.crane, self.skopeo)
        ]
        self.automatic = Automatic(programs, self.direct, self.notes.append, lambda _: None)

    def _start(self, writer: Writer) -> Callable[[], Writer]:
        def start() -> Writer:
            if writer.name in self.absent:
                raise NOT_THERE
            return writer

        return start

    def _trial(self, name: str) -> Callable[[], str]:
        def trial() -> str:
            self.steps.append(f"trial of {name}")
            return self.trials.get(name, "")

        return trial

    def push(
        self, content: Content | None = None, blobs: Mapping[Digest, Path] | None = None
    ) -> str:
        content = content or FakeImage(self.folder).content()
        image = StagedImage(
            content=content,
            blobs=blobs or {},
            layout=lambda: self.folder,
            missing=frozenset(blob.digest for blob in content.blobs),
        )
        return self.automatic.write(image, REPOSITORY, FakeTask("uploading", None)).writer


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_first_program_writes_and_no_tag_is_its_business(bench: Bench) -> None:
    assert bench.push() == "crane"
    bench.automatic.tag(FakeImage(bench.folder).content(), REPOSITORY, "v1")
    assert bench.steps == ["crane push", "direct move v1"]
    assert not bench.notes
    assert bench.automatic.tagger == "direct"


@pytest.mark.parametrize(
    ("absent", "writer"),
    [({"crane"}, "skopeo"), ({"crane", "skopeo"}, "direct"), ({"skopeo"}, "crane")],
)
def test_what_is_not_there_is_left_out_without_a_word(
    bench: Bench, absent: set[str], writer: str
) -> None:
    bench.absent = absent
    assert bench.push() == writer
    assert bench.steps == [f"{writer} push"]
    assert not bench.notes


@pytest.mark.parametrize("error", [STRANGE, ANSWERED, EngineError("crane cannot be started.")])
def test_a_program_that_fails_its_trial_is_at_fault_and_one_line_has_both_reasons(
    bench: Bench, error: DocklessError
) -> None:
    bench.crane.fails = [error]
    bench.trials = {"crane": "it says nonsense."}
    bench.push()
    assert bench.steps == ["crane push", "trial of crane", "skopeo push"]
    [note] = bench.notes
    assert error.what.rstrip(".") in note
    assert "it says nonsense." in note
    assert note.endswith("skopeo writes it instead.")
    bench.push()
    assert bench.steps[3:] == ["skopeo push"], "it is not tried again"


def test_where_every_program_is_at_fault_dockless_writes(bench: Bench) -> None:
    bench.crane.fails, bench.skopeo.fails = [STRANGE], [STRANGE]
    bench.trials = dict.fromkeys(("crane", "skopeo"), "broken.")
    bench.push()
    assert bench.steps[-1] == "direct push"
    assert bench.notes[-1].endswith("dockless writes the image itself.")
    assert len(bench.notes) == 2


def test_an_answer_of_the_registry_stands_where_the_program_works(bench: Bench) -> None:
    bench.crane.fails = [ANSWERED]
    with pytest.raises(UnexplainedError):
        bench.push()
    assert bench.steps == ["crane push", "trial of crane"]
    assert not bench.notes


@pytest.mark.parametrize("error", [REFUSED, UNTRUSTED, STRANGE])
def test_what_no_registry_said_is_the_programs_fault_though_it_works_elsewhere(
    bench: Bench, error: DocklessError
) -> None:
    bench.crane.fails = [error]
    bench.push()
    assert bench.steps == ["crane push", "trial of crane", "skopeo push"]
    [note] = bench.notes
    assert note == f"{error.what} skopeo writes it instead."


@pytest.mark.parametrize(
    "error", [AuthError("Denied."), PushError("Conflict."), NetworkError("Busy.", busy=True)]
)
def test_after_what_is_known_no_other_writer_is_tried(bench: Bench, error: DocklessError) -> None:
    bench.crane.fails = [error]
    with pytest.raises(type(error)):
        bench.push()
    assert bench.steps == ["crane push"]


@pytest.mark.parametrize("hangs_always", [False, True])
def test_a_program_that_moves_nothing_is_at_fault_if_it_hangs_in_its_trial_too(
    bench: Bench, *, hangs_always: bool
) -> None:
    bench.crane.fails = [StalledError("crane transferred no byte.")]
    if hangs_always:
        bench.trials = {"crane": "crane did not end within 20 seconds."}
        bench.push()
        assert bench.steps == ["crane push", "trial of crane", "skopeo push"]
    else:
        with pytest.raises(StalledError):
            bench.push()
        assert bench.steps == ["crane push", "trial of crane"]


def test_the_error_of_the_last_writer_stands(bench: Bench) -> None:
    bench.absent = {"crane", "skopeo"}
    bench.direct.fails = [ANSWERED]
    with pytest.raises(UnexplainedError):
        bench.push()
    assert bench.steps == ["direct push"]


@pytest.mark.parametrize("data", [b"other bytes", b"", None])
def test_a_blob_that_is_damaged_here_is_no_fault_of_the_program(
    bench: Bench, data: bytes | None
) -> None:
    image = FakeImage(bench.folder / "image")
    digest = image.content().blobs[-1].digest
    damaged = bench.folder / "damaged"
    if data is not None:
        damaged.write_bytes(data)
    bench.crane.fails = [STRANGE]
    with pytest.raises(LostCopyError, match=str(damaged)):
        bench.push(image.content(), {digest: damaged})
    assert bench.steps == ["crane push"]
    assert not bench.notes


def test_a_manifest_with_a_subject_is_written_without_a_program(bench: Bench) -> None:
    plain = FakeImage(bench.folder).content()
    subject = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(b"x"), size=1).to_json()
    config = plain.blobs[0].to_json()
    data = compact_json(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": []}
        | {"subject": subject}
    )
    root = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(data), size=len(data))
    bench.push(
        Content(
            root=root,
            documents={root.digest: data},
            blobs=plain.blobs[:1],
            image_id=None,
            platforms=(),
        )
    )
    assert bench.steps == ["direct push"]


def test_images_are_read_by_the_first_program_that_works_too(bench: Bench) -> None:
    bench.crane.fails = [REFUSED]
    bench.automatic.pull(Reference(REPOSITORY, "v1"), bench.folder)
    assert bench.steps == ["crane pull", "trial of crane", "skopeo pull"]
    assert bench.notes == [f"{REFUSED.what} skopeo reads it instead."]


@pytest.mark.parametrize("error", [REFUSED, STRANGE])
def test_what_no_writer_can_read_has_the_error_of_the_last_alone(
    bench: Bench, error: DocklessError
) -> None:
    bench.crane.fails = [error]
    bench.skopeo.fails = [error]
    bench.direct.fails = [PushError("There is no image v1.")]
    with pytest.raises(PushError, match="no image v1"):
        bench.automatic.pull(Reference(REPOSITORY, "v1"), bench.folder)
    assert bench.notes == []
