# SPDX-License-Identifier: Apache-2.0

import ddt
from nova import exception as nova_exception
from nova import objects

from nova_newos import exception
from nova_newos import layout
from nova_newos.media import base as media_base
from nova_newos.virt import blockinfo
from nova_newos.virt import install
from tests.unit.virt import fakes


def propose(instance, meta=None, media=(), volume_root=False):
    found = install.propose(
        fakes.Media(*media), instance, meta or instance.image_meta, volume_root
    )
    return found and found.layout


def persisted(instance, server_layout, meta):
    return install.persisted(
        instance,
        server_layout and fakes.install_server(instance, server_layout),
        meta,
    )


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
            propose(fakes.server(), fakes.image_meta()),
        )

    def test_media_that_apply(self):
        media = [
            fakes.Medium('answers', None),
            fakes.VIRTIO,
            fakes.Medium('third', 'r'),
        ]
        self.assertEqual(
            (('virtio', fakes.DRIVERS), ('third', 'r')),
            propose(fakes.server(), media=media).media,
        )

    def test_refusal_of_a_medium(self):
        error = exception.ImageIdInvalid(source='s', value='v')
        with self.assertRaises(exception.ImageIdInvalid):
            propose(fakes.server(), media=[fakes.Medium('virtio', error)])

    def test_seal_that_means_nothing(self):
        """Told before an hour of installation, not after it."""
        with self.assertRaises(exception.MetadataInvalid):
            propose(fakes.server(metadata={'newos_seal': 'perhaps'}))
        image = fakes.image_dict(newos_seal='perhaps')
        with self.assertRaises(exception.PropertyInvalid):
            propose(fakes.server(image))

    def test_seal_that_the_operator_does_not_want(self):
        self.flags('newos', seal='never')
        with self.assertRaises(exception.SealNotAllowed):
            propose(fakes.server(metadata={'newos_seal': 'true'}))

    @ddt.data('qcow2', 'raw', None)
    def test_other_images(self, disk_format):
        image = fakes.image_dict(disk_format, newos_install='junk')
        self.assertIsNone(
            propose(fakes.server(image), objects.ImageMeta.from_dict(image))
        )

    def test_image_of_nothing(self):
        """An evacuation comes with an ImageMeta without fields."""
        self.assertIsNone(propose(fakes.server(), objects.ImageMeta()))

    @ddt.data('lxc', 'parallels')
    def test_other_virtualisation(self, virt_type):
        self.flags('libvirt', virt_type=virt_type)
        self.assertIsNone(propose(fakes.server()))

    @ddt.data('newos_install', 'hw_rescue_device', 'hw_rescue_bus')
    def test_not_to_be_installed(self, name):
        """Neither a live CD nor a rescue ISO makes an install server."""
        value = {'newos_install': 'false', 'hw_rescue_device': 'cdrom'}.get(
            name, 'usb'
        )
        instance = fakes.server(fakes.image_dict(**{name: value}))
        self.assertIsNone(propose(instance))
        self.assertIsNone(propose(instance, volume_root=True))

    def test_image_decides_and_not_the_layout(self):
        """After an unshelve the server's metadata still say ISO."""
        instance = fakes.server(server_layout=fakes.LAYOUT)
        self.assertIsNone(propose(instance, fakes.image_meta('qcow2')))

    def test_volume_root(self):
        with self.assertRaisesRegex(
            exception.VolumeRootRefused, 'newos_install=false'
        ):
            propose(fakes.server(), volume_root=True)

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
                propose(instance, volume_root=True)
        else:
            self.assertIsNone(propose(instance, volume_root=True))

    def test_volume_root_of_another_image(self):
        instance = fakes.server(fakes.image_dict('qcow2'))
        self.assertIsNone(propose(instance, volume_root=True))

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
        self.assertEqual(expected, propose(instance, meta).root_gb)

    def test_same_answer_again(self):
        instance = fakes.server()
        self.assertEqual(
            propose(instance, media=[fakes.VIRTIO]),
            propose(instance, media=[fakes.VIRTIO]),
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
            propose(instance)
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
            propose(self.server(**{name: bus}))
        for part in (name, bus, 'sata', 'scsi'):
            self.assertIn(part, str(caught.exception))

    def test_q35_of_the_host(self):
        """The machine type may be the operator's."""
        self.flags('libvirt', hw_machine_type=['x86_64=q35'])
        with self.assertRaises(exception.BusUnavailable):
            propose(self.server(hw_cdrom_bus='ide'))

    @ddt.data(
        {'hw_machine_type': 'q35'},
        {'hw_machine_type': 'q35', 'hw_cdrom_bus': 'scsi'},
        {'hw_machine_type': 'q35', 'hw_disk_bus': 'sata'},
        {'hw_machine_type': 'pc', 'hw_cdrom_bus': 'ide'},
        {'hw_disk_bus': 'ide'},
    )
    def test_available(self, properties):
        self.assertIsNotNone(propose(self.server(**properties)))

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


@ddt.ddt
class PersistedTest(fakes.TestCase):
    def key(self, instance):
        return layout.load(instance.system_metadata)

    def test_install(self):
        """The decision is saved before anything is made."""
        instance = fakes.server()
        proposed = propose(instance)
        meta = fakes.image_meta()
        with persisted(instance, proposed, meta):
            [saved] = self.saved
            self.assertEqual(proposed, layout.load(saved))
        self.assertEqual(proposed, self.key(instance))
        self.assertEqual('iso', instance.system_metadata['image_disk_format'])
        self.assertEqual(1, len(self.saved))

    def test_failed_spawn(self):
        """The next host may have the stock driver."""
        instance = fakes.server()
        before = dict(instance.system_metadata)
        with (
            self.assertRaises(ZeroDivisionError),
            persisted(instance, propose(instance), fakes.image_meta()),
        ):
            raise ZeroDivisionError
        self.assertEqual(before, instance.system_metadata)
        self.assertEqual(before, self.saved[-1])
        self.assertNotIn(layout.KEY, self.saved[-1])

    @ddt.data(
        nova_exception.InstanceNotFound(instance_id=fakes.SERVER),
        RuntimeError('the database is down'),
    )
    def test_cannot_be_saved_after_a_failure(self, error):
        """What the user reads is why the spawn failed."""
        instance = fakes.server()
        with (
            self.assertRaises(ZeroDivisionError),
            persisted(instance, propose(instance), fakes.image_meta()),
        ):
            self.save_error = error
            raise ZeroDivisionError

    @ddt.data('qcow2', 'raw', 'iso')
    def test_ordinary_server(self, disk_format):
        """Nothing is written for a server that is not to be installed."""
        image = fakes.image_dict(disk_format, newos_install='false')
        instance = fakes.server(image)
        before = dict(instance.system_metadata)
        meta = objects.ImageMeta.from_dict(image)
        with persisted(instance, propose(instance, meta), meta):
            self.assertEqual(before, instance.system_metadata)
        with (
            self.assertRaises(ZeroDivisionError),
            persisted(instance, None, meta),
        ):
            raise ZeroDivisionError
        self.assertEqual([], self.saved)
        self.assertNotIn('system_metadata', instance.obj_what_changed())

    def unshelved(self):
        return fakes.server(
            server_layout=fakes.LAYOUT, vm_state='shelved_offloaded'
        )

    def test_unshelve(self):
        """The installed disk must not become a CD-ROM again."""
        instance = self.unshelved()
        meta = fakes.image_meta('qcow2', image_id=fakes.OTHER)
        with persisted(instance, propose(instance, meta), meta):
            self.assertEqual(fakes.LAYOUT.restored(), self.key(instance))
        self.assertEqual(fakes.LAYOUT.restored(), layout.load(self.saved[-1]))
        self.assertEqual('qcow2', self.saved[-1]['image_disk_format'])

    def test_failed_unshelve(self):
        """It may be tried again, with what was there before."""
        instance = self.unshelved()
        meta = fakes.image_meta('qcow2', image_id=fakes.OTHER)
        with (
            self.assertRaises(ZeroDivisionError),
            persisted(instance, None, meta),
        ):
            raise ZeroDivisionError
        self.assertEqual(fakes.LAYOUT, layout.load(self.saved[-1]))
        self.assertEqual('iso', self.saved[-1]['image_disk_format'])

    def test_unshelve_again(self):
        """A restored server stays restored."""
        instance = fakes.server(
            server_layout=fakes.LAYOUT.restored(),
            vm_state='shelved_offloaded',
        )
        meta = fakes.image_meta('raw', image_id=fakes.OTHER)
        with persisted(instance, None, meta):
            pass
        self.assertEqual(fakes.LAYOUT.restored(), self.key(instance))
        self.assertEqual('raw', instance.system_metadata['image_disk_format'])

    def rebuilt(self, image, server_layout=fakes.LAYOUT):
        return fakes.server(
            image, server_layout, task_state='rebuild_spawning'
        )

    @ddt.data(fakes.LAYOUT, fakes.LAYOUT.restored())
    def test_rebuild_to_an_ordinary_image(self, server_layout):
        """It is a server of stock Nova from then on."""
        instance = self.rebuilt(fakes.image_dict('qcow2'), server_layout)
        meta = fakes.image_meta('qcow2')
        with persisted(instance, propose(instance, meta), meta):
            self.assertNotIn(layout.KEY, instance.system_metadata)
        self.assertNotIn(layout.KEY, self.saved[-1])

    def test_failed_rebuild_to_an_ordinary_image(self):
        instance = self.rebuilt(fakes.image_dict('qcow2'))
        with (
            self.assertRaises(ZeroDivisionError),
            persisted(instance, None, fakes.image_meta('qcow2')),
        ):
            raise ZeroDivisionError
        self.assertEqual(fakes.LAYOUT, layout.load(self.saved[-1]))

    def test_rebuild_to_another_iso(self):
        """The new image decides anew."""
        image = fakes.image_dict(
            image_id=fakes.OTHER, newos_root_disk_size='3'
        )
        instance = self.rebuilt(image)
        meta = objects.ImageMeta.from_dict(image)
        with persisted(instance, propose(instance, meta), meta):
            pass
        self.assertEqual(
            layout.Layout(iso=fakes.OTHER, root_gb=3),
            layout.load(self.saved[-1]),
        )

    def test_rebuild_to_a_live_cd(self):
        image = fakes.image_dict(newos_install='false')
        instance = self.rebuilt(image)
        meta = objects.ImageMeta.from_dict(image)
        with persisted(instance, propose(instance, meta), meta):
            pass
        self.assertNotIn(layout.KEY, self.saved[-1])

    def test_layout_of_the_future(self):
        """What cannot be read is not overwritten."""
        instance = fakes.server()
        instance.system_metadata[layout.KEY] = '{"v":2}'
        with (
            self.assertRaises(exception.LayoutInvalid),
            persisted(instance, None, fakes.image_meta()),
        ):
            self.fail('it should not come to this')
        self.assertEqual([], self.saved)

    def test_too_long_a_layout(self):
        instance = fakes.server()
        long = layout.Layout(
            iso=fakes.ISO, root_gb=1, media=(('a', 'x' * 255),)
        )
        before = dict(instance.system_metadata)
        with (
            self.assertRaises(exception.LayoutTooLong),
            persisted(instance, long, fakes.image_meta()),
        ):
            self.fail('it should not come to this')
        self.assertEqual(before, instance.system_metadata)
        self.assertEqual([], self.saved)
