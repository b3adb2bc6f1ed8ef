# SPDX-License-Identifier: Apache-2.0
"""What runs on this machine."""

import pathlib
import subprocess


def run(*command, **options):
    """Run a command, which must succeed; returns its output as bytes.

    :param options: more of subprocess.run()
    """
    return subprocess.run(
        command, check=True, capture_output=True, **options
    ).stdout


def running(word, program=''):
    """Ids of processes.

    :param word: what is in the command line
    :param program: what is in the name of the program
    """
    found = []
    for path in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            command = path.read_text(errors='replace')
        except OSError:  # gone meanwhile
            continue
        name, _, _arguments = command.partition('\0')
        if program in name and str(word) in command:
            found.append(int(path.parent.name))
    return found


def qemus(path):
    """Ids of the QEMU processes that were given a file.

    :param path: of the file, or of a directory that it is below
    """
    return running(path, program='qemu-system')
