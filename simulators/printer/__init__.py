"""The simulated ESC/POS label printer."""
