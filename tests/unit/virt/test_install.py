# SPDX-License-Identifier: Apache-2.0

import ddt
from nova import exception as nova_exception
from nova import objects

from nova_newos import exception
from nova_newos import layout
from nova_newos.golden import exception as golden_exception
from nova_newos.media import base as media_base
from nova_newos.virt import blockinfo
from nova_newos.virt import install
from tests.unit.virt import fakes
from tests.unit.virt import install_base


@ddt.ddt
class ImageTest(fakes.TestCase):
    def test_unknown_properties_stay(self):
        """ImageMeta drops what Nova does not know, our own included."""
        image = fakes.image_dict(newos_root_disk_size='5')
        instance = fakes.server(image)
        self.assertNotIn(
            'newos_root_disk_size', str(instance.image_meta.properties)
        )
        self.assertEqual(
            '5',
            layout.image_properties(instance.system_metadata)[
                'newos_root_disk_size'
            ],
        )

    def test_image_id(self):
        self.assertEqual(fakes.ISO, install.image_id_of(fakes.image_meta()))
        self.assertIsNone(install.image_id_of(objects.ImageMeta()))


@ddt.ddt
class ProposeTest(fakes.TestCase):
    def test_install_iso(self):
        self.assertEqual(
            layout.Layout(iso=fakes.ISO, root_gb=20),
            install_base.propose(fakes.server(), fakes.image_meta()),
        )

    def test_media_that_apply(self):
        media = [
            fakes.Medium('answers', None),
            fakes.VIRTIO,
            fakes.Medium('third', 'r'),
        ]
        self.assertEqual(
            (('virtio', fakes.DRIVERS), ('third', 'r')),
            install_base.propose(fakes.server(), media=media).media,
        )

    def test_refusal_of_a_medium(self):
        error = exception.ImageIdInvalid(source='s', value='v')
        with self.assertRaises(exception.ImageIdInvalid):
            install_base.propose(
                fakes.server(), media=[fakes.Medium('virtio', error)]
            )

    def test_seal_that_means_nothing(self):
        """Told before an hour of installation, not after it."""
        with self.assertRaises(exception.MetadataInvalid):
            install_base.propose(
                fakes.server(metadata={'newos_seal': 'perhaps'})
            )
        image = fakes.image_dict(newos_seal='perhaps')
        with self.assertRaises(exception.PropertyInvalid):
            install_base.propose(fakes.server(image))

    def test_seal_that_the_operator_does_not_want(self):
        self.flags('newos', seal='never')
        with self.assertRaises(golden_exception.SealNotAllowed):
            install_base.propose(fakes.server(metadata={'newos_seal': 'true'}))

    @ddt.data('qcow2', 'raw', None)
    def test_other_images(self, disk_format):
        image = fakes.image_dict(disk_format, newos_install='junk')
        self.assertIsNone(
            install_base.propose(
                fakes.server(image), objects.ImageMeta.from_dict(image)
            )
        )

    def test_image_of_nothing(self):
        """An evacuation comes with an ImageMeta without fields."""
        self.assertIsNone(
            install_base.propose(fakes.server(), objects.ImageMeta())
        )

    @ddt.data('lxc', 'parallels')
    def test_other_virtualisation(self, virt_type):
        self.flags('libvirt', virt_type=virt_type)
        self.assertIsNone(install_base.propose(fakes.server()))

    @ddt.data('newos_install', 'hw_rescue_device', 'hw_rescue_bus')
    def test_not_to_be_installed(self, name):
        """Neither a live CD nor a rescue ISO makes an install server."""
        value = {'newos_install': 'false', 'hw_rescue_device': 'cdrom'}.get(
            name, 'usb'
        )
        instance = fakes.server(fakes.image_dict(**{name: value}))
        self.assertIsNone(install_base.propose(instance))
        self.assertIsNone(install_base.propose(instance, volume_root=True))

    def test_image_decides_and_not_the_layout(self):
        """After an unshelve the server's metadata still say ISO."""
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.assertIsNone(
            install_base.propose(instance, fakes.image_meta('qcow2'))
        )

    def test_volume_root(self):
        with self.assertRaisesRegex(
            exception.VolumeRootRefused, 'newos_install=false'
        ):
            install_base.propose(fakes.server(), volume_root=True)

    @ddt.data(
        ('shelved_offloaded', 'spawning', None),
        ('active', 'rebuilding', exception.VolumeRootRefused),
        ('stopped', 'rebuild_spawning', exception.VolumeRootRefused),
    )
    @ddt.unpack
    def test_volume_root_from_before_the_driver(self, state, task, error):
        """It comes back from where it was shelved to, as by Nova."""
        instance = fakes.server(vm_state=state, task_state=task)
        if error:
            with self.assertRaises(error):
                install_base.propose(instance, volume_root=True)
        else:
            self.assertIsNone(install_base.propose(instance, volume_root=True))

    def test_volume_root_of_another_image(self):
        instance = fakes.server(fakes.image_dict('qcow2'))
        self.assertIsNone(install_base.propose(instance, volume_root=True))

    @ddt.data(
        # property, option, min_disk, flavor, expected
        ('5', None, 0, 20, 5),
        ('5', 8, 0, 20, 5),
        ('5', None, 10, 20, 5),
        (None, 8, 0, 20, 8),
        (None, 8, 10, 20, 10),
        (None, 80, 0, 20, 20),
        (None, 80, 0, 0, 80),
        (None, None, 10, 20, 20),
    )
    @ddt.unpack
    def test_size(self, asked, configured, min_disk, root_gb, expected):
        self.flags('newos', root_disk_size=configured)
        properties = {'newos_root_disk_size': asked} if asked else {}
        image = fakes.image_dict(min_disk=min_disk, **properties)
        instance = fakes.server(image, flavor=fakes.flavor(root_gb))
        meta = objects.ImageMeta.from_dict(image)
        self.assertEqual(
            expected, install_base.propose(instance, meta).root_gb
        )

    def test_same_answer_again(self):
        instance = fakes.server()
        self.assertEqual(
            install_base.propose(instance, media=[fakes.VIRTIO]),
            install_base.propose(instance, media=[fakes.VIRTIO]),
        )


