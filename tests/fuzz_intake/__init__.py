"""Hostile files into every reader of intake: no exception but a refusal, a reason each time, and every line with a name."""
