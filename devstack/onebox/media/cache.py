# SPDX-License-Identifier: Apache-2.0
"""Keeps what was built, named by the hash of what it was built from."""

import contextlib
import fcntl
import hashlib
import os
from pathlib import Path
import shutil
import tempfile
import time

KEY_DIGITS = 16
# What no run asked for that long is removed.
KEEP_SECONDS = 7 * 24 * 3600
DEFAULT_DIRECTORY = Path('/var/cache/nova-newos/media')


def key_of(*parts):
    """Return a hexadecimal key for the parts of a recipe.

    :param parts: bytes or str.  Their borders count: ('ab', 'c') and
        ('a', 'bc') have different keys.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(hashlib.sha256(data).digest())
    return digest.hexdigest()[:KEY_DIGITS]


class Cache:
    """A directory of products; each is a file or a directory.

    :param directory: made when it is missing.
    """

    def __init__(self, directory=DEFAULT_DIRECTORY):
        self.directory = Path(directory)

    def product(self, name, key, build):
        """Return the path of a product, built only when it is not there.

        :param name: file name with its suffix, for instance 'debian.iso'.
        :param key: what key_of() returned for its recipe.
        :param build: called with the path to make, a file or a directory
            that does not exist yet, in a scratch directory.
        """
        stem, suffix = os.path.splitext(name)
        target = self.directory / f'{stem}-{key}{suffix}'
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._lock(name):
            if not target.exists():
                self._forget_scratch(name)
                self._build(name, target, build)
            os.utime(target)
            self._forget_unused(stem, suffix)
        return target

    def _build(self, name, target, build):
        scratch = Path(
            tempfile.mkdtemp(prefix=f'.{name}.new-', dir=self.directory)
        )
        try:
            build(scratch / target.name)
            # Renamed only when whole: a killed build leaves nothing that a
            # later run takes for a product.
            (scratch / target.name).rename(target)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _forget_scratch(self, name):
        for path in self.directory.glob(f'.{name}.new-*'):
            _remove(path)

    def _forget_unused(self, stem, suffix):
        # Not at once: another checkout, of another version, may be at work
        # with what it built.
        oldest = time.time() - KEEP_SECONDS
        length = len(f'{stem}-{KEY_DIGITS * "0"}{suffix}')
        for path in self.directory.glob(f'{stem}-*{suffix}'):
            if len(path.name) == length and path.stat().st_mtime < oldest:
                _remove(path)

    @contextlib.contextmanager
    def _lock(self, name):
        with open(self.directory / f'.{name}.lock', 'w') as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
