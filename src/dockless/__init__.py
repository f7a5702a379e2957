"""Push container images to registries without a logged-in Docker daemon, or any daemon."""

__version__ = "0.1.0"
