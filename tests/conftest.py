"""What holds for all tests."""

from hypothesis import settings

# Machines are shared: no example fails because it was slow. CI's own profile stays beneath.
settings.register_profile("unhurried", parent=settings.default, deadline=None)
settings.load_profile("unhurried")
