# SPDX-License-Identifier: Apache-2.0
"""What pytest makes of the marks."""

import contextlib
import io
import sys
import textwrap
from unittest import mock

import pytest

from tests.matrix import sightings
from tests.unit.matrix import samples

PLACE = 'real 2026.2'


class MarkTestCase(samples.ResultsTestCase):
    def run_pytest(self, source):
        """Run tests in this process.

        :param source: of the tests
        :returns: exit status, path of the results, what was printed
        """
        tests = self.directory / 'test_marked.py'
        tests.write_text('import unittest, pytest\n' + textwrap.dedent(source))
        results = self.directory / 'acceptance.xml'
        output = io.StringIO()
        with (
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            # Or the next run finds this one's tests there.
            mock.patch.dict(sys.modules),
        ):
            status = pytest.main(
                [
                    '--config-file=/dev/null',
                    f'--rootdir={self.directory}',
                    '--import-mode=importlib',
                    '--strict-markers',
                    '--capture=no',
                    '-pno:cacheprovider',
                    '-ptests.conftest',
                    f'--junitxml={results}',
                    str(tests),
                ]
            )
        return status, results, output.getvalue()

    def test_from_mark_to_sighting(self):
        _, results, output = self.run_pytest("""
            operation = pytest.mark.operation

            @operation('create')
            class MarkedTestCase(unittest.TestCase):
                @operation('evacuate', images_type='flat', outcome='refused')
                def test_passes(self):
                    pass

                @operation('backup')
                def test_is_skipped(self):
                    self.skipTest('not here')

                @operation('pause')
                @unittest.expectedFailure
                def test_is_expected_to_fail(self):
                    self.fail()

            class FlatTestCase(MarkedTestCase):
                IMAGES_TYPE = 'flat'

            @operation('suspend')
            class FailingTestCase(unittest.TestCase):
                def test_fails_in_part(self):
                    for good in (True, False, True):
                        with self.subTest(good=good):
                            self.assertTrue(good)

            @pytest.fixture
            def broken():
                yield
                raise ValueError

            @operation('lock')
            def test_fails_at_its_end(broken):
                pass
        """)
        self.assertEqual(
            {
                sightings.Sighting('create', 'qcow2', 'works', PLACE),
                sightings.Sighting('create', 'flat', 'works', PLACE),
                sightings.Sighting('evacuate', 'flat', 'refused', PLACE),
                sightings.Sighting('suspend', 'qcow2', 'failed', PLACE),
                sightings.Sighting('lock', 'qcow2', 'failed', PLACE),
            },
            sightings.read(results),
            output,
        )

    def test_wrong_marks_stop_the_run(self):
        for mark, word in {
            "'creat'": "'creat'",
            "'create', images_type='rbd'": "'rbd'",
            "'create', result='works'": "'result'",
            '': "'operation'",
        }.items():
            with self.subTest(mark=mark):
                status, _, output = self.run_pytest(f"""
                    @pytest.mark.operation({mark})
                    def test_marked():
                        pass
                """)
                self.assertEqual(pytest.ExitCode.USAGE_ERROR, status)
                self.assertIn('test_marked', output)
                self.assertIn(word, output)
