# SPDX-License-Identifier: Apache-2.0

import io
import types

import ddt
import fixtures
from keystoneauth1 import exceptions as keystone_exceptions
from openstack import exceptions
from PIL import Image

from nova_newos.build import facts
from nova_newos.build.console import still
from nova_newos.build.console import viewer
from nova_newos.build.console import watch
from tests.unit import base
from tests.unit.build.console import host
from tests.unit.build.console import test_display

SERVER = types.SimpleNamespace(id='one')
OTHER = types.SimpleNamespace(id='two')


class StillnessTest(base.TestCase):
    def seconds(self, *looks, text=''):
        """A look each second."""
        stillness = still.Stillness()
        for now, colour in enumerate(looks):
            found = stillness.look(now, host.plain(colour), text)
        return found

    def test_still(self):
        self.assertEqual(3, self.seconds('red', 'red', 'red', 'red'))

    def test_changed(self):
        self.assertEqual(1, self.seconds('red', 'red', 'blue', 'blue'))

    def test_cursor(self):
        """What blinks is new just once."""
        self.assertEqual(8, self.seconds(*['red', 'blue'] * 5))

    def test_always_new(self):
        colours = [f'#0000{number:02x}' for number in range(40)]
        self.assertEqual(0, self.seconds(*colours))

    def test_after_a_long_time(self):
        """A menu that comes back is news."""
        others = [f'#0000{number:02x}' for number in range(20)]
        self.assertEqual(0, self.seconds('red', *others, 'red'))

    def test_text(self):
        stillness = still.Stillness()
        image = host.plain('red')
        stillness.look(0, image, 'a')
        self.assertEqual(0, stillness.look(5, image, 'ab'))
        self.assertEqual(5, stillness.look(10, image, 'ab'))

    def test_no_screen(self):
        stillness = still.Stillness()
        stillness.look(0)
        self.assertEqual(5, stillness.look(5))

    def test_size(self):
        self.assertNotEqual(
            still.digest(host.plain('red', (4, 2))),
            still.digest(host.plain('red', (2, 4))),
        )


@ddt.ddt
class ViewerTest(test_display.ConsoleTestCase):
    def setUp(self):
        super().setUp()
        self.cloud = test_display.cloud_with()
        self.now = 1000
        self.useFixture(
            fixtures.MonkeyPatch('time.monotonic', lambda: self.now)
        )

    def test_picture(self):
        data = viewer.picture(self.cloud, SERVER)
        with Image.open(io.BytesIO(data)) as image:
            self.assertEqual('PNG', image.format)
            self.assertEqual(self.host.screen.tobytes(), image.tobytes())
        self.assertTrue(self.host.is_closed)

    @ddt.data(403, 404, 500, None)
    def test_no_picture(self, code):
        error = exceptions.HttpException('no')
        error.status_code = code
        self.cloud.compute.create_console.side_effect = error
        self.assertIsNone(viewer.picture(self.cloud, SERVER))

    def test_no_cloud(self):
        self.cloud.compute.create_console.side_effect = (
            keystone_exceptions.ConnectFailure('refused')
        )
        self.assertIsNone(viewer.picture(self.cloud, SERVER))

    def test_nothing_answers(self):
        self.connect.side_effect = ConnectionRefusedError()
        self.assertIsNone(viewer.picture(self.cloud, SERVER))

    def test_stays_connected(self):
        with viewer.Viewer(self.cloud) as looks:
            for colour in ('red', 'lime'):
                self.host.screen = host.plain(colour)
                self.assertEqual(
                    self.host.screen.tobytes(), looks.look(SERVER).tobytes()
                )
            self.assertFalse(self.host.is_closed)
        self.assertEqual(1, self.connect.call_count)
        self.assertTrue(self.host.is_closed)

    def test_connects_again(self):
        """Not at each look."""
        looks = viewer.Viewer(self.cloud)
        looks.look(SERVER)
        self.host.recv = lambda timeout: 'broken'
        self.assertIsNone(looks.look(SERVER))
        self.assertTrue(self.host.is_closed)
        self.host = host.Host()
        self.assertIsNone(looks.look(SERVER))
        self.now += 60
        self.assertIsNotNone(looks.look(SERVER))

    def test_another_server(self):
        looks = viewer.Viewer(self.cloud)
        looks.look(SERVER)
        first, self.host = self.host, host.Host()
        looks.look(OTHER)
        self.assertTrue(first.is_closed)
        self.assertIsNone(looks.look(None))
        self.assertTrue(self.host.is_closed)

    def test_which_server(self):
        """The one that is at work."""
        for install, tests, expected in (
            (None, (), None),
            (SERVER, (), SERVER),
            (SERVER, (OTHER,), OTHER),
        ):
            found = facts.Facts('build', install, tests)
            self.assertIs(expected, viewer.server_of(found))


class WatchTest(test_display.ConsoleTestCase):
    def setUp(self):
        super().setUp()
        self.now = 1000
        self.useFixture(
            fixtures.MonkeyPatch('time.monotonic', lambda: self.now)
        )
        self.watch = watch.Watch(test_display.cloud_with(), seconds=60)

    def look(self, after=0, server=SERVER, console='Language?'):
        self.now += after
        return self.watch.look(server, console)

    def test_stall(self):
        self.assertIsNone(self.look())
        self.assertIsNone(self.look(59))
        stall = self.look(2)
        self.assertEqual(61, stall.seconds)
        self.assertEqual(b'\x89PNG', stall.picture[:4])

    def test_screen_changes(self):
        self.look()
        self.host.screen = host.plain('red')
        self.assertIsNone(self.look(61))

    def test_console_changes(self):
        self.look()
        self.assertIsNone(self.look(61, console='Language? en'))

    def test_another_server(self):
        self.look()
        self.assertIsNone(self.look(61, server=OTHER))
        self.assertIsNone(self.look(61, server=None))
        self.assertIsNone(self.look(61, server=OTHER))

    def test_no_screen(self):
        """The serial console alone tells."""
        self.connect.side_effect = ConnectionRefusedError()
        with self.watch:
            self.look()
            stall = self.look(61)
        self.assertEqual((61, None), (stall.seconds, stall.picture))
