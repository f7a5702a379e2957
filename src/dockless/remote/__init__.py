"""Machines over SSH: how to get there, what they have, and programs that run there."""
