# SPDX-License-Identifier: Apache-2.0
"""Which files there are."""

import fnmatch
import posixpath

from . import ask


def paths(g, windows, patterns, hidden=()):
    """Which files there are.

    :param patterns: dict of name to list of paths with wildcards
    :param hidden: as of :func:`.systems.hidden`
    :returns: dict of name to dict of path to its size; None instead of a dict
        when it cannot be told of one of the name's patterns
    """
    found = {}
    for name, wanted in patterns.items():
        if any(_is_below(pattern, hidden) for pattern in wanted):
            found[name] = None
        else:
            found[name] = ask.attempt(_sizes, g, windows, wanted)
    return found


def _is_below(pattern, points):
    return any(
        pattern.startswith(posixpath.join(point, '')) for point in points
    )


def _sizes(g, windows, patterns):
    found = []
    for pattern in patterns:
        found += _glob(g, windows, pattern)
    return {
        path: ask.attempt(g.filesize, path)
        for path in found[: ask.LIMIT]
        if not ask.attempt(_leads_nowhere, g, path)
    }


def _leads_nowhere(g, path):
    return g.is_symlink(path) and not g.exists(path)


def _glob(g, windows, pattern):
    """Matches of a pattern, on Windows in whatever case.

    Not by glob_expand: to that a directory that cannot be read is empty.
    """
    found = ['/']
    for part in pattern.strip('/').split('/'):
        found = [
            path
            for directory in found
            for path in matches(g, windows, directory, part)
        ]
    return found


def matches(g, windows, directory, pattern):
    """Paths in a directory, by a pattern; on Windows in whatever case."""
    try:
        names = g.ls(directory)
    except UnicodeError:
        # It was read, and one name is enough for this.
        found = g.glob_expand(posixpath.join(directory, pattern))
        return [path.rstrip('/') for path in found]
    if windows:
        pattern = pattern.lower()
    return [
        posixpath.join(directory, name)
        for name in names
        if fnmatch.fnmatchcase(name.lower() if windows else name, pattern)
    ]
