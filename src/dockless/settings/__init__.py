"""What the command line, the environment and the project's files say, and the target of it all."""
