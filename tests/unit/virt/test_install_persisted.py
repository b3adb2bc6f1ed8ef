# SPDX-License-Identifier: Apache-2.0

import ddt
from nova import exception as nova_exception
from nova import objects

from nova_newos import exception
from nova_newos import layout
from nova_newos.virt import install
from tests.unit.virt import fakes
from tests.unit.virt import install_base


def persisted(instance, server_layout, meta):
    return install.persisted(
        instance,
        server_layout and fakes.install_server(instance, server_layout),
        meta,
    )


@ddt.ddt
class PersistedTest(fakes.TestCase):
    def key(self, instance):
        return layout.load(instance.system_metadata)

    def test_install(self):
        """The decision is saved before anything is made."""
        instance = fakes.server()
        proposed = install_base.propose(instance)
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
            persisted(
                instance, install_base.propose(instance), fakes.image_meta()
            ),
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
            persisted(
                instance, install_base.propose(instance), fakes.image_meta()
            ),
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
        with persisted(instance, install_base.propose(instance, meta), meta):
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
        with persisted(instance, install_base.propose(instance, meta), meta):
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
        with persisted(instance, install_base.propose(instance, meta), meta):
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
        with persisted(instance, install_base.propose(instance, meta), meta):
            pass
        self.assertEqual(
            layout.Layout(iso=fakes.OTHER, root_gb=3),
            layout.load(self.saved[-1]),
        )

    def test_rebuild_to_a_live_cd(self):
        image = fakes.image_dict(newos_install='false')
        instance = self.rebuilt(image)
        meta = objects.ImageMeta.from_dict(image)
        with persisted(instance, install_base.propose(instance, meta), meta):
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
