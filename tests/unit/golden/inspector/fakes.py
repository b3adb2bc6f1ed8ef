# SPDX-License-Identifier: Apache-2.0
"""A made-up guest; tests/functional/golden has a real one."""

import fnmatch
import posixpath

from nova_newos.golden.inspector import program


class FakeGuest:
    """A guestfs handle that knows only what it is told.

    All else fails, as libguestfs' functions do with a guest that lacks it.

    :param files: dict of path to size, or None when that cannot be read
    :param functions: by name, what a function returns, or a function
    """

    def __init__(self, files=(), **functions):
        self._files = dict(files)
        self._functions = functions

    def __getattr__(self, name):
        def call(*arguments, **options):
            if name not in self._functions:
                raise RuntimeError(f'{name}: not supported')
            result = self._functions[name]
            if callable(result):
                return result(*arguments, **options)
            return result

        return call

    def is_file(self, path, followsymlinks=False):
        return path in self._files

    def is_dir(self, path, followsymlinks=False):
        return any(each.startswith(path + '/') for each in self._files)

    def filesize(self, path):
        if self._files.get(path) is None:
            raise RuntimeError('filesize: Input/output error')
        return self._files[path]

    def realpath(self, path):
        return path

    def glob_expand(self, pattern):
        return fnmatch.filter(self._files, pattern)

    def ls(self, directory):
        top = posixpath.join(directory, '')
        below = [path for path in self._files if path.startswith(top)]
        if not below and directory != '/':
            raise RuntimeError('ls0: opendir: No such file or directory')
        return sorted({path[len(top) :].split('/')[0] for path in below})

    def case_sensitive_path(self, path):
        for known in self._files:
            if known.lower().startswith(path.lower().rstrip('/') + '/'):
                return known[: len(path)]
        raise RuntimeError('case_sensitive_path: no such file')


def inspect(guest, patterns=(), write=False, discard=False, **asked):
    plan = {
        'write': write,
        'discard': discard,
        'patterns': dict(patterns),
        'everywhere': list(patterns),
        'asked': asked,
    }
    return program.inspect(guest, plan)
