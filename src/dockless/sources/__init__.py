"""Where images come from: container tools, archives, OCI layouts, and standard input."""
