"""The whole plant as real processes."""
