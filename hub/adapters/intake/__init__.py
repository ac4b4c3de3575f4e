"""Intake: the formats in which orders, changes, drugs and stock reach the hub, read into values of the domain."""
