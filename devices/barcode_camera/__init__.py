"""The camera over the pouch station: its stream, its codes, what lies in the pouch; it observes and judges nothing."""

from devices.barcode_camera.codes import CodeRead
from devices.barcode_camera.decode import read_codes

__all__ = ["CodeRead", "read_codes"]
