"""The authfile from which an engine reads its credential, by containers-auth.json(5)."""

import json

from dockless.model.secret import Credential, Secret, remember
from dockless.oci.reference import docker_key


def authfile(engine: str, host: str, credential: Credential | None) -> Secret:
    """Return an authfile with one entry, or with none for an anonymous push.

    One entry only, because crane takes an entry for `host/other` to hold for all of the host.

    Args:
        engine: `crane`, which looks up Docker's name of the registry, or `skopeo`.
        host: The registry.
        credential: The credential.
    """
    remember(credential)
    key = docker_key(host) if engine == "crane" else host
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
