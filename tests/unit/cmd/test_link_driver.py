# SPDX-License-Identifier: Apache-2.0

import contextlib
import importlib.machinery
import io
import os
import pathlib
from unittest import mock

import fixtures

from nova_newos.cmd import link_driver
from tests.unit import base


class LinkDriverTest(base.TestCase):
    def setUp(self):
        super().setUp()
        root = pathlib.Path(self.useFixture(fixtures.TempDir()).path)
        self.virt = root / 'nova' / 'virt'
        self.virt.mkdir(parents=True)
        (self.virt / '__init__.py').touch()
        self.link = self.virt / 'newos.py'
        self.target = link_driver.shim_path()
        self.spec = importlib.machinery.ModuleSpec(
            'nova.virt',
            loader=None,
            is_package=True,
            origin=str(self.virt / '__init__.py'),
        )
        self.spec.submodule_search_locations.append(str(self.virt))
        self.find_spec = self.useFixture(
            fixtures.MockPatchObject(
                link_driver.importlib.util, 'find_spec', return_value=self.spec
            )
        ).mock

    def _run(self, *argv):
        """Run the command; returns its exit code, output and complaint."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = link_driver.main(argv)
        return code, out.getvalue(), err.getvalue()

    def _leave_only_the_link(self):
        """What ``pip uninstall nova`` leaves behind after linking."""
        (self.virt / '__init__.py').unlink()
        self.spec.origin = None

    def assertRefused(self, *argv, says):
        code, out, err = self._run(*argv)
        self.assertEqual((1, ''), (code, out))
        self.assertIn(says, err)

    def assertOnlyLinkAdded(self):
        self.assertEqual(
            {'__init__.py', 'newos.py'},
            {path.name for path in self.virt.iterdir()},
        )

    def test_shim_is_in_this_package(self):
        self.assertEqual(
            ('nova_newos', 'virt', 'shim.py'), self.target.parts[-3:]
        )
        self.assertTrue(self.target.is_absolute())

    def test_link_is_made(self):
        code, out, err = self._run()
        self.assertEqual((0, ''), (code, err))
        self.assertIn(str(self.target), out)
        self.assertEqual(self.target, self.link.readlink())
        self.assertOnlyLinkAdded()

    def test_second_run_changes_nothing(self):
        self._run()
        before = self.link.lstat()
        code, out, _err = self._run()
        self.assertEqual(0, code)
        self.assertIn('already', out)
        self.assertEqual(before, self.link.lstat())

    def test_dangling_link_of_an_older_installation_is_replaced(self):
        self.link.symlink_to('/gone/nova_newos/virt/shim.py')
        self.assertEqual(0, self._run()[0])
        self.assertEqual(self.target, self.link.readlink())
        self.assertOnlyLinkAdded()

    def test_foreign_file_is_left_alone(self):
        self.link.write_text('precious')
        for argv in ((), ('--remove',)):
            self.assertRefused(*argv, says=str(self.link))
            self.assertEqual('precious', self.link.read_text())

    def test_foreign_link_is_left_alone(self):
        self.link.symlink_to('/somebody/elses/newos.py')
        for argv in ((), ('--remove',)):
            self.assertRefused(*argv, says='not a link made by')
            self.assertEqual(
                '/somebody/elses/newos.py', os.readlink(self.link)
            )

    def test_failed_replacement_keeps_the_old_link(self):
        old = pathlib.Path('/gone/nova_newos/virt/shim.py')
        self.link.symlink_to(old)
        refusal = PermissionError(13, 'Permission denied')
        with mock.patch.object(pathlib.Path, 'replace', side_effect=refusal):
            self.assertRefused(says='Permission denied')
        self.assertEqual(old, self.link.readlink())
        self.assertOnlyLinkAdded()

    def test_directory_that_may_not_be_written(self):
        refusal = OSError(30, 'Read-only file system')
        with mock.patch.object(
            pathlib.Path, 'symlink_to', side_effect=refusal
        ):
            self.assertRefused(says='Read-only file system')

    def test_no_nova(self):
        self.find_spec.side_effect = ModuleNotFoundError
        for argv in ((), ('--remove',)):
            self.assertRefused(*argv, says='Nova is not installed')

    def test_nova_without_virt(self):
        self.find_spec.return_value = None
        self.assertRefused(says='Nova is not installed')

    def test_remove(self):
        self._run()
        code, out, _err = self._run('--remove')
        self.assertEqual(0, code)
        self.assertIn('removed', out)
        self.assertEqual(['__init__.py'], os.listdir(self.virt))

    def test_remove_dangling_link(self):
        self.link.symlink_to('/gone/nova_newos/virt/shim.py')
        self.assertEqual(0, self._run('--remove')[0])
        self.assertFalse(self.link.is_symlink())

    def test_remove_twice(self):
        code, out, _err = self._run('--remove')
        self.assertEqual(0, code)
        self.assertIn('nothing to remove', out)

    def test_remove_spares_byte_code_of_nova(self):
        cache = self.virt / '__pycache__'
        cache.mkdir()
        (cache / '__init__.cpython-311.pyc').touch()
        (cache / 'newos.cpython-311.pyc').touch()
        self._run()
        self._run('--remove')
        self.assertEqual(['__init__.cpython-311.pyc'], os.listdir(cache))

    def test_link_is_refused_where_only_an_old_link_is_left_of_nova(self):
        self._run()
        self._leave_only_the_link()
        self.assertRefused(says='--remove')

    def test_remove_leaves_nothing_that_hides_another_nova(self):
        self._run()
        self._leave_only_the_link()
        self.assertEqual(0, self._run('--remove')[0])
        self.assertFalse(self.virt.parent.exists())
