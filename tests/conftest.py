"""What every test may use; the fixtures of the database are in `tests/database.py`."""

import os
import signal

from hypothesis import HealthCheck, Phase, settings

pytest_plugins = ["tests.cluster"]

# A run in the background of a shell is told to ignore Ctrl-C, and so is every process that it
# starts; those are interrupted here.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: how long one example takes says more about the machine than about the rule.
# Few examples, so that the domain's tests take seconds; `long` looks for what they miss.
settings.register_profile(
    "dev", deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True)
# What a mutant breaks is enough; nobody reads the smallest example of it.
settings.register_profile(
    "mutants", parent=settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate]
)
settings.register_profile("long", parent=settings.get_profile("dev"), max_examples=2000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev")
)
