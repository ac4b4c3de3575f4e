"""The domain: rules as pure functions over frozen values; no clock, no IO, no third party."""
