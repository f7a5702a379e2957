"""Settings: the command line, the environment and the project's files, and the target of it all."""
