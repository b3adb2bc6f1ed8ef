# SPDX-License-Identifier: Apache-2.0

import contextlib
import io
from unittest import mock

import ddt
import fixtures

from benchmarks import __main__ as main
from benchmarks import errors
from benchmarks import figures
from tests.unit import base


@ddt.ddt
class MainTest(base.TestCase):
    def run_main(self, *arguments):
        """What the command says on each stream, and how it ends."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main.main(arguments)
                status = 0
            except SystemExit as error:
                status = error.code
        return out.getvalue(), err.getvalue(), status

    @ddt.data('0', '-1', '1.5', 'ten', '²')
    def test_runs_must_be_a_number(self, text):
        _out, err, status = self.run_main('blockinfo', f'--runs={text}')
        self.assertEqual(2, status)
        self.assertIn('give 1 or more', err)

    def test_the_measurement_must_be_named(self):
        _out, err, status = self.run_main()
        self.assertEqual(2, status)
        self.assertIn('blockinfo', err)

    def test_table(self):
        measured = 'seconds', [figures.Comparison('it', (1,), (3,))], 1
        with mock.patch.object(main, '_spawn', return_value=measured):
            out, _err, status = self.run_main('spawn', '--runs=2')
        self.assertEqual(0, status)
        self.assertIn('3.00', out)

    def test_error(self):
        error = errors.BenchmarkError('change this')
        with mock.patch.object(main, '_disk', side_effect=error):
            _out, _err, status = self.run_main('disk')
        self.assertEqual('benchmarks: change this', status)

    def test_missing_module(self):
        error = ModuleNotFoundError('no', name='openstack')
        with mock.patch.object(main, '_disk', side_effect=error):
            _out, _err, status = self.run_main('disk')
        self.assertIn('no module openstack: use the Python of', status)

    @ddt.data('spawn', 'disk')
    def test_no_box(self, command):
        state = self.useFixture(fixtures.TempDir()).path
        with mock.patch('os.geteuid', return_value=0):
            _out, _err, status = self.run_main(command, '--state', state)
        self.assertRegex(status, f'no box in {state}.*box up --state {state}')

    @ddt.data('spawn', 'disk')
    def test_not_root(self, command):
        with mock.patch('os.geteuid', return_value=1000):
            _out, _err, status = self.run_main(command)
        self.assertIn('run it as root', status)
