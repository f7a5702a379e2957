"""The words with which registries refuse to change a tag, and to store more."""

import re

MAY_PROTECT_A_TAG = frozenset({400, 403, 405, 409, 412, 422, 423, 428})
"""HTTP statuses with which registries refuse to move a tag, among other things; they agree on none.

ECR has 400, GitLab and Nexus 403 or 400, Harbor 412, Google 400, Azure 405, others 409 and 423. No
registry has 401, 404, 415 or 418 for it.
"""

# compiled when they are needed, which takes milliseconds and is rare
_IMMUTABLE = (
    # ECR, Harbor, Google Artifact Registry, GitLab, Azure
    r"immutab|cannot be (?:overwritten|updated)|already exists|write[ -]?enabled|is locked"
    # Nexus
    r"|not allow (?:updating|redeploying)|redeploy"
    # Artifactory
    r"|delete/overwrite|overwrit(?:e|ing) (?:is|of)|not allowed to overwrite"
)
_LOCKED = r"is locked|write[ -]?enabled"
_QUOTA = (
    r"quota"
    # Harbor, with the bytes that would be added
    r"|upper limit|hard limit|(?:storage|usage|space|plan|account)\W+(?:\w+\W+){0,3}limit"
    # DigitalOcean
    r"|(?:repositor(?:y|ies)|images|tags)\W+(?:\w+\W+){0,3}limit\b"
    r"|limit\W+(?:\w+\W+){0,4}(?:repositories|images|tags|storage)"
    # Artifactory and its like, from the disk itself
    r"|no space left|(?:insufficient|not enough|out of) (?:\w+ )?(?:storage|space)"
    r"|(?:storage|disk)\W+(?:\w+\W+){0,4}(?:full|exhausted|too high|exceeded)"
    r"|exceed(?:s|ed|ing)?\W+(?:\w+\W+){0,4}(?:storage|disk)\b|payment required"
)


def speaks_of_overwriting(text: str) -> bool:
    """Whether a registry's own words say that an existing tag must not be changed."""
    return bool(re.search(_IMMUTABLE, text.lower()))


def speaks_of_locks(text: str) -> bool:
    """Whether those words are of a lock, which may be a tag's, a repository's or a package's."""
    return bool(re.search(_LOCKED, text.lower()))


def speaks_of_quota(text: str) -> bool:
    """Whether a registry's own words say that it has no room, or must not store more."""
    return bool(re.search(_QUOTA, text.lower()))
