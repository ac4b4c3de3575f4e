"""Dose labels: documents in millimetres, symbols, one-bit rasters; pure."""
