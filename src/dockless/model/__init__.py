"""The values that travel between the rooms, and every error. Standard library only."""
