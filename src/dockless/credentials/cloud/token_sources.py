"""The sources of tokens that each kind of registry has of its own."""

import hashlib
import re
from collections.abc import Mapping

from dockless.credentials.token_source import TokenSource
from dockless.model import kinds

# what says in whose name AWS, Google, Azure and GitHub act; what is secret in it is left out
_TELLING = re.compile(r"(AWS|GOOGLE|CLOUDSDK|AZURE|GITHUB|GH)_\w+")
_SECRET = re.compile(r"SECRET|TOKEN$|PASSWORD|CREDENTIALS_JSON")


def of_kind(host: str, environment: Mapping[str, str]) -> tuple[TokenSource, ...]:
    """Return the sources of tokens that the kind of this registry has of its own."""
    kind = kinds.infer(host)
    if kind is kinds.ECR:
        from dockless.credentials.cloud import aws  # noqa: PLC0415 - for one kind

        return aws.token_sources(host, environment)
    if kind is kinds.GCR:
        from dockless.credentials.cloud import google  # noqa: PLC0415 - the same

        return google.token_sources(environment)
    if kind is kinds.ACR:
        from dockless.credentials.cloud import azure  # noqa: PLC0415 - the same

        return azure.token_sources(host, environment)
    if kind is kinds.GHCR:
        from dockless.credentials.cloud import github  # noqa: PLC0415 - the same

        return github.token_sources(environment)
    return ()


def identity(environment: Mapping[str, str]) -> str:
    """Return a word that differs when the environment names another account or profile."""
    named = sorted(
        (name, value)
        for name, value in environment.items()
        if _TELLING.fullmatch(name) and not _SECRET.search(name)
    )
    return hashlib.sha256(repr(named).encode(errors="surrogateescape")).hexdigest()[:16]
