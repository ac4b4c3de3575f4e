"""The use cases: load, decide, append, commit; one file each."""
