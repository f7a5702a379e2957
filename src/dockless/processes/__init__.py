"""Child processes other than the engines, the signals and the time limit of this one."""
