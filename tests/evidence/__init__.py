"""Slow evidence, run by `make system`; its results are kept in docs/evidence/."""
