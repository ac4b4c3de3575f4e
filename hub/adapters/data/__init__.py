"""Data that ships with the hub: code tables, settings of sources, and an authored sample day."""
