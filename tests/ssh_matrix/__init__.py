"""What `ssh HOST` does and what dockless does, in the same set-ups."""
