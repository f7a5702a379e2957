"""What stands below the options in the help of each command: its sources, examples and notes."""

from collections.abc import Mapping

COMMANDS: Mapping[str, str] = {
    "push": "Push an image to a registry.",
    "mirror": "Push every image of many sources to one registry.",
    "bundle": "Create, verify and list bundles: many images in one file or folder.",
    "verify": "Check receipts of pushes and mirrors against the registry.",
    "hosts": "List the servers, and check what each one needs for a push.",
    "login": "Check a login, and store it in the OS keyring.",
    "logout": "Remove the logins for a registry.",
    "whoami": "List the logins of this machine.",
    "doctor": "Check for anything that may prevent a push.",
    "cache": "Show or prune the store of staged layers.",
    "tools": "Find, check and install the engines: crane and skopeo.",
    "completion": "Print what makes a shell complete the command line.",
}
"""Every command, with what it does."""

EPILOGS: Mapping[str, str] = {
    "dockless": """\b
Examples:
  dockless push --registry ghcr --namespace acme --tag v1.2.0
  dockless push image.tar --image registry.example.com/team/shop:v2
  dockless push --explain

\b
Exit codes:
  0 done, 1 failed, 2 usage or configuration, 3 source missing or invalid,
  4 not authenticated or not allowed, 5 a tag differs (--immutable), 6 network,
  7 engine missing or unable, 8 partly done, 70 internal error,
  130 interrupted, 143 terminated.
""",
    "push": """\b
SOURCE is one of:
  (nothing)            the local image that the target is named after
  shop:v2              an image of docker, podman, nerdctl or buildah
  image.tar            an archive of docker save, podman save or skopeo,
                       plain or compressed
  image.tar:shop:v2    one image of several in it; image.tar:@0 is the first
  layout/  layout:v2   an OCI layout
  -                    an archive on standard input
  docker-daemon:  docker-archive:  oci:  oci-archive:  dir:  containers-storage:
                       the same as for skopeo

\b
Examples:
  dockless push --registry ghcr --namespace acme --tag v1.2.0 --tag stable
  dockless push image.tar --image registry.example.com/team/shop:v2
  docker save shop:dev | dockless push - --image localhost:5000/shop:dev
  pass show hub | dockless push --username me --password-stdin
  dockless push shop:dev --image ghcr.io/acme/shop:dev --dry-run
  dockless push --explain
  dockless push --remote --servers 1,3-5 --tag v2
  dockless push --remote --host me@build1 --source shop:dev --image ghcr.io/acme/shop:dev

Settings come from the command line, DOCKLESS_* variables, config/deploy.yml and
docker-config.json, in this order. stdout carries REPOSITORY@DIGEST only.
""",
    "mirror": """\b
SOURCE is a bundle, an OCI layout or archive, an archive of docker save or podman
save, a folder of these, an image of docker or podman, or docker://REGISTRY/IMAGE.

\b
Examples:
  dockless mirror /media/usb/images --to registry.inside:5000/mirror
  dockless mirror bundle.tar --to registry.inside --strip-prefix docker.io/library
  dockless mirror images/ --to registry.inside --map 'docker.io/library/*=base/*'
  dockless mirror docker://ghcr.io/acme/shop:v2 --to registry.inside
  dockless mirror -f images.txt --to registry.inside --receipt receipt.json
  dockless mirror images/ --to registry.inside --shard auto/4

An image keeps its path and loses its registry's host, unless a rule changes
it. Images that are already there and equal are skipped, so an interrupted
mirror is simply run again.
""",
    "bundle": """\b
Examples:
  dockless bundle create -o disk.tar -f images.txt
  dockless bundle verify disk.tar
  dockless bundle list disk.tar
  dockless mirror disk.tar --to registry.inside
""",
    "bundle create": """\b
SOURCE is what `dockless mirror` takes, docker://REGISTRY/IMAGE included.
OUT is the path of a folder (an OCI layout) or of a file that ends in .tar, or - for
standard output.

\b
Examples:
  dockless bundle create -o disk/ docker://ghcr.io/acme/shop:v2 shop.tar
  dockless bundle create -o disk.tar -f images.txt --split 4G
  dockless bundle create -o - shop.tar | ssh inside tar -xC /srv/images
  dockless bundle create -o news.tar -f images.txt --since disk/bundle.lock.json
""",
    "verify": """\b
Examples:
  dockless verify receipt.json
  dockless verify --deep receipt.json
  dockless verify part-*.json --merge receipt.json

\b
Exit codes:
  0 everything that was to be mirrored is there, 8 some of it is not, or the receipt
  itself records failures.
""",
    "hosts": """\b
Servers come from config/deploy.yml, else deploy-servers.txt, else
deploy-servers.json. The numbers are those of --servers.

\b
Examples:
  dockless hosts
  dockless hosts --check
  dockless hosts --check --servers 1,3-5 --format json
  dockless hosts --check --timeout 1m
  dockless hosts --check --host me@build1 --image ghcr.io/acme/shop:v2
""",
    "login": """\b
HOST is a registry, such as ghcr.io or registry.example.com:5000, or a namespace
in one, such as ghcr.io/acme. Without it: the registry of config/deploy.yml or
docker-config.json, else Docker Hub.

\b
Examples:
  dockless login
  dockless login ghcr.io --username me
  pass show registry | dockless login registry.example.com --username me --password-stdin
  dockless login 123456789012.dkr.ecr.eu-west-1.amazonaws.com
  dockless login europe-docker.pkg.dev --key-file ~/keys/pusher.json
  dockless login registry.example.com --keyring kernel --ttl 8h
  dockless login ghcr.io --configure-docker

\b
Keyrings: secret-service, macos, kernel, kernel-user, file (encrypted; needs
the extra `file`), or MODULE.CLASS of the keyring library. Without --keyring and
DOCKLESS_KEYRING the first available one, never the file.
""",
    "logout": """\b
HOST is as in `dockless login`. Without it: the registry of config/deploy.yml or
docker-config.json, else Docker Hub.

\b
Examples:
  dockless logout
  dockless logout ghcr.io
  dockless logout registry.example.com --username ci
  dockless logout --all
""",
    "whoami": """\b
Examples:
  dockless whoami
  dockless whoami ghcr.io
  dockless whoami --format json
""",
    "doctor": """\b
Without --write nothing is written anywhere, no daemon or keyring is started,
and no dialog is opened. With it, an entry is written to the keyring and deleted
again, two files are made in the cache, and in a registry that was given one
upload is begun in REPOSITORY (else dockless-doctor, with your namespace on
Docker Hub and ghcr.io) and cancelled. Exit code 0 when nothing is wrong, else 1.

\b
Examples:
  dockless doctor
  dockless doctor ghcr.io
  dockless doctor registry.example.com:5000/team/app --write --ca-file ca.pem
  dockless doctor --format json | jq '.diagnosis.findings[] | select(.state != "ok")'
""",
    "cache": """\b
Examples:
  dockless cache info
  dockless cache prune
  dockless cache prune --all
  dockless cache info --format json
""",
    "completion": """\b
Examples:
  dockless completion bash >> ~/.bashrc
  dockless completion zsh >> ~/.zshrc
  dockless completion fish > ~/.config/fish/completions/dockless.fish
  eval "$(dockless completion)"
""",
    "tools": """\b
Examples:
  dockless tools list
  dockless tools install
  "$(dockless tools path)" registry serve --address 127.0.0.1:5000
""",
    "tools list": """\b
Examples:
  dockless tools list
  dockless tools list --check
  dockless tools list --format json | jq -r '.engines[].state'
""",
    "tools install": """\b
Examples:
  dockless tools install
  dockless tools install --force
  dockless tools install --from go
On a machine without a network:
  dockless tools install --from crane.tar.gz --sha256 "$(cut -d' ' -f1 crane.sha256)"
""",
    "tools path": """\b
Examples:
  dockless tools path
  "$(dockless tools path skopeo)" --version
  dockless tools path --all
""",
}
"""By the command, with its group."""
