"""How the embedded PostgreSQL is made and run: for production, and for tests."""

SUPERUSER = "postgres"

CLUSTER_OPTIONS = (
    "--auth=trust",
    "--encoding=UTF8",
    # One sort order on every machine, whatever its language: PostgreSQL's own.
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    f"--username={SUPERUSER}",
)

SERVER_OPTIONS = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    # Statements are short: neither compiling nor sharing them out pays.
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "random_page_cost": "1.1",
}

TEST_OPTIONS = {
    "shared_buffers": "128MB",
    "max_connections": "300",
    # What a test writes need not survive the machine.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "io_method": "sync",
}
