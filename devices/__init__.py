"""Hub-side drivers: packager, label printer, camera."""
