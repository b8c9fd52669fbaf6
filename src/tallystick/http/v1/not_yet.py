"""The fields of the reference that do nothing here yet.

Each is refused by name when it holds anything but its default (`free_form.NotYet`), never kept
in silence. A test compares this list with the schemas; it may only shrink.
"""

NOT_YET = frozenset(
    {
        "POST /customers: connected_account_id",
        "GET /invoices: einvoicing_status",
    }
)
"""Operation, then the path of the field in its body or query."""
