# SPDX-License-Identifier: Apache-2.0

"""Put the driver where Nova looks for it, or take it away again.

Nova imports ``compute_driver`` below its own package, ``nova.virt``, and has
no entry point for drivers. Shipping a file there ourselves would hide an
editable Nova behind a namespace package, so one symbolic link is made in the
directory that Nova really runs from.
"""

import argparse
import importlib.util
import os
import pathlib
import sys
import uuid

import nova_newos
from nova_newos import exception

PROGRAM = 'nova-newos-link-driver'
LINK_NAME = 'newos.py'
SHIM = pathlib.PurePath('nova_newos', 'virt', 'shim.py')


class LinkError(exception.NewosError):
    """Why the link was neither made nor removed, and what to change."""


class NovaNotFound(LinkError):
    """This environment has no Nova."""

    msg_fmt = (
        'Nova is not installed in {prefix}. Install nova-newos into '
        'the environment that nova-compute runs from and use the '
        '{program} of that environment.'
    )


class NovaHidden(LinkError):
    """Remains of a removed Nova hide any other."""

    msg_fmt = (
        '{directory} is what a removed Nova left behind, and it hides '
        'any other Nova. Run "{program} --remove", delete what is '
        'left of that directory and try again.'
    )


class NotOurs(LinkError):
    """Something else is where the link belongs."""

    msg_fmt = (
        '{path} is not a link made by {program}, so it is left alone. '
        'Move it away and try again.'
    )


class NotWritable(LinkError):
    """The operating system refuses the change."""

    msg_fmt = (
        '{path} cannot be changed: {reason}. Run {program} as the '
        'user who owns that directory.'
    )


def shim_path():
    """The installed module that the link points to (absolute path)."""
    package = pathlib.Path(nova_newos.__file__).resolve().parent
    return package.parent / SHIM


def _nova_virt_spec():
    """The import spec of ``nova.virt``, which is not imported itself.

    :raises: NovaNotFound
    """
    try:
        spec = importlib.util.find_spec('nova.virt')
    except ModuleNotFoundError:  # of nova itself
        spec = None
    if spec is None:
        raise NovaNotFound(prefix=sys.prefix, program=PROGRAM)
    return spec


def _is_ours(path):
    """Whether a path is a link to a shim of ours, be it gone or moved."""
    return (
        path.is_symlink()
        and pathlib.PurePath(os.readlink(path)).parts[-3:] == SHIM.parts
    )


def _check_free(path):
    if os.path.lexists(path) and not _is_ours(path):
        raise NotOurs(path=path, program=PROGRAM)


def _replace_link(path, target):
    """Point a link somewhere else without a moment in which it is gone."""
    temporary = path.with_name(f'.{path.name}.{uuid.uuid4().hex}')
    temporary.symlink_to(target)
    try:
        temporary.replace(path)
    except OSError:
        temporary.unlink()
        raise


def _remove_byte_code(path):
    cache = path.parent / '__pycache__'
    for compiled in cache.glob(f'{path.stem}.*.pyc'):
        compiled.unlink()


def _remove_empty_directories(root):
    """Remove what only the link kept of a removed Nova.

    Because of the link, ``pip uninstall nova`` left directories in place, and
    these would hide a Nova that is installed editable later.
    """
    for directory, _directories, _files in os.walk(root, topdown=False):
        if not os.listdir(directory):
            os.rmdir(directory)


def link():
    """Make the link, or correct one that points to an older installation.

    :returns: what was done, a sentence for the user
    :raises: LinkError
    """
    spec = _nova_virt_spec()
    path = pathlib.Path(spec.submodule_search_locations[0]) / LINK_NAME
    if spec.origin is None:
        raise NovaHidden(directory=path.parent, program=PROGRAM)
    _check_free(path)
    target = shim_path()
    if path.is_symlink() and path.readlink() == target:
        return f'{path} already points to {target}'
    try:
        _replace_link(path, target)
    except OSError as error:
        raise NotWritable(
            path=path, reason=error.strerror, program=PROGRAM
        ) from error
    return f'{path} now points to {target}'


def remove():
    """Remove the link, also when what it points to is gone.

    :returns: what was done, a sentence for the user
    :raises: LinkError
    """
    spec = _nova_virt_spec()
    path = pathlib.Path(spec.submodule_search_locations[0]) / LINK_NAME
    _check_free(path)
    if not path.is_symlink():
        return f'{path} does not exist: nothing to remove'
    try:
        path.unlink()
        _remove_byte_code(path)
        if spec.origin is None:
            _remove_empty_directories(path.parent.parent)
    except OSError as error:
        raise NotWritable(
            path=path, reason=error.strerror, program=PROGRAM
        ) from error
    return f'{path} removed'


def main(argv=None):
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description='Link the nova-newos driver into the Nova of this '
        'environment, so that compute_driver = newos.NewosLibvirtDriver '
        'works.',
    )
    parser.add_argument(
        '--remove', action='store_true', help='remove the link instead'
    )
    arguments = parser.parse_args(argv)
    try:
        print(remove() if arguments.remove else link())
    except LinkError as error:
        print(f'{PROGRAM}: {error}', file=sys.stderr)
        return 1
    return 0
