"""Writing bundles, step by step."""
