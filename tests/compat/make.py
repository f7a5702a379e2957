"""Make what the version that is checked out here writes and its users keep; see README.md.

    sudo env PYTHONPATH=tests .venv/bin/python tests/compat/make.py

writes `tests/compat/vVERSION`, which must not be there yet. dockless is run as its users run it, in
the place of `bed.place`; nothing that it wrote is changed but as README.md says.
"""

import base64
import contextlib
import json
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from bed import images
from bed.certificates import Certificates
from bed.dockless import Dockless, dockless
from bed.failures import until
from bed.faults import Fault, faulty, refusal
from bed.nginx import nginx
from bed.place import CLOUD, HOST, LOGIN, OPEN, REFUSING, TOKEN, WITH_PORT, Place, place
from bed.process import output
from bed.registry import docker_registry
from bed.tools import crane
from compat.sources import make_sources
from dockless import __version__

BOOT = "00000000-0000-4000-8000-000000000001"
PASSPHRASE = "the fixture's file"
TO = f"{HOST}/m"
NO_BOTO3 = "import sys\nsys.modules['boto3'] = None\n"
LONG = "240000h"
STORED_BYTES = "300k"
"""The limit of the store: the noise does not fit, and its blob goes."""
_TOLD = ("DOCKLESS_KEYRING", "DOCKLESS_CACHE_SIZE")


class Maker:
    """Runs dockless and writes down what was run.

    Attributes:
        place: Where.
        out: The fixture's folder.
        said: Every command, and its exit status.
    """

    def __init__(self, where: Place, out: Path) -> None:
        self.place = where
        self.out = out
        self.said: list[str] = []

    def __call__(
        self,
        *arguments: str | Path,
        code: int = 0,
        stdin: str = "",
        program: Dockless | None = None,
    ) -> str:
        """Run dockless in `/mnt`; return its stdout."""
        ran = program or self.place.also(**self.place.account)
        done = ran.run(*arguments, stdin=stdin.encode())
        if done.code != code:
            raise RuntimeError(f"exit {done.code}: {arguments}\n{done.stdout}\n{done.stderr}")
        self.log(ran, arguments, str(code))
        return done.stdout

    def log(self, ran: Dockless, arguments: tuple[str | Path, ...], end: str) -> None:
        """Write a command down, without the folders of this run."""
        given = (f"{name}={value}" for name, value in ran.extra.items() if name in _TOLD)
        line = " ".join((*given, ran.name, *map(str, arguments)))
        ca = str(self.place.certificates.ca)
        self.said.append(f"{line.replace(ca, 'CA')}  # exit {end}")

    def keep(self, source: Path, name: str) -> None:
        """Copy a file or folder to the fixture."""
        target = self.out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy(source, target)


def store(make: Maker) -> None:
    """Make the store: layers in gzip and zstd, records without a blob, what is known of links."""
    trust, archive = make.place.trust, "images/shop.tar"
    noise = ("push", "noise.tar", "--image", f"{HOST}/noise:1", *trust)
    pushed: dict[str, str] = {}
    make(*noise, "--compression", "gzip")
    small = make.place.also(DOCKLESS_CACHE_SIZE=STORED_BYTES, **make.place.account)
    for kind in ("gzip", "zstd"):
        target = ("--image", f"{HOST}/acme/shop:{kind}", *trust)
        said = make("push", archive, *target, "--compression", kind, program=small)
        pushed[kind] = said.strip().partition("@")[2]
    old = ("push", archive, "--image", f"{REFUSING}/acme/shop:1", *trust)
    apart = str(make.place.program.folder / "other")
    empty = make.place.also(DOCKLESS_CACHE_DIR=apart)
    make(*old, "--compression", "auto", program=empty, code=1)
    make.keep(make.place.program.folder / "other" / "links", "store/links")
    kept = make.place.store
    info = make("cache", "info").splitlines()[1:]
    shutil.copytree(kept, make.out / "store", dirs_exist_ok=True)
    expected = {"pushed": pushed, "info": info}
    (make.out / "expected.json").write_text(json.dumps(expected, indent=2) + "\n")


