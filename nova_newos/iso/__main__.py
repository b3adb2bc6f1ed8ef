# SPDX-License-Identifier: Apache-2.0
"""Print the image properties of an ISO: python -m nova_newos.iso FILE."""

import argparse

from nova_newos import exception
from nova_newos import iso


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog='python -m nova_newos.iso',
        description='Print the Glance image properties of an ISO.',
    )
    parser.add_argument('file', type=argparse.FileType('rb'))
    parser.add_argument(
        '--database',
        default=iso.DEFAULT_PATH,
        help='a libosinfo database, a directory or an archive',
    )
    parsed = parser.parse_args(arguments)
    try:
        found = iso.inspect(parsed.file)
        systems = iso.Database(parsed.database).identify(found)
    except exception.NewosError as error:
        parser.exit(1, f'{error}\n')
    for name, value in iso.properties(found, systems).items():
        print(f"{name}='{value}'")


if __name__ == '__main__':
    main()
