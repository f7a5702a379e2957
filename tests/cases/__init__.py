"""Small inputs on which dockless failed when they were written; see `expected.toml`."""
