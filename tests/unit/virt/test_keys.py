# SPDX-License-Identifier: Apache-2.0

from unittest import mock

import ddt
from nova import exception as nova_exception
from nova.virt.libvirt import config as vconfig

from nova_newos import exception
from nova_newos.virt import keys
from tests.unit.virt import fakes

ENTER = (28,)


class Clock:
    """Stands still until somebody sleeps."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Guest:
    """A guest that reads from its CD-ROM at known moments.

    :ivar reads: dict of seconds since the start to the bytes of a read
    :ivar typed: (seconds since the start, key codes) of each stroke
    :ivar starts: seconds at which it is started anew
    :ivar share: of a processor that it has
    """

    def __init__(self, clock):
        self._clock = clock
        self._began = clock.now
        self.reads = {}
        self.typed = []
        self.starts = []
        self.share = 1
        self.error = None
        self._domain = mock.Mock(spec_set=['sendKey'])
        self._domain.sendKey.side_effect = self._type

    @property
    def _age(self):
        return round(self._clock.now - self._began, 3)

    @property
    def id(self):
        return 1 + sum(at <= self._age for at in self.starts)

    def get_all_disks(self):
        for path, device in (
            ('/i/disk.newos', 'vda'),
            ('/i/disk', 'hda'),
            (None, 'hdb'),
        ):
            disk = vconfig.LibvirtConfigGuestDisk()
            disk.source_path, disk.target_dev = path, device
            yield disk

    def get_vcpus_info(self):
        yield mock.Mock(time=self._age * self.share * 1e9)

    def get_block_device(self, device):
        assert device == 'hda'
        total = sum(size for at, size in self.reads.items() if at <= self._age)
        return mock.Mock(blockStats=lambda: (0, total, 0, 0, -1))

    def _type(self, codeset, milliseconds, codes, count, flags):
        if self.error:
            raise self.error
        assert (codeset, count, flags) == (0, len(codes), 0)
        # libvirt's binding takes nothing else.
        assert type(codes) is list
        self.typed.append((self._age, tuple(codes), milliseconds))


class Thread:
    """Runs at once."""

    def __init__(self, target, args, name, daemon):
        assert daemon
        self.start = lambda: target(*args)


@ddt.ddt
class TypeTest(fakes.TestCase):
    def setUp(self):
        super().setUp()
        clock = Clock()
        for name, fake in (('time', clock), ('threading', mock.Mock())):
            patch = mock.patch.object(keys, name, fake)
            self.addCleanup(patch.stop)
            patch.start()
        keys.threading.Thread = Thread
        self.guest = Guest(clock)
        self.host = mock.Mock(spec_set=['get_guest'])
        self.host.get_guest.return_value = self.guest
        self.instance = None

    def type(self, text, **metadata):
        self.instance = fakes.server(
            metadata={'newos_boot_keys': text, **metadata}
        )
        self.metadata[fakes.SERVER] = dict(self.instance.metadata)
        keys.type_into(self.host, self.instance)

    def warning(self):
        return self.metadata[fakes.SERVER].get('newos_warning')

    def strokes(self):
        return [codes for _at, codes, _held in self.guest.typed]

    def test_typed(self):
        self.type('<wait5>a<wait2><enter>')
        self.assertEqual(
            [(5.0, (30,), 100), (7.2, ENTER, 100)], self.guest.typed
        )
        self.assertIsNone(self.warning())

    def test_no_keys(self):
        """Of a server without keys nobody asks anything."""
        keys.type_into(self.host, fakes.server())
        self.type('')
        self.host.get_guest.assert_not_called()

    def asking(self, firmware='uefi', **metadata):
        """A server whose ISO asks for any key."""
        instance = fakes.server(
            fakes.image_dict(hw_firmware_type=firmware), metadata=metadata
        )
        instance.system_metadata['newos_prompt'] = 'asks'
        self.guest.reads = {3: 2048}
        keys.type_into(self.host, instance)

    def test_any_key(self):
        self.asking()
        ((at, codes, _held),) = self.guest.typed
        self.assertEqual(ENTER, codes)
        self.assertGreaterEqual(at, 4)

    def test_no_key_is_asked_for(self):
        self.asking(firmware='bios')
        self.asking(newos_boot_keys='')
        self.flags('newos', boot_keys_timeout=0)
        self.asking()
        self.assertEqual([], self.guest.typed)

    def test_idle(self):
        """A second after the last read of a series with short gaps."""
        self.guest.reads = {3: 2048, 3.9: 2048, 4.8: 4096}
        self.type('<waitIdle><enter>')
        ((at, codes, _held),) = self.guest.typed
        self.assertEqual(ENTER, codes)
        self.assertGreaterEqual(at, 5.8)
        self.assertLess(at, 6.3)

    def test_idle_twice(self):
        """The second time after something more was read."""
        self.guest.reads = {1: 2048, 20: 2048}
        self.type('<waitIdle><enter><waitIdle><enter>')
        first, second = (at for at, _codes, _held in self.guest.typed)
        self.assertLess(first, 3)
        self.assertGreaterEqual(second, 21)

    @ddt.data((0.1, 8, 8.5), (0.001, 4, 4.5), (0, 4, 4.5))
    @ddt.unpack
    def test_idle_on_a_busy_host(self, share, earliest, latest):
        """It has not read because it has hardly run, or because it halts."""
        self.guest.share = share
        self.guest.reads = {3: 2048}
        self.type('<waitIdle><enter>')
        ((at, _codes, _held),) = self.guest.typed
        self.assertGreaterEqual(at, earliest)
        self.assertLess(at, latest)

    def test_never_read(self):
        self.type('<waitIdle><enter>')
        self.assertEqual([], self.guest.typed)
        self.assertIn('boot_keys_timeout=600', self.warning())

    def test_never_idle(self):
        self.guest.reads = {tenth / 2: 2048 for tenth in range(2000)}
        self.type('<waitIdle><enter>')
        self.assertEqual([], self.guest.typed)
        self.assertIn('boot_keys_timeout=600', self.warning())

    def test_time_is_over(self):
        self.flags('newos', boot_keys_timeout=3)
        self.type('<wait2>a<wait2>b')
        self.assertEqual([(30,)], self.strokes())
        self.assertIn('boot_keys_timeout=3', self.warning())

    def test_warned_besides(self):
        self.flags('newos', boot_keys_timeout=1)
        self.type('<wait2>', newos_warning='goes without virtio: gone')
        self.assertRegex(
            self.warning(), '^goes without virtio: gone; boot keys'
        )

    @ddt.data('a<wait5>b', 'a<waitIdle>b')
    def test_started_anew(self, text):
        """What is typed is for one start and no other."""
        self.guest.starts = [2]
        self.guest.reads = {4: 2048}
        self.type(text)
        self.assertEqual([(30,)], self.strokes())
        self.assertIsNone(self.warning())

    def test_deleted(self):
        self.host.get_guest.side_effect = [
            self.guest,
            self.guest,
            nova_exception.InstanceNotFound(instance_id=fakes.SERVER),
        ]
        self.type('ab')
        self.assertEqual([(30,)], self.strokes())
        self.assertIsNone(self.warning())

    def test_libvirt_fails(self):
        self.guest.error = ZeroDivisionError('a path of the host')
        self.type('ab')
        self.assertEqual(
            'boot keys were not typed: ask the operator for the log',
            self.warning(),
        )

    def test_keys_are_not_logged(self):
        """They may be a password."""
        with self.assertLogs(keys.LOG.logger, 'DEBUG') as logs:
            self.type('secret')
        self.assertNotIn('secret', ''.join(logs.output))

    def test_thread(self):
        """It does not hold up the spawn, nor the end of nova-compute."""
        keys.threading.Thread = mock.Mock()
        self.type('<wait5>a')
        self.assertIs(True, keys.threading.Thread.call_args.kwargs['daemon'])
        self.host.get_guest.assert_not_called()


@ddt.ddt
class CheckTest(fakes.TestCase):
    def check(self, image=None, server=None):
        properties = {} if image is None else {'newos_boot_keys': image}
        metadata = {} if server is None else {'newos_boot_keys': server}
        instance = fakes.server(
            fakes.image_dict(**properties), metadata=metadata
        )
        keys.check(instance)

    @ddt.data(
        (None, None),
        ('', None),
        (None, ''),
        ('<wait5><tab>', None),
        # The server's come first.
        ('<nonsense>', '<tab>'),
        ('<nonsense>', ''),
    )
    @ddt.unpack
    def test_accepted(self, image, server):
        self.check(image, server)

    @ddt.data(
        ('<ener>', None, "of the image .*'<ener>' .character 1."),
        (None, 'a<ener>', "of the server .*'<ener>' .character 2."),
        ('<enter>', '<ener>', 'of the server'),
        ('<wait700>', None, 'pauses of 700 s, and 600 s are allowed'),
        # Nova has perhaps cut it.
        ('a' * 300, None, 'shorter than 255 characters'),
        (None, 'a' * 255, 'shorter than 255 characters'),
    )
    @ddt.unpack
    def test_refused(self, image, server, text):
        with self.assertRaisesRegex(exception.BootKeysRefused, text):
            self.check(image, server)

    def test_too_many_at_once(self):
        """libvirt takes sixteen."""
        held = ''.join(f'<{key}On>' for key in 'abcdefghijklmnop')
        self.check(held)
        with self.assertRaisesRegex(exception.BootKeysRefused, '16 keys'):
            self.check(f'{held}q')

    def test_longest(self):
        self.check('a' * 254)

    def test_switched_off(self):
        self.flags('newos', boot_keys_timeout=0)
        with self.assertRaisesRegex(exception.BootKeysOff, 'timeout=0'):
            self.check('<enter>')
        self.check()
        self.check('<enter>', '')
