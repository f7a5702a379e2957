"""Choosing and preparing the engine of one push."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import platformdirs

from dockless.cli.options import PushOptions
from dockless.credentials.authfile import authfile, docker_key
from dockless.credentials.memory import in_memory
from dockless.engines.adapters import Access, Crane, Skopeo
from dockless.engines.find import own_folder
from dockless.engines.probe import select
from dockless.engines.runner import Limits, Runner
from dockless.model.endpoint import Endpoint
from dockless.model.errors import EngineError
from dockless.model.secret import Credential
from dockless.ports import Engine


def engine(
    options: PushOptions,
    endpoint: Endpoint,
    credential: Credential | None,
    home: Path,
    until: float | None,
) -> Engine:
    """Return the engine to push with.

    Args:
        options: Which one is asked for.
        endpoint: The registry.
        credential: Who we are there.
        home: A private folder for the engine.
        until: When to give up.

    Raises:
        EngineError: There is none that can do it.
    """
    runner = Runner(os.environ, home, endpoint.host, Limits(until, options.stall_timeout))
    choices = {
        "crane": partial(_crane, runner, endpoint, credential),
        "skopeo": partial(_skopeo, runner, endpoint, credential),
    }
    if options.engine != "auto":
        return choices[options.engine]()
    return _first(tuple(choices.values()))


def _first(choices: tuple[Callable[[], Engine], ...]) -> Engine:
    reasons = []
    for choice in choices:
        try:
            return choice()
        except EngineError as error:
            reasons.append(error.what)
    raise EngineError(" ".join(reasons), "Run 'dockless tools install' to get crane.")


def _crane(runner: Runner, endpoint: Endpoint, credential: Credential | None) -> Engine:
    if endpoint.trust.client_cert:
        raise EngineError(
            "crane cannot use client certificates.", "Install skopeo, or use --engine auto."
        )
    found = select("crane", _own_folder(), os.environ)
    auth = partial(in_memory, authfile(docker_key(endpoint.host), credential))
    return Crane(found.path, runner, Access(endpoint, auth, credential is None))


def _skopeo(runner: Runner, endpoint: Endpoint, credential: Credential | None) -> Engine:
    found = select("skopeo", _own_folder(), os.environ)
    auth = partial(in_memory, authfile(endpoint.host, credential))
    return Skopeo(found.path, runner, Access(endpoint, auth, credential is None), found.policy)


def _own_folder() -> Path:
    return own_folder(os.environ, platformdirs.user_data_path("dockless"))
