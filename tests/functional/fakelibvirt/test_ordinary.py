# SPDX-License-Identifier: Apache-2.0
"""What is not an install server is exactly what stock Nova makes of it."""

import contextlib
import re

from nova.virt.libvirt import blockinfo

from nova_newos.virt import blockinfo as newos_blockinfo
from tests.functional.fakelibvirt import base


@contextlib.contextmanager
def untouched_blockinfo():
    """Nova's blockinfo as it is where our driver was never loaded."""
    newos_blockinfo.uninstall()
    yield
    newos_blockinfo.install()


class OrdinaryServersTestCase(base.ServersTestCase):
    """The same request on a host with Nova's driver and on one with ours.

    XML is compared byte by byte, but for what differs between any two
    servers: ids, names, the time of creation.
    """

    HOSTS = {'stock': base.STOCK, 'ours': base.NEWOS}

    def setUp(self):
        super().setUp()
        # One disk image and one ISO for both hosts: the names of cached
        # images come from their ids.
        self.disk_image = self.add_disk_image()
        self.iso = self.add_image(properties={'newos_install': 'false'})
        self.flavor = self.add_flavor()
        self.full_flavor = self.add_flavor(ephemeral=1, swap=64)

    def bare_xml(self, server, host):
        xml = self.xml(server, host)
        xml = xml.replace(server['id'], 'UUID').replace(
            self.instance(server).name, 'NAME'
        )
        return re.sub('<nova:creationTime>.*</nova:creationTime>', '', xml)

    def backing_files(self, server):
        return {
            name: self.qemu_img_info(self.directory(server) / name).get(
                'full-backing-filename'
            )
            for name in self.files(server)
            if name.startswith('disk') and name != 'disk.info'
        }

    def metadata(self, server):
        return dict(self.instance(server).system_metadata)

    def observe(self, host, image, flavor, actions, **fields):
        """All that a server is, after its creation and after each action."""
        server = self.create(image, flavor, host=host, **fields)
        seen = []
        for action in (None, *actions):
            if action:
                action(server)
            seen.append(
                (
                    self.bare_xml(server, host),
                    self.metadata(server),
                    self.files(server),
                    self.backing_files(server),
                )
            )
        # The other host's server is to have the same volume, if any.
        self._delete_server(server)
        return seen

    def compare(self, image, flavor, *actions, **fields):
        with untouched_blockinfo():
            stock = self.observe('stock', image, flavor, actions, **fields)
        # Else what was compared with may not have been stock at all.
        self.assertTrue(hasattr(blockinfo.get_root_info, '__wrapped__'))
        ours = self.observe('ours', image, flavor, actions, **fields)
        for before, after in zip(stock, ours, strict=True):
            self.assertEqual(before, after)
        return ours

    def hard_reboot(self, server):
        self._reboot_server(server, hard=True)

    def stop_and_start(self, server):
        self._stop_server(server)
        self._start_server(server)

    def test_disk_image(self):
        self.compare(
            self.disk_image, self.flavor, self.hard_reboot, self.stop_and_start
        )

    def test_all_local_disks_and_config_drive(self):
        [(xml, *_rest)] = self.compare(
            self.disk_image, self.full_flavor, config_drive=True
        )
        self.assertEqual(4, xml.count('<disk '))

    def test_live_cd(self):
        self.compare(self.iso, self.flavor, self.hard_reboot)

    def test_boot_from_volume(self):
        volume = self.cinder.IMAGE_BACKED_VOL
        self.compare(
            '',
            self.flavor,
            self.hard_reboot,
            block_device_mapping_v2=[
                {
                    'boot_index': 0,
                    'uuid': volume,
                    'source_type': 'volume',
                    'destination_type': 'volume',
                }
            ],
        )

    def test_trivial_difference_is_seen(self):
        """The comparison is able to fail."""
        with untouched_blockinfo():
            stock = self.observe('stock', self.disk_image, self.flavor, ())
            other = self.observe('stock', self.iso, self.flavor, ())
        self.assertNotEqual(stock, other)

    def test_iso_server_from_before_our_driver(self):
        iso = self.add_image()
        with untouched_blockinfo():
            server = self.create(iso, self.flavor, host='stock')
            self.hard_reboot(server)
            before = (
                self.bare_xml(server, 'stock'),
                self.metadata(server),
                self.files(server),
            )
        self.restart_compute_service('stock', base.NEWOS)
        self.hard_reboot(server)
        self.assertEqual(
            before,
            (
                self.bare_xml(server, 'stock'),
                self.metadata(server),
                self.files(server),
            ),
        )
