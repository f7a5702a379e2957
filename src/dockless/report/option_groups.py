"""The options of a command in groups with headings, for its help."""

from collections.abc import Iterable, Sequence
from typing import TypeVar

OptionHelp = TypeVar("OptionHelp")

_OTHER = "Other"
_GROUPS = {
    "Target": "--image --tag --to --registry --namespace --destination --as --strip-prefix --map "
    "--flatten --shard",
    "Source": "--all --build --file --source --sudo --platform --referrers --since --keep-going",
    "Login": "--username --password --password-stdin --allow-secret-commands",
    "Result": "--output --split --force --receipt --digest-file --format --timings",
    "Hosts": "--local --remote --servers --host --via --allow-different --accept-new-host-keys "
    "--allow-ssh-commands --fail-fast --max-failures --keep-engine --audit",
    "How images are pushed": "--engine --compression --manifest-format --create-repository "
    "--scan-on-push --immutable-tags",
    "Checks": "--dry-run --explain --immutable --verify --check-blobs --recheck-cache",
    "Connection to the registry": "--insecure --ca-file --cert-dir --insecure-realm",
    "Speed and limits": "--parallel --max-connections --rate --timeout --stall-timeout --retries "
    "--resume",
    _OTHER: "--quiet --debug --help --help-all",
}
_COMMON = (
    "--image --tag --to --registry --namespace --as --all --build --file --platform --since "
    "--keep-going --username --password --password-stdin --output --split --force --receipt "
    "--format --local --remote --servers --host --dry-run --explain --immutable --insecure --quiet "
    "--debug --help --help-all"
)


def grouped(
    options: Iterable[tuple[Sequence[str], OptionHelp]], *, whole: bool
) -> list[tuple[str, list[OptionHelp]]]:
    """Return the headings, each with what is shown of its options, in the order of the groups.

    Args:
        options: Each option: its names, such as `-o` and `--output`, and what is shown of it.
        whole: Whether all are shown, and not the common ones only. One that stands in no group is
            shown among the others then.
    """
    common = frozenset(_COMMON.split())
    order = {name: place for place, name in enumerate(" ".join(_GROUPS.values()).split())}
    heading = {name: key for key, names in _GROUPS.items() for name in names.split()}
    found: dict[str, list[tuple[int, OptionHelp]]] = {key: [] for key in _GROUPS}
    for names, shown in options:
        known = next((name for name in names if name in order), "")
        if whole or known in common:
            found[heading.get(known, _OTHER)].append((order.get(known, 0), shown))
    return [
        (key, [shown for _, shown in sorted(each, key=lambda one: one[0])])
        for key, each in found.items()
        if each
    ]
