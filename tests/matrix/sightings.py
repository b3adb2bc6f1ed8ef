# SPDX-License-Identifier: Apache-2.0
"""What the results of marked tests show."""

import dataclasses
from xml.etree import ElementTree

from tests.matrix import operations
from tests.runner import parts

#: Part of a test run to the words of the matrix for what it runs on.
PLACES = {'functional': 'fake libvirt', 'acceptance': 'real', 'flat': 'real'}

#: Name of the property that a mark becomes in the results.
PROPERTY = 'operation'

FAILED = 'failed'


class BadResults(Exception):
    """Results that say nothing, and what to do about it."""


@dataclasses.dataclass(frozen=True, order=True)
class Sighting:
    """An operation that was seen.

    :ivar operation: a key of operations.OPERATIONS
    :ivar images_type: one of operations.IMAGES_TYPES
    :ivar outcome: one of operations.OUTCOMES, or FAILED
    :ivar place: one of the values of PLACES, a blank, and a release
    """

    operation: str
    images_type: str
    outcome: str
    place: str


def value(operation, images_type, outcome='works'):
    """A mark, as the value of a property.

    :param operation: what the test does, a key of operations.OPERATIONS
    :param images_type: where the disks are, one of operations.IMAGES_TYPES
    :param outcome: what came of it, one of operations.OUTCOMES
    :raises ValueError: saying which word is not known
    """
    for word, known in (
        (operation, operations.OPERATIONS),
        (images_type, operations.IMAGES_TYPES),
        (outcome, operations.OUTCOMES),
    ):
        if word not in known:
            raise ValueError(
                'tests/matrix/operations.py has no %r; it has: %s'
                % (word, ', '.join(known))
            )
    return f'{operation} {images_type} {outcome}'


def place(path):
    """Where was seen what the results in a file show?

    :param path: pathlib.Path, named as by tests/runner: the part and, unless
        it is the newest, the release, joined by a hyphen
    :returns: the place of a Sighting; None if the part sees no operation
    :raises BadResults: if there is no such release
    """
    part, _, release = path.stem.partition('-')
    if part not in PLACES:
        return None
    if release and release not in parts.RELEASES:
        raise BadResults(
            '%s: no such release: name the file %s-RELEASE.xml with one of %s'
            % (path, part, ', '.join(parts.RELEASES))
        )
    return f'{PLACES[part]} {release or parts.NEWEST}'


def read(path):
    """What the tests whose results are in a file have seen.

    An operation with a failed test has failed, whatever else was seen of it.
    What was skipped, or expected to fail, was not seen.

    :param path: pathlib.Path of a file of ``pytest --junitxml``, from a part
        that sees operations
    :returns: set of Sighting
    :raises BadResults: if the file cannot be read
    """
    where = place(path)
    try:
        seen = {
            Sighting(*words, where)
            for case in ElementTree.parse(path).iter('testcase')
            for words in _words(case)
        }
    except (OSError, ElementTree.ParseError, ValueError) as error:
        raise BadResults(
            f'{path}: run this part of the tests again: {error}'
        ) from error
    failed = {
        (found.operation, found.images_type)
        for found in seen
        if found.outcome == FAILED
    }
    return {
        found
        for found in seen
        if found.outcome == FAILED
        or (found.operation, found.images_type) not in failed
    }


def _words(case):
    """Operation, images_type and outcome of each mark of a test."""
    if case.find('skipped') is not None:
        return
    failed = any(case.find(tag) is not None for tag in ('failure', 'error'))
    for found in case.iterfind(f"properties/property[@name='{PROPERTY}']"):
        operation, images_type, outcome = value(
            *found.get('value').split()
        ).split()
        yield operation, images_type, FAILED if failed else outcome
