"""The checks of `dockless doctor`: anything that may prevent a push, without changing it."""
