"""The demonstration: the whole line as real processes, through one day."""
