# SPDX-License-Identifier: Apache-2.0

import os
import pathlib
from unittest import mock

import ddt
from nova import exception as nova_exception
from nova import objects
import nova.privsep.qemu
from oslo_concurrency import processutils

from nova_newos.golden import exception
from nova_newos.virt import exception as virt_exception
from nova_newos.virt import snapshot
from tests.unit.virt import driver_base
from tests.unit.virt import fakes
from tests.unit.virt import snapshot_base


@ddt.ddt
class RecordTest(snapshot_base.SnapshotTestCase):
    @ddt.data((fakes.LAYOUT, 'disk.newos'), (driver_base.RESTORED, 'disk'))
    @ddt.unpack
    def test_record(self, server_layout, root):
        """A stranger can boot it, and it installs nothing."""
        self.first = (root, 'raw')
        self.disk, _format = self.first_disk(None)
        pathlib.Path(self.disk).touch()
        instance = self.server(server_layout)
        self.snapshot(instance)
        self.glance.update.assert_called_once_with(
            self.context,
            fakes.OTHER,
            {
                'min_disk': 2,
                'min_ram': 0,
                'properties': {'os_type': 'linux'},
            },
            purge_props=True,
        )
        self.stock_snapshot.assert_called_once_with(
            self.driver, self.context, instance, fakes.OTHER, 'update'
        )
        self.assertEqual(
            ['record', 'snapshot', 'convert', 'upload'], self.events
        )

    def test_provenance(self):
        self.snapshot()
        properties = self.uploaded['properties']
        self.assertEqual('linux', properties['os_type'])
        found = {
            name.removeprefix('provenance_'): value
            for name, value in properties.items()
        }
        self.assertEqual(fakes.SERVER, found['server'])
        self.assertEqual(fakes.ISO, found['iso'])
        self.assertEqual(fakes.DRIVERS, found['virtio'])
        self.assertEqual(self.instance.flavor.name, found['flavor'])
        self.assertEqual(
            ('sha512:aa', 'sha512:aa'),
            (found['iso_hash'], found['virtio_hash']),
        )
        self.assertIn(', qemu 7.2.22', found['versions'])
        self.digest.assert_has_calls(
            [
                mock.call(self.context, fakes.ISO),
                mock.call(self.context, fakes.DRIVERS),
            ],
            any_order=True,
        )

    @ddt.data((1, virt_exception.Refused), (2, None), (0, None))
    @ddt.unpack
    def test_resize_to_another_cell(self, root_gb, error):
        """Nova takes an image there, and spawns the server from it."""
        instance = self.server(
            task_state='resize_migrating', new_flavor=fakes.flavor(root_gb)
        )
        if error is None:
            self.snapshot(instance)
            return
        with self.assertRaisesRegex(error, '2 GiB'):
            self.snapshot(instance)
        self.assertIn('2 GiB', instance.metadata['newos_error'])
        self.assertEqual([], self.events)

    def test_kernel_of_the_installer(self):
        """Nova would have all servers from the image boot it."""
        self.snapshot()
        self.assertNotIn('kernel_id', self.uploaded['properties'])

    def test_disk_format(self):
        self.snapshot()
        self.assertEqual('qcow2', self.uploaded['disk_format'])

    @ddt.data(
        (fakes.LAYOUT, 'disk'),
        (driver_base.RESTORED, 'disk.newos'),
    )
    @ddt.unpack
    def test_wrong_disk(self, server_layout, first):
        """Rather none than an image of the ISO."""
        self.first = (first, 'raw')
        with self.assertRaises(virt_exception.Refused) as caught:
            self.snapshot(self.server(server_layout))
        self.assertIn('reboot', caught.exception.format_message())
        self.assertEqual([], self.events)

    @ddt.data('qcow2', 'iso')
    def test_ordinary_server(self, disk_format):
        """No more than Nova does."""
        instance = fakes.server(fakes.image_dict(disk_format))
        self.patch(
            nova.virt.images,
            'convert_image',
            side_effect=lambda *_args, **_kwargs: self.events.append('nova'),
        )
        self.snapshot(instance)
        self.assertEqual([], self.glance.mock_calls)
        self.assertEqual(['snapshot', 'nova', 'upload'], self.events)
        self.assertEqual(
            {'os_type': 'linux', 'kernel_id': 'k'},
            self.uploaded['properties'],
        )
        self.started.assert_not_called()

    def test_server_that_no_database_knows_of(self):
        self.stock_snapshot.side_effect = None
        instance = fakes.server(fakes.image_dict('qcow2'))
        delattr(instance, objects.base.get_attrname('system_metadata'))
        instance._context = None
        self.snapshot(instance)
        self.stock_snapshot.assert_called_once()
        self.assertEqual([], self.glance.mock_calls)

    @ddt.data(
        'seal_sysprep',
        'verdict_os',
        'provenance_iso',
        'newos_source',
        'golden_self',
        'golden_signature_key',
        'golden_statement_9',
    )
    def test_ordinary_server_from_a_golden_image(self, name):
        """Its image does not claim what that one does."""
        self.patch(nova.virt.images, 'convert_image')
        instance = fakes.server(fakes.image_dict('qcow2', **{name: 'x'}))
        self.glance.get.return_value['properties'] = {
            'os_type': 'linux',
            'base_image_ref': fakes.ISO,
            'seal_sysprep': 'x',
            'verdict_os': 'x',
            'provenance_iso': 'x',
            'newos_source': 'x',
            'golden_self': 'x',
            'golden_signature': 'x',
            'golden_statement_1': 'x',
            'sealed_by': 'me',
        }
        self.snapshot(instance)
        self.glance.update.assert_called_once_with(
            self.context,
            fakes.OTHER,
            {
                'properties': {
                    'os_type': 'linux',
                    'base_image_ref': fakes.ISO,
                    'sealed_by': 'me',
                }
            },
            purge_props=True,
        )
        self.assertEqual(['properties', 'snapshot', 'upload'], self.events)


