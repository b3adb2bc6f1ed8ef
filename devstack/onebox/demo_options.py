# SPDX-License-Identifier: Apache-2.0
"""The demo's options, checked before anything is made."""

import argparse
import os
from pathlib import Path
import re

from devstack.onebox import state as state_module

# Of the flavors that the box has.
OWN_FLAVOR = 'm1.small'
LARGE_FLAVOR = 'm1.medium'
DEFAULT_RAM = 1536
DEFAULT_DISK = 10
LOGIN_PROMPT = r'login: *$'
# ECMA-119, 8.1: the volume descriptors begin at sector 16, each with these
# five bytes after its type.
_ISO_MARK = b'CD001'
_ISO_MARK_AT = 16 * 2048 + 1


def is_iso(path):
    """Whether the file has the mark of ISO 9660."""
    with open(path, 'rb') as handle:
        handle.seek(_ISO_MARK_AT)
        return handle.read(len(_ISO_MARK)) == _ISO_MARK


def iso_file(text):
    """Return the absolute path of an ISO.

    :raises argparse.ArgumentTypeError: when it is none, or unreadable.
    """
    path = Path(os.path.abspath(text))
    try:
        if not path.is_file():
            raise argparse.ArgumentTypeError(f'no such file: {path}')
        if not is_iso(path):
            raise argparse.ArgumentTypeError(
                f'{path} is not an ISO 9660 image: give the ISO of an '
                'installer or of drivers, unpacked'
            )
    except OSError as error:
        raise argparse.ArgumentTypeError(f'{path}: {error.strerror}') from None
    return path


def whole_number(low, high, unit):
    """Return an argparse type for a number within limits."""

    def convert(text):
        if not (
            text.isascii() and text.isdigit() and low <= int(text) <= high
        ):
            raise argparse.ArgumentTypeError(
                f'"{text}": give a whole number from {low} to {high} {unit}'
            )
        return int(text)

    return convert


def pattern(text):
    try:
        re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(
            f'"{text}" is not a regular expression: {error}'
        ) from None
    return text


def machine_ram():
    """Return this machine's memory in MiB."""
    return os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 2**20


def parser():
    shown = argparse.ArgumentParser(
        prog='devstack/onebox/demo',
        allow_abbrev=False,
        description='Install from an ISO on a real OpenStack of one machine, '
        'make a golden image of the result and boot it. Without '
        'options: a minimal Debian.',
    )
    for name, kind, metavar, text in (
        (
            '--iso',
            iso_file,
            'FILE',
            'an installer that asks nothing and powers off at its end',
        ),
        ('--driver-iso', iso_file, 'FILE', 'a second CD, with drivers'),
        (
            '--flavor-disk',
            whole_number(1, 10000, 'GiB'),
            'GB',
            'size of the disk to install onto',
        ),
        (
            '--ram',
            whole_number(64, machine_ram(), 'MiB'),
            'MB',
            'memory of the servers',
        ),
        (
            '--timeout',
            whole_number(1, 1440, 'minutes'),
            'MIN',
            'longest installation, and longest first boot, in minutes '
            '(%(default)s)',
        ),
        (
            '--console-pattern',
            pattern,
            'RE',
            'what a line of the serial console of the installed system '
            'matches once it is up (%(default)s)',
        ),
        ('--state', str, 'DIR', "the box's directory (%(default)s)"),
    ):
        shown.add_argument(name, type=kind, metavar=metavar, help=text)
    shown.set_defaults(
        timeout=60,
        console_pattern=LOGIN_PROMPT,
        state=os.environ.get('ONEBOX_STATE') or state_module.DEFAULT,
    )
    return shown


def parse(arguments=None):
    """Return the options.

    :raises SystemExit: for an option that cannot be used, with what to
        change.
    """
    return parser().parse_args(arguments)


def flavor(options):
    """Return the flavor to use: its name, and its sizes if it is to be made.

    :returns: {'name'} or {'name', 'ram' in MiB, 'disk' in GiB}.
    """
    if options.ram or options.flavor_disk:
        return {
            'name': 'newos-demo',
            'ram': options.ram or DEFAULT_RAM,
            'disk': options.flavor_disk or DEFAULT_DISK,
        }
    return {'name': LARGE_FLAVOR if options.iso else OWN_FLAVOR}
