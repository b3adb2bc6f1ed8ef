# SPDX-License-Identifier: Apache-2.0
"""Results as pytest writes them."""

import pathlib

import fixtures

from tests.unit import base


def case(*marks, ended=''):
    """A test, as XML.

    :param marks: values of its marks
    :param ended: the element that says it did not pass, if so
    """
    properties = ''.join(
        f'<property name="operation" value="{mark}"/>' for mark in marks
    )
    properties = properties and f'<properties>{properties}</properties>'
    return f'<testcase name="test">{properties}{ended}</testcase>'


class ResultsTestCase(base.TestCase):
    """Has a directory for results."""

    def setUp(self):
        super().setUp()
        self.directory = pathlib.Path(self.useFixture(fixtures.TempDir()).path)

    def results(self, name, *cases):
        """Results in a file of that name.

        :returns: pathlib.Path
        """
        path = self.directory / name
        path.write_text(
            '<testsuites><testsuite>'
            + ''.join(cases)
            + '</testsuite></testsuites>'
        )
        return path
