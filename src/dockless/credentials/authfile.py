"""The authfile from which an engine reads its credential, by containers-auth.json(5)."""

import json

from dockless.model.secret import Credential, Secret, remember
from dockless.oci.reference import DOCKER_HUB

_DOCKER_HUB_KEY = "https://index.docker.io/v1/"


def docker_key(host: str) -> str:
    """Return the name of a registry in Docker's own files; for Docker Hub that is an old URL.

    crane and the credential helpers use it, while skopeo wants the host itself.
    """
    return _DOCKER_HUB_KEY if host == DOCKER_HUB else host


def authfile(key: str, credential: Credential | None) -> Secret:
    """Return an authfile with one entry, or with none for an anonymous push.

    One entry only, because crane takes an entry for `host/other` to hold for all of the host.

    Args:
        key: The registry as the engine looks it up: its host, or `docker_key` of it for crane.
        credential: The credential.
    """
    remember(credential)
    return Secret(json.dumps({"auths": {key: _entry(credential)} if credential else {}}))


def _entry(credential: Credential) -> dict[str, str]:
    if credential.registry_token is not None:
        return {"registrytoken": credential.registry_token.reveal()}
    if credential.identity_token is None:
        return {"auth": credential.basic().reveal()}
    # skopeo ignores an identity token without a user, so there is always one.
    user = Credential(username=credential.username or "<token>", password=Secret(""))
    return {
        "auth": user.basic().reveal(),
        "identitytoken": credential.identity_token.reveal(),
    }
