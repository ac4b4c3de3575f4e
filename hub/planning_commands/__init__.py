"""Commands that read a file as the hub would: looked at (`import --dry-run`, `plan`), or taken in (`import`)."""
