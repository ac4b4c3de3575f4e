"""A packager that speaks the contract of docs/mqtt.md itself: the same firmware, without a serial line and a bridge."""
