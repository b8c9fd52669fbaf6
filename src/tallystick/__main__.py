"""Where the program begins: the script `tallystick`, and `python -m tallystick`."""

import importlib
import os
import signal
from functools import partial

INTERRUPTED = 130
_STANDARD_ERROR = 2


def main() -> None:
    """Load the command line and the command, and run it.

    Loading takes a second or two. Who presses Ctrl-C meanwhile is not shown what was being
    loaded: nothing has begun that would have to be ended.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        # Not where it is ignored, as in the background of a script.
        signal.signal(signal.SIGINT, _leave)
    cli = importlib.import_module("tallystick.cli")
    cli.app(obj=partial(signal.signal, signal.SIGINT, before))


def _leave(*_: object) -> None:
    os.write(_STANDARD_ERROR, b"\nStopped.\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
