# SPDX-License-Identifier: Apache-2.0
"""python3 -m devstack.onebox.media MEDIUM [--out FILE]."""

import argparse
from pathlib import Path
import shutil
import sys

from devstack.onebox.media import cache
from devstack.onebox.media import debian
from devstack.onebox.media import drivers
from devstack.onebox.media import host
from devstack.onebox.media import installed
from devstack.onebox.media import netboot
from devstack.onebox.media import probe
from devstack.onebox.media import q35
from devstack.onebox.media import rescue
from devstack.onebox.media import secure
from devstack.onebox.media import waiting

MEDIA = {
    module.__name__.rpartition('.')[2]: module
    for module in (
        debian,
        drivers,
        installed,
        netboot,
        probe,
        q35,
        rescue,
        secure,
        waiting,
    )
}


def _parse(arguments):
    parser = argparse.ArgumentParser(
        prog='python3 -m devstack.onebox.media',
        description='Build a medium, or take it from the cache, and print its '
        'path.',
    )
    parser.add_argument('medium', choices=sorted(MEDIA))
    parser.add_argument(
        '--cache',
        type=Path,
        metavar='DIR',
        default=cache.DEFAULT_DIRECTORY,
        help='keep what is built there (%(default)s)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE',
        help='copy it to FILE and print that path',
    )
    return parser.parse_args(arguments)


def main(arguments=None):
    options = _parse(arguments)
    try:
        host.require_root()
        path = MEDIA[options.medium].obtain(
            cache.Cache(options.cache),
            lambda line: print(line, file=sys.stderr, flush=True),
        )
        if options.out:
            path = shutil.copyfile(path, options.out)
    except (host.MediaError, OSError) as error:
        print(f'{options.medium}: {error}', file=sys.stderr)
        return 1
    print(path)
    return 0


if __name__ == '__main__':
    sys.exit(main())
