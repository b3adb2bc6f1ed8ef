# SPDX-License-Identifier: Apache-2.0
"""The command: the table follows the results, as far as they go."""

import contextlib
import io

import fixtures

from tests.matrix import __main__ as main
from tests.matrix import table
from tests.unit.matrix import samples

CREATE = samples.case('create qcow2 works')
BACKUP = samples.case('backup qcow2 works')


class MainTestCase(samples.ResultsTestCase):
    def setUp(self):
        super().setUp()
        self.table = self.directory / 'table.csv'
        self.real = self.results('acceptance.xml', CREATE)
        self.fake = self.results('functional-2026.2.xml', CREATE, BACKUP)

    def run_main(self, *arguments):
        """Exit status, standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = main.main(
                ['--table', str(self.table), *map(str, arguments)]
            )
        return status, out.getvalue(), err.getvalue()

    def write(self):
        self.assertEqual((0, '', ''), self.run_main(self.real, self.fake))

    def test_what_was_written_is_right(self):
        self.write()
        self.assertEqual(
            (0, '', ''), self.run_main('--check', self.real, self.fake)
        )

    def test_check_writes_nothing(self):
        status, out, _ = self.run_main('--check', self.real)
        self.assertIn('lacks create with qcow2: works, real 2026.2', out)
        self.assertFalse(self.table.exists())
        # It promises nothing that was not seen.
        self.assertEqual(0, status)

    def test_a_claim_that_is_not_shown_any_more(self):
        self.write()
        self.results('functional-2026.2.xml', BACKUP)
        status, out, _ = self.run_main('--check', self.fake)
        self.assertEqual(1, status)
        self.assertIn(
            'do not show create with qcow2: works, fake libvirt 2026.2', out
        )
        self.assertNotIn('real', out)
        self.assertNotIn('backup', out)

    def test_failure(self):
        self.write()
        self.results(
            'acceptance.xml',
            samples.case('create qcow2 works', ended='<failure/>'),
        )
        status, out, _ = self.run_main('--check', self.real)
        self.assertEqual(1, status)
        self.assertIn('lacks create with qcow2: failed, real 2026.2', out)
        self.assertIn('not show create with qcow2: works, real 2026.2', out)

    def test_a_failure_that_is_mended(self):
        """The table says less than it could, which is no lie."""
        failing = samples.case('create qcow2 works', ended='<failure/>')
        self.results('acceptance.xml', failing)
        self.write()
        self.results('acceptance.xml', CREATE)
        status, _, _ = self.run_main('--check', self.real)
        self.assertEqual(0, status)

    def test_other_places_are_left_alone(self):
        self.write()
        before = table.read(self.table.read_text())
        self.assertEqual((0, '', ''), self.run_main('--check', self.real))
        self.results('functional-2026.2.xml', CREATE)
        self.assertEqual((0, '', ''), self.run_main(self.fake))
        [gone] = before - table.read(self.table.read_text())
        self.assertEqual(
            ('backup', 'fake libvirt 2026.2'), (gone.operation, gone.place)
        )

    def test_results_that_see_no_operation(self):
        unit = self.results('unit-2026.2.xml', samples.case())
        status, _, err = self.run_main('--check', unit)
        self.assertEqual(1, status)
        self.assertIn('run tests/run functional acceptance flat', err)
        self.assertEqual((0, '', ''), self.run_main(unit, self.real))

    def test_default_results(self):
        (self.directory / 'results').mkdir()
        self.real.rename(self.directory / 'results' / self.real.name)
        self.useFixture(
            fixtures.EnvironmentVariable('NEWOS_TEST_DIR', str(self.directory))
        )
        self.assertEqual((0, '', ''), self.run_main())
        self.assertEqual(
            ['real 2026.2'],
            [found.place for found in table.read(self.table.read_text())],
        )

    def test_neither_results_nor_directory(self):
        self.useFixture(fixtures.EnvironmentVariable('NEWOS_TEST_DIR'))
        err = io.StringIO()
        with contextlib.redirect_stderr(err), self.assertRaises(SystemExit):
            main.main([])
        self.assertIn('NEWOS_TEST_DIR', err.getvalue())
