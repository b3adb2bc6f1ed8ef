# SPDX-License-Identifier: Apache-2.0
"""Make the table of the support matrix from test results, or check it."""

import argparse
import csv
import pathlib
import sys
import tomllib

import junitparser.xunit2

HERE = pathlib.Path(__file__).parent
TABLE = HERE.parent / 'doc' / 'source' / 'admin' / 'support-matrix.csv'
#: What a test marks itself with, to the words of the matrix.
OPERATIONS = tomllib.loads((HERE / 'operations.toml').read_text())
IMAGES_TYPES = ('qcow2', 'flat', 'raw')
OUTCOMES = ('works', 'refused')
#: What tests/run calls the results, and the matrix what they were seen on.
PLACES = {
    'functional': 'fake libvirt 2026.2',
    'acceptance': 'real 2026.2',
    'flat': 'real 2026.2',
}


def shown(path):
    """What the results in a file show.

    What was skipped, or expected to fail, shows nothing. Of an operation with
    a failed test nothing else counts.

    :returns: set of tuples: operation, images_type, outcome, place
    """
    seen, failed = set(), set()
    for suite in junitparser.xunit2.JUnitXml.fromfile(str(path)):
        for case in suite:
            found = {
                (*each.value.split(), PLACES[path.stem])
                for each in case.properties()
                if each.name == 'operation'
            }
            if case.is_failure or case.is_error:
                failed |= {words[:2] for words in found}
            elif not case.is_skipped:
                seen |= found
    return {words for words in seen if words[:2] not in failed}


def claimed():
    """What the table says, as shown() does."""
    names = {words: name for name, words in OPERATIONS.items()}
    with TABLE.open(newline='') as table:
        return {
            (names[row['Operation']], images_type, outcome, place)
            for row in csv.DictReader(table)
            for images_type in row.keys() - {'Operation'}
            for line in row[images_type].splitlines()
            for outcome, places in [line.removeprefix('| ').split(': ')]
            for place in places.split(', ')
        }


def write(seen):
    """Write the table of a set as shown() returns it."""

    def cell(*column):
        lines = []
        for outcome in OUTCOMES:
            wanted = (*column, outcome)
            places = sorted(found[3] for found in seen if found[:3] == wanted)
            if places:
                lines.append(f'| {outcome}: {", ".join(places)}')
        return '\n'.join(lines)

    with TABLE.open('w', newline='') as table:
        writer = csv.writer(table, lineterminator='\n')
        writer.writerow(['Operation', *IMAGES_TYPES])
        for operation, words in OPERATIONS.items():
            writer.writerow(
                [words, *(cell(operation, t) for t in IMAGES_TYPES)]
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--check',
        action='store_true',
        help='write nothing; say how the table and the results differ, and '
        'exit with 1 if it claims what they do not show',
    )
    parser.add_argument('results', type=pathlib.Path, metavar='DIRECTORY')
    options = parser.parse_args()
    files = [options.results / f'{name}.xml' for name in PLACES]
    seen = set().union(*map(shown, files))
    if not options.check:
        return write(seen)
    # It may lag behind what was seen; it must not promise more.
    for words in sorted(seen - claimed()):
        print('the table lacks:', *words)
    for words in sorted(claimed() - seen):
        print('the results do not show:', *words)
    return int(not claimed() <= seen)


if __name__ == '__main__':
    sys.exit(main())
