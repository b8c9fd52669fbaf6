"""What every test may use; the fixtures of the database are in `tests/database.py`."""

pytest_plugins = ["tests.database"]
