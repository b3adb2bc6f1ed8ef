# SPDX-License-Identifier: Apache-2.0
"""Make the table of the support matrix from test results, or check it.

Only what the table says of the kinds of tests whose results are given (real
or fake libvirt, of one release) is made anew or checked.
"""

import argparse
import os
import pathlib
import sys

from tests.matrix import compare
from tests.matrix import sightings
from tests.matrix import table
from tests.runner import parts

TABLE = parts.TOP / 'doc' / 'source' / 'admin' / 'support-matrix.csv'


def arguments(argv):
    parser = argparse.ArgumentParser(
        prog='python -m tests.matrix', description=__doc__
    )
    parser.add_argument(
        '--check',
        action='store_true',
        help='write nothing; exit with 1 if the table claims what the '
        'results do not show, and say what it lacks',
    )
    parser.add_argument(
        '--table',
        type=pathlib.Path,
        default=TABLE,
        metavar='FILE',
        help='the table (default: %(default)s)',
    )
    parser.add_argument(
        'results',
        nargs='*',
        type=pathlib.Path,
        metavar='RESULTS',
        help='files of pytest --junitxml, named as tests/run names them '
        '(default: those in the results of NEWOS_TEST_DIR)',
    )
    options = parser.parse_args(argv)
    if not options.results:
        if 'NEWOS_TEST_DIR' not in os.environ:
            parser.error('name results, or set NEWOS_TEST_DIR as tests/run')
        directory = pathlib.Path(os.environ['NEWOS_TEST_DIR'], 'results')
        options.results = sorted(directory.glob('*.xml'))
    return options


def read(paths):
    """What results show, and the places that they are of.

    :param paths: list of pathlib.Path; those of parts that see no operation
        are passed over
    :returns: set of sightings.Sighting, set of places
    :raises sightings.BadResults: if there is nothing to read
    """
    shown, places = set(), set()
    for path in paths:
        where = sightings.place(path)
        if where:
            shown |= sightings.read(path)
            places.add(where)
    if not places:
        raise sightings.BadResults(
            'no results: run tests/run %s' % ' '.join(sightings.PLACES)
        )
    return shown, places


def main(argv=None):
    options = arguments(argv)
    try:
        shown, places = read(options.results)
    except sightings.BadResults as error:
        print('tests.matrix: %s' % error, file=sys.stderr)
        return 1
    claimed = (
        table.read(options.table.read_text())
        if options.table.exists()
        else set()
    )
    if not options.check:
        ought = compare.update(claimed, shown, places)
        options.table.write_text(table.write(ought))
        return 0
    wrong = compare.unfounded(claimed, shown, places)
    # It may lag behind what was seen; it must not promise more.
    for sentence in compare.unclaimed(claimed, shown) + wrong:
        print(sentence)
    if wrong:
        print('%s: make it anew with python -m tests.matrix' % options.table)
    return int(bool(wrong))


if __name__ == '__main__':
    sys.exit(main())