@ddt.ddt
class CaptureTest(snapshot_base.SnapshotTestCase):
    def finisher(self):
        """A stand-in for what seals and inspects."""

        def finish(disk, is_sealed, keeps_answers):
            self.events.append(f'sealed={is_sealed}')
            if keeps_answers:
                self.events.append('answers')
            self.assertEqual('qcow2', disk.format)
            self.assertNotEqual(self.disk, disk.path)
            return {'verdict_boot_loader': 'true'}

        self.driver._finisher = mock.Mock(spec_set=['finish'])
        self.driver._finisher.finish.side_effect = finish

    def added(self):
        """Properties that came after the record was made right."""
        return [
            call.args[2]['properties']
            for call in self.glance.update.mock_calls[1:]
        ]

    def test_sealed(self):
        """It is a throw-away copy that is sealed, and Glance is told."""
        self.finisher()
        self.snapshot(self.sealed())
        self.assertEqual(
            [
                'record',
                'snapshot',
                'create',
                'sealed=True',
                'convert',
                'properties',
                'upload',
            ],
            self.events,
        )
        self.assertEqual([{'verdict_boot_loader': 'true'}], self.added())
        self.assertEqual(
            {'target', fakes.SERVER}, set(os.listdir(self.instances_path))
        )

    def test_inspected_only(self):
        self.flags('newos', refuse=['cloud_init'])
        self.finisher()
        self.snapshot(self.sealed(metadata={}))
        self.assertIn('sealed=False', self.events)

    def test_answers(self):
        """Kept when both owner and operator want it, of an image only."""
        wish = {'newos_keep_answers': 'true'}
        self.finisher()
        with self.assertRaisesRegex(virt_exception.Refused, 'unset'):
            self.snapshot(self.sealed(metadata=wish))
        self.flags('newos', keep_answers=True)
        self.snapshot(self.sealed(metadata=wish, task_state='image_backup'))
        self.driver._finisher.finish.assert_not_called()
        self.snapshot(self.sealed(metadata=wish))
        self.assertEqual(
            ['sealed=False', 'answers'],
            [each for each in self.events if each[0] in 'sa'][-2:],
        )

    def test_refused(self):
        """There is no image of what the operator does not want."""
        self.finisher()
        self.driver._finisher.finish.side_effect = exception.VerdictRefused(
            facts='cloud_init=false'
        )
        with self.assertRaises(virt_exception.Refused):
            self.snapshot(self.sealed())
        self.assertNotIn('convert', self.events)
        self.assertNotIn('upload', self.events)

    def test_backup_is_inspected(self):
        """Not sealed; its owner can make servers of it."""
        self.flags('newos', refuse=['cloud_init'], seal='require')
        self.finisher()
        self.snapshot(self.sealed(task_state='image_backup'))
        self.assertIn('sealed=False', self.events)

    def test_backup_is_not_sealed(self):
        """Whatever is wished for images."""
        self.flags('newos', seal='never')
        self.finisher()
        for value in ('true', 'perhaps'):
            self.snapshot(
                self.sealed(
                    task_state='image_backup', metadata={'newos_seal': value}
                )
            )
        self.driver._finisher.finish.assert_not_called()

    @ddt.data('shelving', 'shelving_image_pending_upload')
    def test_what_comes_back_stays_what_it_is(self, task_state):
        self.flags('newos', refuse=['cloud_init'])
        self.finisher()
        self.snapshot(self.sealed(task_state=task_state))
        self.driver._finisher.finish.assert_not_called()

    def test_decided_at_once(self):
        """What the user thinks meanwhile does not matter."""
        self.finisher()
        instance = self.sealed()
        self.glance.get.side_effect = lambda *_args: (
            instance.metadata.update(newos_seal='false') or {'properties': {}}
        )
        self.snapshot(instance)
        self.assertIn('sealed=True', self.events)

    def test_seal_that_means_nothing(self):
        with self.assertRaisesRegex(virt_exception.Refused, 'newos_seal'):
            self.snapshot(self.sealed(metadata={'newos_seal': 'perhaps'}))
        self.assertEqual([], self.events)

    @ddt.data(('none', None, 'raw'), ('zstd', None, 'qcow2'))
    @ddt.unpack
    def test_live(self, compression, _format, expected):
        """Nova's copy of the running disk is what is captured."""
        self.flags('newos', capture_compression=compression)
        self.is_live = True
        self.finisher()
        self.snapshot(self.sealed())
        self.assertEqual((f'{self.target}.copy', 'raw', 'raw'), self.live)
        self.assertEqual(expected, self.uploaded['disk_format'])
        self.assertEqual(
            ['copy', 'create', 'sealed=True', 'convert', 'properties'],
            self.events[2:-1],
        )
        self.assertEqual(
            {'target', fakes.SERVER}, set(os.listdir(self.instances_path))
        )

    def test_live_left_to_nova(self):
        self.flags('newos', capture_compression='none')
        self.is_live = True
        self.snapshot()
        self.assertEqual((self.target, 'raw', 'raw'), self.live)
        self.assertEqual(['record', 'snapshot', 'copy', 'upload'], self.events)
        self.assertEqual(
            fakes.SERVER, self.uploaded['properties']['provenance_server']
        )

    def test_nova_went_another_way(self):
        """Rather none than one that was to be sealed and is not."""
        self.stock_snapshot.side_effect = None
        with self.assertRaisesRegex(virt_exception.Refused, 'of its own'):
            self.snapshot()
        self.assertFalse(snapshot.is_under_way())

    def test_second_at_the_same_time(self):
        """It is refused, and the first one is not affected."""

        def twice(*args):
            with self.assertRaisesRegex(
                virt_exception.Refused, 'another image'
            ):
                self.snapshot()
            self.take(*args)

        self.stock_snapshot.side_effect = twice
        self.snapshot()
        self.assertEqual('upload', self.events[-1])

    def test_failure(self):
        """The user reads why."""
        self.execute.side_effect = processutils.ProcessExecutionError(
            stderr='qemu-img: no room\n'
        )
        with self.assertRaises(virt_exception.Refused) as caught:
            self.snapshot()
        self.assertIn('(qemu-img: no room)', str(caught.exception))
        self.started.assert_called_once_with(
            self.context,
            fakes.SERVER,
            'compute_capture_root_disk',
            want_result=False,
            host='host',
        )
        # Nova writes into the event what its own errors say of themselves.
        self.assertIn(
            '(qemu-img: no room)',
            self.finished.mock_calls[0].kwargs['exc_val'].format_message(),
        )

    def test_failure_without_a_word(self):
        self.execute.side_effect = processutils.ProcessExecutionError(
            exit_code=-9
        )
        with self.assertRaisesRegex(virt_exception.Refused, '-9'):
            self.snapshot()

    def test_caller_without_a_request(self):
        self.started.side_effect = nova_exception.InstanceActionNotFound(
            request_id='r', instance_uuid=fakes.SERVER
        )
        self.snapshot()
        self.assertEqual('upload', self.events[-1])
