"""The one exception for what a user can mend, shared by every stage."""

from __future__ import annotations


class Refused(Exception):
    """What was asked cannot be done; the message says what was wrong, where, and what to do.

    The command line prints the message on one line and ends with exit code 2. Anything else
    that escapes is a bug and keeps its traceback.
    """


class Unmet(Refused):
    """A gate does not hold (accuracy, verification); the command line ends with exit code 1."""


class Unreachable(Refused):
    """What lies on another machine did not come: it says nothing of the file, which is then not left out as damaged."""
