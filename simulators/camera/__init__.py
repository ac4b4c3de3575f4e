"""The simulated camera: draws the pouch that lies in the station and sends it as an MJPEG stream."""
