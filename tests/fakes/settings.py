"""Settings of a push, as `config.cascade.resolve` would return them."""

from dockless.config.cascade import Settings
from dockless.config.setting import Setting
from dockless.model import kinds
from dockless.oci.reference import Name


def settings(
    registry: str = "",
    image: str = "",
    tags: tuple[str, ...] = (),
    *,
    username: str = "",
    namespace: str = "",
    server: str = "",
    project: str = "shop",
    image_origin: str = "--image",
) -> Settings:
    """Return settings with what is given; the project's name comes from its folder."""
    return Settings(
        project=lambda: Setting(project, "folder name"),
        registry=Setting(kinds.named(registry), "--registry") if registry else None,
        image=Setting(Name.parse(image), image_origin) if image else None,
        tags=tuple(Setting(tag, "--tag") for tag in tags),
        username=Setting(username, "--username") if username else None,
        namespace=Setting(namespace, "--namespace") if namespace else None,
        server=Setting(server, "config/deploy.yml:2") if server else None,
    )
