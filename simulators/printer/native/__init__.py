"""A label printer that speaks the prints of docs/mqtt.md itself: the same mechanism, without ESC/POS on a cable and a bridge."""
