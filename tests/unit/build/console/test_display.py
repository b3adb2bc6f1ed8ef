# SPDX-License-Identifier: Apache-2.0

import itertools
import ssl
from unittest import mock

import ddt
import fixtures
from openstack import exceptions
from websockets import exceptions as websocket_exceptions

from nova_newos.build.console import display
from nova_newos.build.console import exception
from tests.unit import base
from tests.unit.build.console import host

URL = 'http://host:6080/vnc_lite.html?path=%3Ftoken%3D0d7c'


def cloud_with(url=URL, **kwargs):
    cloud = mock.Mock()
    cloud.compute.create_console = mock.Mock(
        return_value={'url': url}, **kwargs
    )
    cloud.config.get_requests_verify_args.return_value = (True, None)
    return cloud


class ConsoleTestCase(base.TestCase):
    """Has a host in the place of the network."""

    def setUp(self):
        super().setUp()
        self.host = host.Host()
        patcher = mock.patch.object(
            display.websocket_client,
            'connect',
            side_effect=lambda *_a, **_k: self.host,
        )
        self.connect = patcher.start()
        self.addCleanup(patcher.stop)


@ddt.ddt
class ConnectTest(ConsoleTestCase):
    def test_connect(self):
        cloud = cloud_with()
        with display.connect(cloud, 'server'):
            pass
        cloud.compute.create_console.assert_called_once_with('server', 'novnc')
        [url], options = self.connect.call_args
        self.assertEqual('ws://host:6080/?token=0d7c', url)
        self.assertIsNone(options['ssl'])
        self.assertTrue(self.host.is_closed)

    @ddt.data(
        (URL.replace('http:', 'https:'), 'wss://host:6080/?token=0d7c'),
        # Behind a web server, and with a path of its own.
        (
            'https://cloud/vnc/vnc_auto.html?path=vnc/%3Ftoken%3Dx&scale=true',
            'wss://cloud/vnc/?token=x',
        ),
        ('http://[::1]:1/a?path=%2F%3Ftoken%3Dx', 'ws://[::1]:1/?token=x'),
    )
    @ddt.unpack
    def test_url(self, url, expected):
        self.assertEqual(expected, display.websocket_url(url))

    @ddt.data(
        'file:///etc/passwd?path=x', 'https:///?path=x', 'http://h/x', 'x'
    )
    def test_other_urls(self, url):
        with self.assertRaises(exception.ConsoleUnavailable):
            display.websocket_url(url)

    @ddt.data((True, ssl.CERT_REQUIRED), (False, ssl.CERT_NONE))
    @ddt.unpack
    def test_tls_as_the_cloud(self, verify, expected):
        cloud = cloud_with(URL.replace('http:', 'https:'))
        cloud.config.get_requests_verify_args.return_value = (verify, None)
        display.connect(cloud, 'server').close()
        context = self.connect.call_args.kwargs['ssl']
        self.assertEqual(expected, context.verify_mode)
        self.assertEqual(verify, context.check_hostname)

    def test_tls_with_the_clouds_authorities(self):
        cloud = cloud_with(URL.replace('http:', 'https:'))
        directory = self.useFixture(fixtures.TempDir()).path
        for path, option in (
            (directory, 'capath'),
            (__file__, 'cafile'),
        ):
            cloud.config.get_requests_verify_args.return_value = (path, None)
            with mock.patch.object(ssl, 'create_default_context') as create:
                display.connect(cloud, 'server').close()
            create.assert_called_once_with(**{option: path})
            self.host = host.Host()

    def test_tls_with_a_certificate_of_the_user(self):
        cloud = cloud_with(URL.replace('http:', 'https:'))
        for given, expected in (
            ('pem', ('pem',)),
            (('pem', 'key'), ('pem', 'key')),
        ):
            cloud.config.get_requests_verify_args.return_value = (True, given)
            with mock.patch.object(ssl, 'create_default_context') as create:
                display.connect(cloud, 'server').close()
            create().load_cert_chain.assert_called_once_with(*expected)
            self.host = host.Host()

    @ddt.data(400, 403, 404, 409, 501)
    def test_no_console(self, code):
        error = exceptions.HttpException('no', http_status=code)
        error.status_code = code
        cloud = cloud_with(side_effect=error)
        with self.assertRaises(exception.ConsoleUnavailable):
            display.connect(cloud, 'server')

    def test_no_cloud(self):
        error = exceptions.HttpException('no', http_status=503)
        error.status_code = 503
        cloud = cloud_with(side_effect=error)
        with self.assertRaises(exceptions.HttpException):
            display.connect(cloud, 'server')

    @ddt.data(
        ConnectionRefusedError('refused'),
        TimeoutError(),
        ssl.SSLCertVerificationError('self-signed'),
        websocket_exceptions.InvalidUpgrade('Upgrade'),
    )
    def test_no_connection(self, error):
        """Who reads the error learns no token."""
        self.connect.side_effect = error
        with self.assertRaises(exception.ConsoleLost) as caught:
            display.connect(cloud_with(), 'server')
        self.assertIn('ws://host:6080/', str(caught.exception))
        self.assertNotIn('0d7c', str(caught.exception))

    @ddt.data(
        websocket_exceptions.InvalidHeader('Upgrade', '\x1b[2J'),
        websocket_exceptions.InvalidURI('ws://host/?token=0d7c', 'bad'),
    )
    def test_hostile_answer(self, error):
        """Terminals take no orders, and logs get no token."""
        self.connect.side_effect = error
        with self.assertRaises(exception.ConsoleLost) as caught:
            display.connect(cloud_with(), 'server')
        self.assertTrue(str(caught.exception).isprintable())
        self.assertNotIn('0d7c', str(caught.exception))

    def test_nobody_speaks(self):
        self.host.is_mute = True
        self.useFixture(Clock())
        with self.assertRaisesRegex(exception.ConsoleLost, 'silence'):
            display.connect(cloud_with(), 'server')
        self.assertTrue(self.host.is_closed)

    def test_text(self):
        self.host.recv = mock.Mock(return_value='text')
        with self.assertRaisesRegex(exception.ProtocolBroken, 'text'):
            display.connect(cloud_with(), 'server')


