"""A history of sheets and changes run again through the real services and a real store, with a stepped clock and no machines."""
