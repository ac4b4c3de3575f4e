"""Simulated hardware and people; processes of their own that import nothing of the product."""