def mirrors(make: Maker) -> None:
    """Make receipts, and the store with the journal of a mirror that was killed."""
    trust = make.place.trust
    whole = ("mirror", "images", "--to", TO, *trust)
    slowly = (*whole, "--parallel", "1", "--rate", "8k", "--receipt", "unfinished.json")
    project, kept = make.place.program.project, make.place.store
    ran = make.place.also(**make.place.account)
    with ran.start(*slowly) as child:
        until(lambda: _arrived(kept, project / "unfinished.json"))
        child.kill()
    make.log(ran, slowly, "by SIGKILL, when two images had arrived")
    make.keep(kept / "journals", "interrupted/journals")
    make.keep(kept / "runs", "interrupted/runs")
    make(*whole, "--receipt", "finished.json")
    make(*whole, "--receipt", "unchanged.json")
    make("mirror", "images", "damaged", "--to", f"{HOST}/f", *trust, "--receipt", "failures.json",
         code=8)  # fmt: skip
    for part in (0, 1):
        cut = ("--shard", f"{part}/2", "--receipt", f"part-{part}.json")
        make("mirror", "images", "--to", f"{HOST}/p", *trust, *cut)
    names = ("unfinished", "finished", "unchanged", "failures", "part-0", "part-1")
    for name in names:
        make.keep(project / f"{name}.json", f"receipts/{name}.json")


def _arrived(kept: Path, receipt: Path) -> bool:
    lines = [line for path in kept.glob("journals/*") for line in path.read_text().splitlines()]
    there = len(lines) > 2
    return there and bool(json.loads(receipt.read_text())["images"])


def bundles(make: Maker) -> None:
    """Make a bundle as a folder, an archive and parts, and one of what is new since the first."""
    project = make.place.program.project
    create = ("bundle", "create", "-o")
    make(*create, "disk", "images")
    make(*create, "disk.tar", "images")
    make(*create, "parts.tar", "images", "--split", "30k")
    make(*create, "news", "images", "more", "--since", "disk/bundle.lock.json")
    for made in ("disk", "disk.tar", "news", *(path.name for path in project.glob("parts.tar.*"))):
        make.keep(project / made, f"bundles/{made}")


def logins(make: Maker) -> None:
    """Make the entries of keyrings, and the files that `dockless login` writes."""
    where, folder = make.place, make.place.program.folder
    entries, keys = folder / "entries.json", folder / "kernel.json"
    tests = Path(__file__).parents[1]
    ring = {"DOCKLESS_KEYRING": "bed.jsonring.JsonKeyring", "JSON_KEYRING": str(entries)}
    plain = where.also(PYTHONPATH=str(tests), **ring)

    def log_in(host: str, user: str, password: str, *more: str, program: Dockless = plain) -> None:
        who = ("--username", user, "--password-stdin")
        make("login", host, *who, *where.trust, *more, stdin=password, program=program)

    log_in(f"{HOST}/team", LOGIN.username, LOGIN.password)
    log_in(OPEN, "first", "1 first")
    log_in(OPEN, "second", "2 second")
    log_in(WITH_PORT, "third", "3 third")
    token = {"ServerURL": f"{OPEN}/token", "Username": "<token>", "Secret": "an identity token"}
    helper = plain.script("docker-credential-dockless")
    make("store", program=helper, stdin=json.dumps(token))
    script = "#!/bin/sh\necho '" + json.dumps(_ecr_answer()) + "'\n"
    (folder / "scripts").mkdir()
    (folder / "scripts" / "aws").write_text(script)
    (folder / "scripts" / "aws").chmod(0o755)
    (folder / "scripts" / "sitecustomize.py").write_text(
        "import sys\nsys.modules['boto3'] = None\n"
    )
    search = f"{folder}/scripts:{where.program.environment()['PATH']}"
    cloud = {"PATH": search, "PYTHONPATH": f"{folder}/scripts:{tests}"}
    with_cloud = replace(plain, extra={**plain.extra, **cloud})
    make("login", CLOUD, *where.trust, program=with_cloud)
    named = ("--namespace", "team", "--image", f"{HOST}/team/shop")
    configured = (*named, "--configure-docker", "--configure-containers")
    log_in(HOST, LOGIN.username, LOGIN.password, *configured)
    make.keep(where.program.project / "docker-config.json", "logins/docker-config.json")
    in_kernel = where.with_keys(None, keys)
    kernel = replace(in_kernel, extra={**in_kernel.extra, "DOCKLESS_KEYRING": "kernel-user"})
    log_in(HOST, LOGIN.username, LOGIN.password, program=kernel)
    held = where.with_keys(keys, keys)
    log_in(OPEN, "timed", "4 timed", "--ttl", LONG, program=replace(kernel, before=held.before))
    file = where.also(DOCKLESS_KEYRING="file", DOCKLESS_KEYRING_PASSWORD=PASSPHRASE)
    log_in(HOST, LOGIN.username, LOGIN.password, program=file)
    for path in (entries, keys):
        make.keep(path, f"logins/{path.name}")
    for part in ("home", "data", "config", "run"):
        for path in sorted((folder / part).rglob("*.*")):
            if path.is_file():
                make.keep(path, f"logins/{path.relative_to(folder)}")


