"""Simulated people: technicians and nurses who hold the physical world and act through the hub's own HTTP API."""
