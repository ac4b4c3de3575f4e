"""Benchmarks: each figure is printed beside a bare limit program that was measured in the same run."""
