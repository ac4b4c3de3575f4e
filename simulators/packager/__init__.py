"""The simulated packaging machine: its mechanics, its firmware speaking PPL/1, and the process around them."""
