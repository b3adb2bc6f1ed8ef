# SPDX-License-Identifier: Apache-2.0

import gzip
from pathlib import Path
from unittest import mock

import fixtures

from devstack.onebox.media import cache
from devstack.onebox.media import grub
from devstack.onebox.media import host
from devstack.onebox.media import netboot
from devstack.onebox.media import udebs
from nova_newos.media.answers import cd
from tests.unit import base


def _release(**release):
    return mock.patch('platform.freedesktop_os_release', return_value=release)


class ArgumentsTest(base.TestCase):
    def test_fit_into_a_kernels_command_line(self):
        # COMMAND_LINE_SIZE of x86 Linux.
        self.assertLess(len(' '.join(netboot.ARGUMENTS)), 2048 - 64)

    def test_have_nothing_that_quoting_would_break(self):
        self.assertNotRegex(' '.join(netboot.ARGUMENTS), r'["\'\\]')

    def test_name_the_label_of_the_answer_cd(self):
        data = b'd-i debian-installer/locale string de_CH.UTF-8\n'
        made = cd.from_user_data(data, 'uuid')
        self.assertEqual(made.label, Path(netboot.ANSWERS).name)
        self.assertIn(
            f'preseed/file={netboot.MOUNT_POINT}/{made.files[0].path}',
            netboot.ARGUMENTS,
        )


class KernelVersionTest(base.TestCase):
    def _version(self, listed):
        directory = Path(self.useFixture(fixtures.TempDir()).path)
        initrd = directory / 'initrd.gz'
        initrd.write_bytes(gzip.compress(b'archive'))
        self.run = mock.Mock(return_value=listed)
        with mock.patch.object(host, 'run', self.run):
            return netboot._kernel_version(initrd)

    def test_is_that_of_the_modules(self):
        listed = (
            b'bin\nlib/modules\nlib/modules/6.1.0-50-amd64\n'
            b'lib/modules/6.1.0-50-amd64/kernel\n'
            b'lib/modules/6.1.0-50-amd64/kernel/fs/fat/fat.ko\n'
        )
        self.assertEqual('6.1.0-50-amd64', self._version(listed))
        self.assertEqual(b'archive', self.run.call_args.kwargs['stdin'])

    def test_several_are_no_answer(self):
        listed = b'lib/modules/6.1/kernel\nlib/modules/6.2/kernel\n'
        self.assertRaises(host.MediaError, self._version, listed)


class ObtainTest(base.TestCase):
    def _key(self, version, packages):
        self.store = mock.Mock(spec=cache.Cache)
        with (
            _release(ID='debian', VERSION_ID=version),
            mock.patch.multiple(
                host,
                install_missing=mock.DEFAULT,
                package_versions=mock.Mock(return_value=packages),
            ),
        ):
            netboot.obtain(self.store, print)
        return self.store.product.call_args.args[1]

    def test_key_changes_with_release_and_package(self):
        self.assertEqual(self._key('12', b'1'), self._key('12', b'1'))
        self.assertNotEqual(self._key('12', b'1'), self._key('12', b'2'))
        self.assertNotEqual(self._key('12', b'1'), self._key('13', b'1'))

    def test_other_systems_are_told(self):
        for release in (
            {'ID': 'ubuntu', 'VERSION_ID': '24.04'},
            {'ID': 'debian'},
        ):
            with _release(**release):
                self.assertRaisesRegex(
                    host.MediaError, 'released Debian', netboot.obtain, 0, 0
                )


class ForeignIsoTest(base.TestCase):
    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.sources = [
            self._source(name) for name in ('linux', 'initrd.gz', 'drivers')
        ]

    def _source(self, name):
        path = self.directory / name
        path.write_text(name)
        return path

    def _content(self, *arguments):
        """What goes to the ISO, by path."""
        found = {}

        def read_tree(*command):
            tree = next(w for w in command[4:] if isinstance(w, Path))
            for path in tree.rglob('*'):
                if path.is_file():
                    found[str(path.relative_to(tree))] = path.read_text()

        kernel, *initrds = self.sources
        with mock.patch.object(host, 'run', side_effect=read_tree):
            grub.write_foreign_iso(
                self.directory / 'x.iso', 'LABEL', kernel, initrds, arguments
            )
        return found

    def test_has_the_files_as_they_are(self):
        content = self._content()
        content.pop('boot/grub/grub.cfg')
        self.assertEqual(
            {
                'boot/vmlinuz': 'linux',
                'boot/initrd.img': 'initrd.gz',
                'boot/more1.img': 'drivers',
            },
            content,
        )

    def test_words_stay_whole(self):
        entry = self._content('quiet', 'a/b=c; d')['boot/grub/grub.cfg']
        self.assertEqual(
            [
                'if [ $grub_platform = pc ]; then bits=16; fi',
                "linux$bits /boot/vmlinuz 'quiet' 'a/b=c; d'",
                'initrd$bits /boot/initrd.img /boot/more1.img',
                'boot',
            ],
            entry.splitlines(),
        )


class UdebsTest(base.TestCase):
    SOURCES = (
        'deb http://mirror/debian-security/ bookworm-security main\n'
        'deb http://mirror/debian/ bookworm contrib\n'
        'deb http://mirror/debian/ bookworm main\n'
    )

    def setUp(self):
        super().setUp()
        self.directory = Path(self.useFixture(fixtures.TempDir()).path)
        self.calls = []

    def _apt_get(self, *arguments, cwd=None):
        self.calls.append(arguments[-2:])
        settings = dict(
            word.split('=', 1) for word in arguments if '::' in word
        )
        self.sources = Path(settings['Dir::Etc::SourceList']).read_text()
        if cwd:
            (cwd / f'{arguments[-1]}_1_amd64.udeb').touch()

    def _unpack(self, sources):
        target = self.directory / 'tree'
        self.run = mock.Mock()
        with mock.patch.multiple(
            host,
            debian_sources=mock.Mock(return_value=sources),
            apt_get=self._apt_get,
            run=self.run,
        ):
            udebs.unpack(target, 'bookworm', ['isofs'])
        return target

    def test_come_from_the_release_and_are_verified(self):
        target = self._unpack(self.SOURCES)
        self.assertEqual(
            f'deb [signed-by={udebs.KEYRING}] http://mirror/debian/ bookworm '
            'main/debian-installer\n',
            self.sources,
        )
        self.assertEqual('update', self.calls[0][-1])
        self.assertEqual(('download', 'isofs'), self.calls[1])
        [call] = self.run.call_args_list
        *_command, package, unpacked_to = call.args
        self.assertEqual('isofs_1_amd64.udeb', package.name)
        self.assertEqual(target, unpacked_to)

    def test_without_a_source(self):
        self.assertRaisesRegex(
            host.MediaError,
            'Debian bookworm, component main',
            self._unpack,
            '',
        )
        self.assertEqual([], self.calls)
