# SPDX-License-Identifier: Apache-2.0
"""What came of tests that stestr ran, with Nova's driver and with ours."""

import csv
import re
import subprocess
from xml.etree import ElementTree

PASSED, FAILED, SKIPPED = 'passed', 'failed', 'skipped'
# In one run only: something before it failed there.
MISSING = '-'

# All else that subunit knows is a failure, a test that a worker died in too.
_STATUSES = {'success': PASSED, 'xfail': PASSED, 'skip': SKIPPED}


def read(commands, directory):
    """The outcomes of the last run in a directory of stestr's: id to one.

    :param commands: directory of stestr's and subunit's commands
    :param directory: with the repository ``.stestr``
    """
    text = None
    for command in (['stestr', 'last', '--subunit'], ['subunit2csv']):
        # Their exit statuses are those of the tests.
        text = subprocess.run(
            [commands / command[0], *command[1:]],
            cwd=directory,
            input=text,
            stdout=subprocess.PIPE,
            check=False,
        ).stdout
    return {
        row['test']: _STATUSES.get(row['status'], FAILED)
        for row in csv.DictReader(text.decode().splitlines())
    }


def worse(stock, ours):
    """Ids of what did better with Nova's driver than with ours.

    :param stock: outcomes with Nova's driver
    :param ours: the same with ours
    """
    return {
        name
        for name in stock | ours
        if (theirs := stock.get(name, MISSING)) != ours.get(name, MISSING)
        and (theirs == PASSED or ours.get(name) == FAILED)
    }


def count(found, status=PASSED):
    """How many of Nova's or Tempest's tests have a status."""
    return sum(
        value == status and re.match(r'(nova|tempest)\.', name) is not None
        for name, value in found.items()
    )


def write_junit(path, name, found, failed):
    """Write outcomes in the format of pytest's --junitxml.

    :param name: of the suite
    :param found: outcomes by test id
    :param failed: dict of those ids that count as failed to the reason; what
        else did not pass counts as skipped
    """
    suite = ElementTree.Element('testsuite', name=name, errors='0')
    for test in sorted(found.keys() | failed):
        classname, _, method = test.rpartition('.')
        case = ElementTree.SubElement(
            suite, 'testcase', classname=classname, name=method
        )
        if test in failed:
            ElementTree.SubElement(case, 'failure', message=failed[test])
        elif found[test] != PASSED:
            ElementTree.SubElement(case, 'skipped')
    for attribute, tag in (
        ('tests', 'testcase'),
        ('failures', 'testcase/failure'),
        ('skipped', 'testcase/skipped'),
    ):
        suite.set(attribute, str(len(suite.findall(tag))))
    root = ElementTree.Element('testsuites')
    root.append(suite)
    ElementTree.ElementTree(root).write(path, encoding='utf-8')
