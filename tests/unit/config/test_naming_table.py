"""Every combination of what names the image and its tag, by the written rules."""

import itertools
import json
from pathlib import Path

import pytest
from msgspec import Struct

from dockless.config.cascade import Flags, resolve
from dockless.config.local_names import local_candidates
from dockless.config.naming import target
from dockless.config.project import Project, read
from dockless.errors import UsageError
from dockless.oci.reference import Name

HOST = "r.example:5000"


class Given(Struct, frozen=True, kw_only=True):
    """What was typed, and what files have; empty where nothing."""

    source: str
    option: str
    variable: str
    deploy: str
    session: str
    tag: str
    tag_variable: str


def is_full(name: str) -> bool:
    return name.startswith(HOST)


def parts(name: str) -> tuple[str, str]:
    """Return repository and tag; a tag follows the last colon after the last slash."""
    folder, slash, last = name.rpartition("/")
    path, _, tag = last.partition(":")
    return folder + slash + path, tag


def used(given: Given) -> str:
    """Return which setting names the repository."""
    if given.option:
        return "option"
    if is_full(given.source):  # counts as --image
        return "source"
    for each in ("variable", "deploy", "session", "source"):
        if getattr(given, each):
            return each
    return ""


def expected(given: Given) -> str:
    """Return the target by the rules; an empty text for a usage error."""
    by = used(given)
    repository, own = parts(getattr(given, by)) if by else ("shop", "")
    repository = repository if is_full(repository) else f"{HOST}/{repository}"
    if given.tag:
        said_twice = by == "option" and own not in ("", given.tag)
        return "" if said_twice else f"{repository}:{given.tag}"
    if by == "option" and own:
        return f"{repository}:{own}"
    if given.tag_variable:
        said_twice = by == "variable" and own not in ("", given.tag_variable)
        return "" if said_twice else f"{repository}:{given.tag_variable}"
    if by == "variable" and own:
        return f"{repository}:{own}"
    return f"{repository}:{parts(given.source)[1] or own or 'latest'}"


def found(project: Project, given: Given) -> tuple[str, tuple[str, ...]]:
    """Return the target of dockless, and where it looks for a local image."""
    environment = {"DOCKLESS_IMAGE": given.variable, "DOCKLESS_TAG": given.tag_variable}
    flags = Flags(image=given.option or None, tags=(given.tag,) if given.tag else ())
    source = Name.parse(given.source) if given.source else None
    try:
        settings = resolve(flags, environment, project)
        place = target(settings, source)
    except UsageError:
        return "", ()
    [reference] = place.references
    return str(reference), () if source else local_candidates(settings, place)


@pytest.fixture(params=["", f"{HOST}/d/dep", f"{HOST}/d/dep:d1"])
def deploy(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    image: str = request.param
    lines = ["name: shop", f"registry: {{server: '{HOST}'}}", *([f"image: {image}"] * bool(image))]
    (tmp_path / "config").mkdir()
    (tmp_path / "config/deploy.yml").write_text("\n".join(lines))
    return image


@pytest.fixture(params=["", f"{HOST}/n/ses", f"{HOST}/n/ses:n1"])
def session(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    image: str = request.param
    if image:
        text = json.dumps({"registry": "private", "image": image})
        (tmp_path / "docker-config.json").write_text(text)
    return image


def combinations(deploy: str, session: str) -> list[Given]:
    names = itertools.product(
        ("", f"{HOST}/s/src", f"{HOST}/s/src:s1", f"{HOST}/e/env:s1", "src", "src:s1"),
        ("", f"{HOST}/o/opt", f"{HOST}/o/opt:o1"),
        ("", f"{HOST}/e/env", f"{HOST}/e/env:e1"),
        ("", "t1", "o1"),
        ("", "v1", "e1"),
    )
    return [
        Given(
            source=source,
            option=option,
            variable=variable,
            deploy=deploy,
            session=session,
            tag=tag,
            tag_variable=tag_variable,
        )
        for source, option, variable, tag, tag_variable in names
    ]


def test_a_target_is_what_the_rules_say(tmp_path: Path, deploy: str, session: str) -> None:
    every, project = combinations(deploy, session), read(tmp_path, {}, None)
    assert [(each, found(project, each)[0]) for each in every] == [
        (each, expected(each)) for each in every
    ]


def test_an_image_that_was_typed_is_looked_for_with_its_own_tag(
    tmp_path: Path, deploy: str, session: str
) -> None:
    """The tag that is typed is the target's: it names the local image where that has none."""
    project = read(tmp_path, {}, None)
    for each in combinations(deploy, session):
        by = used(each)
        place, names = found(project, each)
        if each.source or by not in ("option", "variable") or not place:
            continue
        repository, own = parts(getattr(each, by))
        tag = own or each.tag or each.tag_variable or "latest"
        path = repository.removeprefix(f"{HOST}/")
        last = path.rpartition("/")[2]
        assert names == (f"{repository}:{tag}", f"{path}:{tag}", f"{last}:{tag}"), each
