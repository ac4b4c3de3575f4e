"""For all tests: no property test has a deadline, because these machines are shared; what is timed is timed by `make bench`."""

from hypothesis import settings

settings.register_profile("dosehub", deadline=None)
settings.load_profile("dosehub")
