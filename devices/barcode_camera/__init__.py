"""The camera over the pouch station: its stream, its codes, what lies in the pouch; it observes and judges nothing."""
