"""From exceptions to one clear line and an exit code.

Owns which failures are the user's to mend (a setting, a file, a disk) and which exit code each has; anything else is a
bug of ours and keeps its traceback.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

import click


class Failure(click.ClickException):
    """The thing that was checked or run is bad: exit code 1."""

    exit_code = 1


class BadInput(click.ClickException):
    """A setting or an argument is wrong: exit code 2."""

    exit_code = 2


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn the known failures of the layers below into one line and an exit code."""
    from journal import JournalError
    from kernel.strategy.declare import StrategyError
    from kernel.venue import VenueError
    from replay.audit import DivergenceError
    from replay.catalogue import CatalogueError
    from replay.config import ConfigError
    from replay.engine import CapacityError
    from replay.session import RunError

    try:
        yield
    except (ConfigError, StrategyError, CapacityError) as error:
        raise BadInput(str(error)) from error
    except (CatalogueError, JournalError, DivergenceError, RunError, VenueError) as error:
        raise Failure(str(error)) from error
    except BrokenPipeError:
        raise
    except OSError as error:
        raise Failure(describe_os_error(error)) from error


def describe_os_error(error: OSError) -> str:
    """What the system refused, where, and what to do."""
    advice = {
        errno.ENOSPC: "no space left on the disk; free some and go on with kernel replay --resume",
        errno.EACCES: "permission denied; check the owner and mode, or name another place",
        errno.ENOENT: "no such file or directory",
        errno.EROFS: "the file system is read-only; name another place",
    }
    reason = advice.get(error.errno or 0, error.strerror or str(error))
    return f"{error.filename}: {reason}" if error.filename else reason
