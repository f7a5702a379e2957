"""The cases of more than one machine: a slow link, a host over SSH, and a mirror of many images."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from bed.docker import docker
from bed.hosts import Traits, host, network
from bed.tools import tools_folder
from benchmarks import mirror as family
from benchmarks.delay import far
from benchmarks.images import NAME
from benchmarks.lab import DOCKLESS, Lab, faster
from benchmarks.measure import alternate, median, run
from benchmarks.results import Case

_ONE_WAY_MILLISECONDS = 25
_BYTES_A_SECOND = 100_000_000 // 8


def slow_link(lab: Lab) -> Iterator[Case]:
    """Measure a registry behind 100 Mbit/s and a round trip of 50 ms."""
    port = lab.registry.host.partition(":")[2]
    with (
        lab.room("slow") as folder,
        far(port, _ONE_WAY_MILLISECONDS, _BYTES_A_SECOND) as there,
    ):
        made, _ = lab.usual(folder)
        away = replace(lab, host=there)
        peers = (
            away.ours(made.path, "--insecure", "--compression", "auto"),
            away.skopeo(f"docker-archive:{made.path}"),
        )
        limit = away.limit([layer.path for layer in made.layers], "zstd")
        case = lab.measure("100 Mbit/s and 50 ms to the registry, 500 MB", peers, made, limit)
        case.targets.append(faster(case, "skopeo", 0.85))
        yield case


def relay(lab: Lab) -> Iterator[Case]:
    """Measure an image of a host that has no engine and does not reach the registry."""
    if os.geteuid():
        print("The push from a host is left out: its network namespace needs root.")
        return
    with lab.room("relay") as folder, ExitStack() as stack:
        made, _ = lab.usual(folder)
        bridge = stack.enter_context(network())
        (lab.folder / "near").mkdir()
        daemon = stack.enter_context(docker(lab.folder / "near"))
        daemon.run("load", "--input", made.path)
        ssh = lab.program.home / ".ssh"
        ssh.mkdir(mode=0o700)
        key = ssh / "id_ed25519"
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key), check=True)
        traits = Traits(docker=daemon.socket, programs=tools_folder())
        public = key.with_suffix(".pub").read_text()
        there = stack.enter_context(host(lab.folder / "host", bridge, 0, traits, public))
        (ssh / "known_hosts").write_text(there.known())
        options = f"-i {key} -o UserKnownHostsFile={ssh / 'known_hosts'} -o BatchMode=yes"
        script = folder / "skopeo.sh"
        script.write_text(  # skopeo 1.9 reads no docker-archive from a pipe
            f"ssh {options} {there.target} docker save {NAME} >{folder}/saved.tar\n"
            "skopeo --insecure-policy copy --quiet --dest-tls-verify=false "
            f"docker-archive:{folder}/saved.tar docker://{lab.reference('skopeo')}\n"
        )
        push = (DOCKLESS, "push", "--remote", "--host", there.target, "--via", "relay",
                "--source", NAME, "--image", lab.reference("dockless"), "--insecure")  # fmt: skip
        peers = (lab.contender("dockless", *push), lab.contender("skopeo", "sh", script))
        save = lab.contender("save", "ssh", *options.split(), there.target, "docker", "save", NAME)
        saved = median(alternate([save], lab.rounds)["save"])
        with lab.room("limit") as room:
            sent = lab.limit_of_upload(room, [layer.path for layer in made.layers], "gzip")
        yield lab.measure("relay of 500 MB from a host's Docker", peers, made, saved + sent)


def mirror(lab: Lab) -> Iterator[Case]:
    """Measure sixty images that share much, from one layout, beside a loop."""
    with lab.room("mirror") as folder:
        source, names = lab.make(family.images_of_families, folder)
        argv = (
            DOCKLESS,
            "mirror",
            source,
            "--to",
            lab.registry.host,
            "--insecure",
            "--parallel",
            "8",
        )
        loop = family.loop(folder, source, names, lab.registry.host, 1)
        peers = (lab.contender("dockless", *argv), lab.contender("skopeo", *loop))
        case = Case("mirror of 60 images, 600 MB", limit=lab.limit_of_layout(source))

        def look(name: str) -> None:
            family.check(source, lab.registry, "" if name == "dockless" else "loop/")

        for each in peers:
            case.peaks[each.name] = run(each).peak
            look(each.name)
        case.seconds.update(alternate(peers, lab.rounds, look))
        print(case.shown(), flush=True)
        case.targets.append(faster(case, "skopeo", 0.8))
        yield case
