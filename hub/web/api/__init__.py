"""The HTTP API of docs/api.md, by audience."""
