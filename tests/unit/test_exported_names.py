"""The library's names: what is public, where it comes from, and that nothing hides it."""

import importlib
import importlib.metadata
import inspect
import pkgutil
import subprocess
import sys
from types import ModuleType

import pytest

import dockless

# a name that goes is warned of for one minor version first
NAMES = {
    "AuthError",
    "BlobPlan",
    "Client",
    "ConflictError",
    "Content",
    "Credential",
    "Descriptor",
    "Difference",
    "Digest",
    "DocklessError",
    "EngineError",
    "Image",
    "ImmutableTagError",
    "ManifestRefusedError",
    "MirrorOptions",
    "MirrorResult",
    "MirroredImage",
    "NetworkError",
    "PartialError",
    "Plan",
    "Platform",
    "PolicyError",
    "Progress",
    "ProgressEvent",
    "PushError",
    "PushOptions",
    "PushResult",
    "Reference",
    "Repository",
    "RepositoryMissingError",
    "Secret",
    "SourceError",
    "TagPlan",
    "Task",
    "UsageError",
    "VerifyResult",
    "Writers",
    "__version__",
    "mirror",
    "open_image",
    "push",
    "verify",
}
FUNCTIONS = ("mirror", "open_image", "push", "verify")
ALL_SUBMODULES = """
import importlib, pkgutil, dockless
for module in pkgutil.walk_packages(dockless.__path__, "dockless."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
for name in dockless.__all__:
    print(name, type(getattr(dockless, name)).__name__)
"""


def test_the_exported_names_are_these() -> None:
    assert set(dockless.__all__) == NAMES
    assert list(dockless.__all__) == sorted(dockless.__all__)
    assert set(dockless.__all__) <= set(dir(dockless))


def test_every_exported_name_is_there_and_documented() -> None:
    for name in dockless.__all__:
        found = getattr(dockless, name)
        assert name == "__version__" or inspect.getdoc(found), name


def test_type_checkers_see_the_same_names() -> None:
    """The imports for type checkers and the table of modules say the same."""
    source = inspect.getsource(dockless)
    for name in NAMES - {"__version__"}:
        module = dockless._HOMES[name]
        block = source.partition(f"    from dockless.{module} import ")[2].partition("\n    from")[
            0
        ]
        names = block.replace("(", " ").replace(")", " ").replace(",", " ").split()
        assert name in names, f"{name} is not imported from {module}"
    assert set(dockless._HOMES) == NAMES - {"__version__"}


def test_what_is_not_exported_is_an_attribute_error() -> None:
    assert not hasattr(dockless, "Session")


def test_no_package_or_module_is_called_like_an_exported_name() -> None:
    modules = {each.name for each in pkgutil.iter_modules(dockless.__path__)}
    assert not modules & NAMES


def test_importing_every_submodule_hides_no_exported_name() -> None:
    done = subprocess.run(
        (sys.executable, "-c", ALL_SUBMODULES), capture_output=True, check=True, timeout=120
    )
    kinds = dict(line.split() for line in done.stdout.decode().splitlines())
    assert kinds.keys() == NAMES
    assert "module" not in kinds.values()
    assert {kinds[name] for name in FUNCTIONS} == {"function"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_a_function_after_its_module_is_imported(name: str) -> None:
    importlib.import_module("dockless.client.calls")
    assert not isinstance(getattr(dockless, name), ModuleType)
    assert callable(getattr(dockless, name))


def test_everything_but_what_is_pushed_is_given_by_keyword() -> None:
    for function, by_position in (
        (dockless.push, {"source", "target"}),
        (dockless.Client.push, {"self", "source", "target"}),
        (dockless.mirror, {"sources", "target"}),
        (dockless.Client.mirror, {"self", "sources", "target"}),
        (dockless.open_image, {"source"}),
        (dockless.Client, set()),
        (dockless.PushOptions, set()),
        (dockless.MirrorOptions, set()),
        (dockless.MirrorResult, set()),
        (dockless.MirroredImage, set()),
    ):
        parameters = inspect.signature(function).parameters.values()
        found = {each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD}
        assert found == by_position, function


def test_the_version_is_that_of_the_package() -> None:
    assert dockless.__version__ == importlib.metadata.version("dockless")
