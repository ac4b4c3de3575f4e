"""Replays, the hand-checked lines and the fitted ward clock of the hospital's fortnight."""
