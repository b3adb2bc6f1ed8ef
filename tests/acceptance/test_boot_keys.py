# SPDX-License-Identifier: Apache-2.0
"""ISOs whose boot menu waits for somebody, driven by the compute host.

The first entry of each menu boots nothing.
"""

import subprocess

import pytest

from devstack.onebox import apt

KEYS = '--property=newos_boot_keys=<waitIdle><down><enter>'
_LABEL = 'NEWOS_WAITING'
_ISOLINUX = """\
DEFAULT menu.c32
PROMPT 0
TIMEOUT 0
LABEL nothing
  LOCALBOOT -1
LABEL probe
  KERNEL /boot/vmlinuz
  INITRD /boot/initrd.img
  APPEND {arguments}
"""
_GRUB = """\
set timeout=-1
menuentry nothing {{ true }}
menuentry probe {{
{commands}
}}
"""


def run(*command, cwd=None):
    subprocess.run(
        [str(word) for word in command],
        check=True,
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


@pytest.fixture
def tree(media, tmp_path):
    """What is on the waiting ISO."""
    found = tmp_path / 'tree'
    run(
        *('xorriso', '-osirrox', 'on', '-indev', media['waiting']),
        *('-extract', '/', found),
    )
    run('chmod', '-R', 'u+w', found)
    return found


def _isolinux(tree, target):
    packages = target.parent / 'packages'
    packages.mkdir()
    run(*apt.COMMAND, 'download', 'isolinux', 'syslinux-common', cwd=packages)
    for package in packages.glob('*.deb'):
        run('dpkg-deb', '-x', package, packages)
    modules = packages / 'usr/lib/syslinux/modules/bios'
    for path in (
        packages / 'usr/lib/ISOLINUX/isolinux.bin',
        *(modules / f'{name}.c32' for name in ('ldlinux', 'menu', 'libutil')),
    ):
        (tree / path.name).write_bytes(path.read_bytes())
    commands = (tree / 'boot/grub/grub.cfg').read_text()
    arguments = commands.partition('/boot/vmlinuz ')[2].partition('\n')[0]
    (tree / 'isolinux.cfg').write_text(_ISOLINUX.format(arguments=arguments))
    run(
        *('xorriso', '-as', 'mkisofs', '-o', target, '-V', _LABEL, '-r'),
        *('-b', 'isolinux.bin', '-c', 'boot.cat', '-no-emul-boot'),
        *('-boot-load-size', '4', '-boot-info-table', tree),
    )


def _grub(tree, target):
    config = tree / 'boot/grub/grub.cfg'
    config.write_text(_GRUB.format(commands=config.read_text()))
    run('grub-mkrescue', '-o', target, tree, '--', '-volid', _LABEL)


@pytest.mark.parametrize('make', [_isolinux, _grub])
def test_menu(make, tree, tmp_path, plain, images, launch):
    path = tmp_path / 'menu.iso'
    make(tree, path)
    guest = launch(images(plain(path)), KEYS)
    guest.wait_for_report(**{'booted-from': 'waiting'})
    assert 'newos_warning' not in guest.server().metadata


def test_nonsense_is_to_be_typed(launch, waiting_iso):
    guest = launch(
        waiting_iso,
        '--property=newos_boot_keys=<ener>',
        expect=('ERROR',),
    )
    assert "'<ener>'" in guest.server().fault['message']
    assert "'<ener>'" in guest.told()
    guest.assert_nothing_left()
