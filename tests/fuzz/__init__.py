"""Hostile bytes against both ends of the serial link: no exception, no growth, and no frame taken that was not on the line."""
