# SPDX-License-Identifier: Apache-2.0
"""The initramfs that a medium boots into: busybox, modules, one script."""

import gzip
from pathlib import Path
import shutil
import tempfile

from devstack.onebox.media import host

GUEST = Path(__file__).parent / 'guest'
LIBRARY = GUEST / 'lib.sh'


def write(target, base, script):
    """Write an initramfs.

    :param target: path of the file to write.
    :param base: directory of a base, see base.py.
    :param script: path of the shell script that is its /init.
    """
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory)
        _lay_out(tree, base, script)
        pack(target, tree)


def pack(target, tree):
    """Write a directory as an initramfs.

    :param target: path of the file to write.
    :param tree: path of the directory.
    """
    names = sorted(str(path.relative_to(tree)) for path in tree.rglob('*'))
    archive = host.run(
        'cpio',
        '--create',
        '--format=newc',
        '--quiet',
        '--null',
        '--reproducible',
        '--owner=0:0',
        f'--directory={tree}',
        stdin=''.join(f'{name}\0' for name in names).encode(),
    )
    # The kernel unpacks gzip at several times the speed of xz, and these
    # guests mostly run on emulated processors.
    target.write_bytes(gzip.compress(archive, mtime=0))


def recipe():
    """Return what, besides the script and the base, decides the bytes."""
    return Path(__file__).read_bytes() + LIBRARY.read_bytes()


def _lay_out(tree, base, script):
    for name in ('bin', 'dev', 'proc', 'sys', 'run'):
        (tree / name).mkdir()
    _install(base / 'busybox', tree / 'bin/busybox', 0o755)
    # The shell named on the first line of the script.
    (tree / 'bin/sh').symlink_to('busybox')
    _install(LIBRARY, tree / 'lib.sh', 0o644)
    _install(script, tree / 'init', 0o755)
    shutil.copytree(base / 'modules', tree / 'modules')


def _install(source, target, mode):
    shutil.copyfile(source, target)
    target.chmod(mode)
