"""The test bed: real registries, daemons and images, and what makes them misbehave."""