@ddt.ddt
class BusTest(fakes.TestCase):
    def server(self, **properties):
        return fakes.server(fakes.image_dict(**properties))

    @ddt.data(
        ('hw_cdrom_bus', 'pc-q35-7.2'),
        ('hw_disk_bus', 'pc-q35-7.2'),
        ('hw_cdrom_bus', 'q35'),
    )
    @ddt.unpack
    def test_ide_on_q35(self, name, machine):
        """Q35 has no IDE."""
        instance = self.server(hw_machine_type=machine, **{name: 'ide'})
        with self.assertRaises(exception.BusUnavailable) as caught:
            install_base.propose(instance)
        for part in (name, 'ide', machine, 'sata', 'scsi'):
            self.assertIn(part, str(caught.exception))

    @ddt.data(
        ('hw_cdrom_bus', 'virtio'),
        ('hw_cdrom_bus', 'fdc'),
        ('hw_disk_bus', 'fdc'),
    )
    @ddt.unpack
    def test_unsuitable(self, name, bus):
        """C: Nova takes these, and libvirt refuses them in the end."""
        with self.assertRaises(exception.BusUnsuitable) as caught:
            install_base.propose(self.server(**{name: bus}))
        for part in (name, bus, 'sata', 'scsi'):
            self.assertIn(part, str(caught.exception))

    def test_q35_of_the_host(self):
        """The machine type may be the operator's."""
        self.flags('libvirt', hw_machine_type=['x86_64=q35'])
        with self.assertRaises(exception.BusUnavailable):
            install_base.propose(self.server(hw_cdrom_bus='ide'))

    @ddt.data(
        {'hw_machine_type': 'q35'},
        {'hw_machine_type': 'q35', 'hw_cdrom_bus': 'scsi'},
        {'hw_machine_type': 'q35', 'hw_disk_bus': 'sata'},
        {'hw_machine_type': 'pc', 'hw_cdrom_bus': 'ide'},
        {'hw_disk_bus': 'ide'},
    )
    def test_available(self, properties):
        self.assertIsNotNone(install_base.propose(self.server(**properties)))

    def test_too_many_cdroms(self):
        """IDE has four places; the user reads what to change."""
        blockinfo.install()
        instance = fakes.server(
            fakes.image_dict(hw_disk_bus='ide', hw_cdrom_bus='ide')
        )
        proposed = layout.Layout(
            iso=fakes.ISO,
            root_gb=1,
            media=tuple((name, 'r') for name in 'abc'),
        )
        with self.assertRaises(exception.BusFull) as caught:
            install.check_devices(
                fakes.install_server(instance, proposed),
                instance.image_meta,
                None,
            )
        for part in ('disk on ide', '4 CD-ROMs on ide', 'sata', 'scsi'):
            self.assertIn(part, str(caught.exception))

    def test_enough_places(self):
        blockinfo.install()
        instance = fakes.server()
        install.check_devices(
            fakes.install_server(instance), instance.image_meta, None
        )

    @ddt.data(None, fakes.LAYOUT.restored())
    def test_stock_servers_get_novas_own_error(self, server_layout):
        instance = fakes.server(server_layout=server_layout)
        with (
            self.assertRaises(nova_exception.TooManyDiskDevices),
            install.naming(None, instance.image_meta),
        ):
            raise nova_exception.TooManyDiskDevices(maximum=4)


