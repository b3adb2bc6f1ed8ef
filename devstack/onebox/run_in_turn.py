# SPDX-License-Identifier: Apache-2.0
"""A command of the box's Python, several times; run by that Python.

usage: python -P run_in_turn.py COMMAND JSON

COMMAND is a console script, JSON a list with a list of arguments for each
time. Importing what nova-manage consists of takes longer than most of what it
does: it is imported once, and each time is a fork. The first that fails ends
it, with its exit status.
"""

import importlib.metadata
import json
import os
import sys


def main(command, turns):
    """:returns: the exit status."""
    [entry] = importlib.metadata.entry_points(
        group='console_scripts', name=command
    )
    function = entry.load()
    for arguments in json.loads(turns):
        child = os.fork()
        if not child:
            sys.argv = [command, *arguments]
            sys.exit(function())
        _pid, status = os.waitpid(child, 0)
        if status:
            return os.waitstatus_to_exitcode(status)
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
