"""The checks of `dockless doctor`: what may stop a push, looked at without changing it."""
