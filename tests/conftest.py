"""What every test may use; the fixtures of the database are in `tests/database.py`."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.database"]

# No deadline: how long one example takes says more about the machine than about the rule.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True)
settings.register_profile("long", parent=settings.get_profile("dev"), max_examples=2000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev")
)