class DisplayTest(ConsoleTestCase):
    def setUp(self):
        super().setUp()
        self.display = display.connect(cloud_with(), 'server')

    def test_look(self):
        for colour in ('navy', 'red', 'red'):
            self.host.screen = host.plain(colour)
            self.assertEqual(
                self.host.screen.tobytes(), self.display.look().tobytes()
            )

    def test_picture_is_the_callers(self):
        before = self.display.look()
        self.host.screen = host.plain('red')
        self.display.look()
        self.assertEqual(host.plain('navy').tobytes(), before.tobytes())

    def test_another_size(self):
        self.display.look()
        self.host.screen = host.plain('red', (16, 16))
        self.assertEqual(
            self.host.screen.tobytes(), self.display.look().tobytes()
        )

    def test_never_at_rest(self):
        """There is a picture all the same."""
        self.useFixture(Clock())
        receive = self.host.recv

        def change(timeout):
            self.host.screen = host.plain('red')
            return receive(timeout)

        self.host.recv = change
        self.assertEqual((255, 0, 0), self.display.look().getpixel((0, 0)))

    def test_no_picture(self):
        self.useFixture(Clock())
        self.host.is_mute = True
        with self.assertRaisesRegex(exception.ConsoleLost, 'no picture'):
            self.display.look()

    def test_lost(self):
        closed = websocket_exceptions.ConnectionClosedError(None, None)
        self.host.recv = mock.Mock(side_effect=closed)
        with self.assertRaises(exception.ConsoleLost):
            self.display.look()

    def test_flush(self):
        """The host answers what comes after the keys."""
        self.display.look()
        self.display.key(65, True)
        self.display.flush()
        self.assertEqual([(65, True)], self.host.keys)
        self.host.is_mute = True
        self.useFixture(Clock())
        with self.assertRaises(exception.ConsoleLost):
            self.display.flush()


class Clock(fixtures.Fixture):
    """Time goes on by a second whenever somebody looks."""

    def _setUp(self):
        ticks = itertools.count()
        self.useFixture(
            fixtures.MonkeyPatch('time.monotonic', lambda: next(ticks))
        )
