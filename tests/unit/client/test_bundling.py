"""The registries of a bundle's sources."""

from pathlib import Path

from dockless.client.bundling import registries
from dockless.model.listed import Listed, SyncItem, SyncRegistry
from dockless.model.secret import Credential, Secret


def test_the_registries_of_sources_are_those_without_a_login_of_their_own(tmp_path: Path) -> None:
    login = Credential(username="me", password=Secret("x"))
    own = SyncItem(
        registry=SyncRegistry(host="own.example", credential=login),
        repository="own.example/a",
        origin="",
        named=("1",),
    )
    none = SyncItem(
        registry=SyncRegistry(host="none.example"),
        repository="none.example/a",
        origin="",
        named=("1",),
    )
    texts = ("docker://one.example:5000/a:1", "docker://a:1", "docker://", "shop.tar", "a/b:1")
    listed = (
        *(Listed(text=text) for text in texts),
        Listed(text="", origin="", wanted=own),
        Listed(text="", origin="", wanted=none),
    )
    found = set(registries(listed, tmp_path))
    assert found == {"one.example:5000", "docker.io", "none.example"}
