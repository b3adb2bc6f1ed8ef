# SPDX-License-Identifier: Apache-2.0
"""What runs on this machine."""

import pathlib


def qemus(path):
    """Ids of the QEMU processes that were given a file.

    :param path: of the file, or of a directory that it is below
    """
    found = []
    for command in pathlib.Path('/proc').glob('[0-9]*/cmdline'):
        try:
            words = command.read_text(errors='replace').split('\0')
        except OSError:  # gone meanwhile
            continue
        if 'qemu-system' in words[0] and any(
            str(path) in word for word in words
        ):
            found.append(int(command.parent.name))
    return found