def _ecr_answer() -> Mapping[str, object]:
    pair = base64.b64encode(f"AWS:{TOKEN}".encode()).decode()
    data = {"authorizationToken": pair, "expiresAt": "2099-01-01T00:00:00+00:00"}
    return {"authorizationData": [data]}


def tools(make: Maker) -> None:
    """Write down where `dockless tools install` puts an engine; the engine is too large to keep."""
    program, checksum = crane(), images.digest(crane().read_bytes()).partition(":")[2]
    own = make.place.also(DOCKLESS_TOOLS_DIR="")
    shutil.copy(program, own.project / "crane")
    make("tools", "install", "--from", "crane", "--sha256", checksum, program=own)
    data = own.folder / "data"
    found = [
        {"path": str(path.relative_to(data)), "mode": f"{path.stat().st_mode & 0o777:o}"}
        for path in sorted((data / "dockless").rglob("*"))
        if path.is_file()
    ]
    (make.out / "tools.json").write_text(json.dumps(found, indent=2) + "\n")


@contextlib.contextmanager
def refusing(folder: Path, certificates: Certificates) -> Iterator[str]:
    """Run a registry with TLS that refuses every manifest; yield its `host:port`."""
    (folder / "nginx").mkdir()
    (folder / "upstream").mkdir()
    invalid = refusal(400, "MANIFEST_INVALID", "manifest invalid", {})
    with (
        docker_registry(folder / "upstream") as registry,
        faulty(registry.host) as proxy,
        nginx(folder / "nginx", certificates, proxy.host) as host,
    ):
        proxy.faults.append(Fault("PUT", "/manifests/sha256:", invalid, 1_000))
        yield host


def main() -> None:
    """Make the fixture of this version."""
    out = Path(__file__).parent / f"v{__version__}"
    if out.exists():
        sys.exit(f"{out} is there, and what a version wrote is never made again.")
    with tempfile.TemporaryDirectory(prefix="compat-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        where = stack.enter_context(place(folder, dockless(folder / "dockless"), BOOT))
        host = stack.enter_context(refusing(folder, where.certificates))
        where.ways[f"{REFUSING}:443"] = host
        draft = folder / "made"
        make = Maker(where, draft)
        make_sources(folder / "sources", where.program.project)
        draft.mkdir()
        for path in ("images", "more"):
            make.keep(where.program.project / path, path)
        for step in (store, mirrors, bundles, logins, tools):
            step(make)
        versions = {
            "dockless": __version__,
            "commit": output(("git", "rev-parse", "HEAD")).strip(),
            "python": platform.python_version(),
            "boot": BOOT,
            "commands": make.said,
        }
        (draft / "made.json").write_text(json.dumps(versions, indent=2) + "\n")
        shutil.copytree(draft, out, symlinks=True)


if __name__ == "__main__":
    main()
