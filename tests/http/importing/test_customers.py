"""Files of customers."""

from tests.http.importing.importer import Importer

PLAIN = "name,currency,alias\nGlobex,EUR,globex\nInitech,USD,initech\n"


def test_each_row_becomes_a_customer(importer: Importer) -> None:
    """Two rows, two customers, in the order of the file, and nothing failed."""
    job = importer.imported(PLAIN, file_name="customers.csv")

    assert (job.status, job.total_items, job.processed_items, job.failed_items) == (
        "COMPLETED",
        2,
        2,
        0,
    )
    assert [(c["name"], c["currency"], c["alias"]) for c in importer.customers()] == [
        ("Globex", "EUR", "globex"),
        ("Initech", "USD", "initech"),
    ]
