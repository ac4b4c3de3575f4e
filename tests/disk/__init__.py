"""Power cuts of the disk: what was written is recorded, and legal disks after a cut are rebuilt and judged."""
