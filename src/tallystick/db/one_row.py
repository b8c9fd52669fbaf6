"""A change of exactly one row: anything else is a defect, and undoes its transaction."""


class NotOneRow(AssertionError):
    """A statement that must hit one row hit another number of them; its tag says how many."""


def hits_one_row(done: str, what: str) -> None:
    """Make sure that a statement has changed one row.

    Args:
        done: What the database says it did, such as `UPDATE 1`.
        what: What was to be changed, for whoever looks for the defect.

    Raises:
        NotOneRow: It changed none, or several.
    """
    if done.rpartition(" ")[2] != "1":
        raise NotOneRow(f"{what}: {done}")
