# SPDX-License-Identifier: Apache-2.0

import hashlib
import pathlib

import ddt
import fixtures

from nova_newos.build import engine
from nova_newos.build import exception
from nova_newos.build import facts
from nova_newos.build import iso_file
from nova_newos.build import plan
from nova_newos.build import start
from nova_newos.iso import exception as iso_exception
from tests.unit.build import base
from tests.unit.build import cloud as fake_cloud
from tests.unit.iso import samples

BIOS_ENTRY = samples.validation() + samples.entry(samples.BIOS_IMAGE)


def bootable(**kwargs):
    """Bytes of an ISO that BIOS boots."""
    return samples.medium(
        [samples.primary(**kwargs), samples.boot_record()],
        {samples.CATALOG: BIOS_ENTRY},
    )


class FileTestCase(base.BuildTestCase):
    def setUp(self):
        super().setUp()
        directory = self.useFixture(fixtures.TempDir()).path
        self.path = pathlib.Path(directory) / 'small.iso'
        self.path.write_bytes(bootable())
        self.plan = plan.Plan(name='debian', flavor='f')

    def look(self):
        return iso_file.look(self.path, database=self.path.parent / 'none')

    def begin(self, build_id=None, **kwargs):
        build_id = build_id or start.new_id()
        start.create_from_file(
            self.cloud, build_id, self.plan, self.look(), **kwargs
        )
        return build_id

    def uploaded(self):
        """Images that builds have uploaded."""
        return [
            image
            for image in self.cloud.images.values()
            if image.disk_format == 'iso' and image is not self.iso
        ]


@ddt.ddt
class LookTest(FileTestCase):
    def test_properties(self):
        found = self.look()
        self.assertEqual('small.iso', found.name)
        self.assertEqual(self.path.stat().st_size, found.size)
        self.assertEqual('bios', found.properties['newos_boot'])
        self.assertEqual('A MEDIUM', found.properties['newos_volume_id'])
        self.assertEqual((), found.notes)

    def test_hostile_name(self):
        self.path = self.path.rename(self.path.with_name('a\x1b[2Jb\n.iso'))
        self.assertEqual('a?[2Jb?.iso', self.look().name)

    def test_no_iso(self):
        self.path.write_bytes(bytes(100000))
        with self.assertRaises(iso_exception.NotAnIso):
            self.look()

    def test_truncated(self):
        self.path.write_bytes(bootable(blocks=10**6))
        with self.assertRaisesRegex(
            exception.IsoFileTruncated, 'download it again'
        ):
            self.look()

    def test_does_not_boot(self):
        self.path.write_bytes(samples.medium([samples.primary()]))
        with self.assertRaisesRegex(exception.IsoFileDoesNotBoot, 'small'):
            self.look()

    def test_what_cannot_be_read_may_boot(self):
        self.path.write_bytes(
            samples.medium([samples.primary(), samples.boot_record()])
        )
        self.assertNotIn('newos_boot', self.look().properties)

    def test_live(self):
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova_newos.iso.properties',
                lambda *_a: {'newos_install': 'false', 'newos_os': 'knoppix'},
            )
        )
        with self.assertRaisesRegex(exception.IsoFileIsLive, 'knoppix'):
            self.look()

    def test_uefi(self):
        self.path.write_bytes(
            samples.medium(
                [samples.primary(), samples.boot_record()],
                {
                    samples.CATALOG: samples.validation(samples.UEFI)
                    + samples.entry(samples.UEFI_IMAGE),
                    samples.UEFI_IMAGE: samples.floppy(
                        {b'BOOTX64 EFI': samples.program()}
                    ),
                },
            )
        )
        found = self.look()
        self.assertEqual('uefi', found.properties['hw_firmware_type'])
        self.assertIn('UEFI only', found.notes[0])


