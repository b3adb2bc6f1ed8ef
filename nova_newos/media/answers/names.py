# SPDX-License-Identifier: Apache-2.0
"""Which paths go onto an answer CD."""

import re

from nova_newos import exception

#: Directories and file name of a path. ISO 9660 has eight levels, the root
#: among them (ECMA-119, 6.8.2.1).
MAX_DEPTH = 7

#: Characters of each part: what Joliet takes.
MAX_NAME = 64

# Neither what Joliet or Windows refuse, nor what only looks like something
# else: control characters, other scripts, a dot or a space at the end.
_NAME = re.compile(r"[A-Za-z0-9 !#$%&'()+,.=@\[\]^_`{}~-]+(?<![ .])")


def normal(path):
    """A path as it is on the CD.

    :param path: str, from the archive; hostile
    :returns: the path without '.' parts, '' for the root itself
    :raises AnswerArchiveRefused: for an absolute path, '..', or a part that
        some guest could not show under its own name
    """
    parts = [part for part in path.split('/') if part != '.']
    if parts and not parts[-1]:
        parts.pop()
    if path.startswith('/') or '..' in parts:
        raise _refused(path, 'is outside of the archive')
    if len(parts) > MAX_DEPTH:
        raise _refused(path, f'is more than {MAX_DEPTH} levels deep')
    for part in parts:
        if len(part) > MAX_NAME or not _NAME.fullmatch(part):
            raise _refused(path, 'is no name for a CD-ROM')
    return '/'.join(parts)


def check_distinct(paths):
    """Make sure that no guest takes two of the paths for one.

    Windows and some mounts of Linux do not tell capitals from small letters,
    neither in files nor in directories.

    :param paths: iterable of normal paths of files
    :raises AnswerArchiveRefused: when two are the same, or one is both file
        and directory
    """
    directories = {}
    files = set()
    for path in paths:
        folded = path.lower()
        if folded in files:
            raise _refused(path, 'is there twice')
        files.add(folded)
        for end in (m.start() for m in re.finditer('/', path)):
            parent = path[:end]
            if directories.setdefault(folded[:end], parent) != parent:
                raise _refused(path, 'is there twice')
    for path in files & directories.keys():
        raise _refused(path, 'is a file and a directory')


def _refused(path, problem):
    return exception.AnswerArchiveRefused(
        problem=f'names {path[:40]!a:.44}, which {problem}',
        wanted=f'relative paths of plain names, {MAX_NAME} characters at most',
    )
