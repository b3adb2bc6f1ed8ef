# SPDX-License-Identifier: Apache-2.0
"""What the box tells its user instead of a traceback."""


class BoxError(Exception):
    """Something the user can put right; the message says how."""


def tail(path, lines=15):
    """The end of a log, to go with an error."""
    text = path.read_text(errors='replace') if path.exists() else ''
    return f'the end of {path}:\n' + '\n'.join(text.splitlines()[-lines:])