class UploadTest(FileTestCase):
    def test_build(self):
        told = []
        build_id = self.begin(told=told.append)
        [image] = self.uploaded()
        self.assertEqual('bios', image.properties['newos_boot'])
        self.assertEqual('private', image.visibility)
        self.assertTrue(image.is_hidden)
        self.assertEqual(self.path.stat().st_size, told[-1])
        self.assertEqual(
            image.id, self.cloud.server('install').fields['image_id']
        )
        reached = self.drive(build_id)
        self.assertIs(engine.Phase.DONE, reached[-1].phase)
        self.assert_golden()
        self.assertEqual([], self.uploaded())

    def test_refused_before_the_upload(self):
        self.cloud.limits.instances = 1
        with self.assertRaises(exception.QuotaTooSmall):
            self.begin()
        self.assertEqual([], self.cloud.requests)

    def test_kept(self):
        """And not uploaded again for the next build."""
        self.drive(self.begin(keep_iso=True))
        [image] = self.uploaded()
        self.assertEqual(
            ['golden-build-iso', 'golden-build-kept-iso'], image.tags
        )
        self.assertFalse(image.is_hidden)
        self.cloud.requests.clear()
        self.drive(self.begin())
        self.assertNotIn('create_image', self.cloud.requests)
        self.assertEqual([image], self.uploaded())

    def test_kept_one_of_other_bytes(self):
        self.drive(self.begin(keep_iso=True))
        [image] = self.uploaded()
        image.hash_value = hashlib.sha512(b'other').hexdigest()
        self.cloud.requests.clear()
        self.begin()
        self.assertIn('create_image', self.cloud.requests)

    def test_kept_one_of_an_unknown_hash(self):
        self.drive(self.begin(keep_iso=True))
        self.uploaded()[0].hash_algo = '../md6'
        self.cloud.requests.clear()
        self.begin()
        self.assertIn('create_image', self.cloud.requests)

    def test_again_after_an_error(self):
        """What is done is not done anew."""
        build_id = start.new_id()
        self.cloud.kill_after = 2
        with self.assertRaises(fake_cloud.Killed):
            self.begin(build_id)
        self.uploaded()[0].status = 'active'
        self.cloud.kill_after = None
        for _attempt in range(2):
            self.begin(build_id)
        self.assertEqual(1, len(self.uploaded()))
        self.assertEqual(1, len(self.cloud.servers))

    def test_killed_anywhere(self):
        """Another client finds it, and leaves nothing."""
        for keep_iso in (False, True):
            for count in range(1, 4):
                with self.subTest(requests=count, keep_iso=keep_iso):
                    self.setUp()
                    self.cloud.kill_after = count
                    with self.assertRaises(fake_cloud.Killed):
                        self.begin(keep_iso=keep_iso)
                    self.cloud.kill_after = None
                    [build] = facts.builds(self.cloud)
                    engine.cancel(self.cloud, build.build_id)
                    self.assertEqual({}, self.cloud.servers)
                    self.assertEqual([], facts.builds(self.cloud))
                    # One that was uploaded whole is kept even then.
                    self.assertEqual(
                        keep_iso and count == 3, bool(self.uploaded())
                    )

    def test_killed_while_it_ends(self):
        self.drive(self.begin(keep_iso=True))
        for count in range(4, len(self.cloud.requests) + 1):
            for keep_iso in (False, True):
                with self.subTest(requests=count, keep_iso=keep_iso):
                    self.setUp()
                    self.cloud.kill_after = count
                    build_id = self.begin(keep_iso=keep_iso)
                    try:
                        self.drive(build_id)
                    except fake_cloud.Killed:
                        self.cloud.kill_after = None
                    self.drive(build_id)
                    self.assertEqual(keep_iso, bool(self.uploaded()))
                    self.assertEqual({}, self.cloud.servers)
                    self.assertEqual([], facts.builds(self.cloud))

    def test_phase(self):
        """Others see what is so, and whether to wait for it."""
        build_id = start.new_id()
        self.cloud.kill_after = 1
        with self.assertRaises(fake_cloud.Killed):
            self.begin(build_id)
        [image] = self.uploaded()
        for state, is_orphan, text in (
            ('queued', True, 'is not being uploaded'),
            ('saving', False, 'is being uploaded'),
            ('active', True, 'is uploaded, and'),
        ):
            image.status = state
            for ask in (engine.status, engine.advance):
                found = ask(self.cloud, build_id)
                self.assertIs(engine.Phase.UPLOAD, found.phase)
                self.assertEqual(is_orphan, found.is_orphan)
                self.assertIn(text, found.detail)
                self.assertIsNotNone(found.begun)
        image.status = 'queued'
        self.assertEqual(
            [build_id], iso_file.interrupted(self.cloud, self.look())
        )
