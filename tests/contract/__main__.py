# SPDX-License-Identifier: Apache-2.0
"""Record what our code relies on in the installed Nova."""

import argparse

from tests.contract import facts
from tests.contract import reached
from tests.contract import records
from tests.contract import uses


def current():
    """The facts of the installed Nova; see facts.relied_on()."""
    names, members = uses.of_package()
    return facts.relied_on(names, members, reached.NAMES)


def main():
    parser = argparse.ArgumentParser(
        prog='python -m tests.contract', description=__doc__
    )
    parser.add_argument('command', choices=('record', 'check'))
    command = parser.parse_args().command
    version, found, before = facts.version(), current(), records.load()
    for name, fact in found.items():
        text = records.complaint(before, name, fact, version)
        if text:
            print(text)
    if command == 'record':
        records.save(records.add(before, found, version))
        print('recorded %d names of Nova %s' % (len(found), version))


if __name__ == '__main__':
    main()
