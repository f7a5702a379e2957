"""Child processes other than the engines: container tools, credential helpers, git."""