class VerifyTest(fakes.TestCase):
    MEDIA = (('virtio', fakes.DRIVERS), ('answers', 'digest'))

    def setUp(self):
        super().setUp()
        self.check = self.patch(install.glance, 'check')
        self.instance = fakes.server()
        self.context = fakes.context()

    def verified(self, is_required=True):
        """The media that are left."""
        generated = media_base.Generated('LABEL', None)
        image = media_base.GlanceImage(fakes.DRIVERS, is_required)
        media = (
            fakes.Medium('virtio', fakes.DRIVERS, image),
            fakes.Medium('answers', 'digest', generated),
        )
        proposed = layout.Layout(iso=fakes.ISO, root_gb=1, media=self.MEDIA)
        server = fakes.install_server(self.instance, proposed, media)
        return install.verified(self.context, 'api', server).layout.media

    def refuse(self):
        self.check.side_effect = exception.MediumTooLarge(
            image_id=fakes.DRIVERS, medium='virtio', limit=4
        )

    def test_images_of_media_only(self):
        self.assertEqual(self.MEDIA, self.verified())
        self.check.assert_called_once_with(
            self.context, 'api', fakes.DRIVERS, 'virtio', fakes.PROJECT
        )
        self.assertEqual({}, self.instance.metadata)

    def test_required(self):
        self.refuse()
        with self.assertRaises(exception.MediumTooLarge):
            self.verified()

    def test_dispensable(self):
        self.refuse()
        self.assertEqual(self.MEDIA[1:], self.verified(is_required=False))
        text = self.instance.metadata['newos_warning']
        self.assertIn('goes without virtio', text)
        self.assertIn('media_max_size=4', text)

    def test_nothing_is_missing_any_more(self):
        self.refuse()
        self.verified(is_required=False)
        self.check.side_effect = None
        self.verified(is_required=False)
        self.assertEqual({}, self.instance.metadata)


class NamingTest(fakes.TestCase):
    def naming(self, instance, media=(), volume_root=False):
        meta = instance.image_meta
        return install.naming(
            install.propose(fakes.Media(*media), instance, meta, volume_root),
            meta,
        )

    def test_layout_is_in_place_and_not_saved(self):
        instance = fakes.server()
        before = dict(instance.system_metadata)
        with self.naming(instance, [fakes.VIRTIO]):
            self.assertEqual(
                (('virtio', fakes.DRIVERS),),
                layout.load(instance.system_metadata).media,
            )
        self.assertEqual(before, instance.system_metadata)
        self.assertEqual([], self.saved)

    def test_metadata_come_back_after_an_error(self):
        instance = fakes.server()
        before = dict(instance.system_metadata)
        with self.assertRaises(ZeroDivisionError), self.naming(instance):
            raise ZeroDivisionError
        self.assertEqual(before, instance.system_metadata)

    def test_size_below_the_flavors(self):
        """The server's own metadata have the flavor's disk as min_disk."""
        instance = fakes.server(fakes.image_dict(newos_root_disk_size='5'))
        self.assertEqual('20', instance.system_metadata['image_min_disk'])
        with self.naming(instance):
            self.assertIsNotNone(layout.load(instance.system_metadata))

    def test_ordinary_server(self):
        instance = fakes.server(fakes.image_dict('qcow2'))
        with self.naming(instance):
            self.assertIsNone(layout.load(instance.system_metadata))
        self.assertNotIn('system_metadata', instance.obj_what_changed())

    def test_full_bus(self):
        instance = fakes.server()
        with (
            self.assertRaisesRegex(exception.BusFull, 'hw_cdrom_bus'),
            self.naming(instance),
        ):
            raise nova_exception.TooManyDiskDevices(maximum=4)
