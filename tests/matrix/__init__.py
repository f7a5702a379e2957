"""Real engines, registries and container tools, each with each; docs/compatibility.md shows it."""
