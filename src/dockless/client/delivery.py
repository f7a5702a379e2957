"""One image to one target, as the command line and the library push it."""

from collections.abc import Callable, Sequence

from dockless.client.session import Session
from dockless.config.naming import Target
from dockless.config.setting import Setting
from dockless.model import kinds
from dockless.model.plan import PushResult
from dockless.oci.platform import Platform
from dockless.oci.reference import Repository
from dockless.sources.archive import Candidate, select
from dockless.sources.opener import Opener
from dockless.sources.spec import SourceSpec


def deliver(work: Session, target: Target, choose: Callable[[Opener], Candidate]) -> PushResult:
    """Push one image to its target; its layers are sent while they are read.

    Args:
        work: The session.
        target: Where to.
        choose: Returns the image. It is called once the registry has answered, so that nothing is
            read or built for one that refuses.
    """
    work.expect(work.request(target))
    return work.push(target, choose(work.opener).open())


def chosen(opener: Opener, spec: SourceSpec, platform: Platform | None) -> Candidate:
    """Return the one image of a source that is meant.

    Raises:
        SourceError: The source is missing or damaged, or has none or several that could be meant.
    """
    return select(opener.images(spec, platform), spec.selector, spec.label)


def target_of(repository: Repository, tags: Sequence[str], origin: str) -> Target:
    """Return a target that is named as it is, by one origin."""
    return Target(
        Setting(kinds.infer(repository.host), origin),
        Setting(repository, origin),
        tuple(Setting(tag, origin) for tag in tags),
    )
