"""The firmware bridge: MQTT on one side, framed serial bytes on the other."""
