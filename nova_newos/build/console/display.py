# SPDX-License-Identifier: Apache-2.0
"""A connection to a server's screen."""

import contextlib
import os
import ssl
import time
import urllib.parse

from openstack import exceptions
from websockets import exceptions as websocket_exceptions
from websockets.sync import client as websocket_client

from nova_newos import terminal
from nova_newos.build.console import exception
from nova_newos.build.console import rfb

# Seconds for a connection, and for a whole picture.
_LIMIT = 20
# Seconds without news after which a picture is what there is, and after which
# one is taken that goes on changing.
_SETTLED, _LONG_ENOUGH = 0.3, 1.5
# Of one message, in bytes. The proxy reads 64 KiB of the host at a time.
_MAX_MESSAGE = 2**20
_SCHEMES = {'http': 'ws', 'https': 'wss'}


def connect(cloud, server):
    """Connect to the screen of a server.

    :param cloud: an ``openstack.connection.Connection``
    :param server: as openstacksdk has it, or its id
    :returns: a :class:`Display`, to be closed
    :raises ConsoleUnavailable: when Nova gives none
    :raises ConsoleLost: when there is no connection
    :raises ProtocolBroken: when something else answers
    :raises openstack.exceptions.SDKException: when the cloud does not answer
    """
    url = websocket_url(_console_url(cloud, server))
    # It has a token, which is not for anybody's log.
    address = url.partition('?')[0]
    with contextlib.ExitStack() as undo:
        try:
            socket = undo.enter_context(_websocket(cloud, url))
        except websocket_exceptions.InvalidURI as error:
            # Its text has the token.
            raise _lost(address, 'it is no address') from error
        except (OSError, websocket_exceptions.InvalidHandshake) as error:
            raise _lost(address, error) from error
        display = Display(socket, address)
        undo.pop_all()
    return display


def _websocket(cloud, url):
    return websocket_client.connect(
        url,
        subprotocols=['binary'],
        compression=None,
        open_timeout=_LIMIT,
        close_timeout=2,
        # So that no proxy on the way takes silence for the end.
        ping_interval=30,
        ping_timeout=None,
        max_size=_MAX_MESSAGE,
        ssl=_tls(cloud) if url.startswith('wss:') else None,
    )


def _lost(address, reason):
    # It may be in the words of whoever answers there.
    return exception.ConsoleLost(
        address=address, reason=terminal.printable(str(reason))
    )


def _console_url(cloud, server):
    try:
        return cloud.compute.create_console(server, 'novnc')['url']
    except exceptions.HttpException as error:
        code = error.status_code
        if code is None or (code >= 500 and code != 501):
            raise
        raise exception.ConsoleUnavailable(
            reason=terminal.printable(error.details or error.message)
        ) from error


def websocket_url(url):
    """Where the page that Nova names would connect to.

    :param url: like ``https://HOST:6080/vnc_lite.html?path=%3Ftoken%3DTOKEN``
    :returns: like ``wss://HOST:6080/?token=TOKEN``
    :raises ConsoleUnavailable: when it is of another kind
    """
    parts = urllib.parse.urlsplit(url)
    path = urllib.parse.parse_qs(parts.query).get('path', [''])[-1]
    if parts.scheme not in _SCHEMES or not parts.hostname or not path:
        raise exception.ConsoleUnavailable(
            reason=f'its address is of an unknown kind: {parts.scheme}'
        )
    # As noVNC's vnc_lite.html has it: from the root, wherever the page is.
    return f'{_SCHEMES[parts.scheme]}://{parts.netloc}/{path.lstrip("/")}'


def _tls(cloud):
    """As strict as the user is with the cloud's services."""
    verify, certificate = cloud.config.get_requests_verify_args()
    trusted = {}
    if isinstance(verify, str):
        # Then nobody else is trusted.
        place = 'capath' if os.path.isdir(verify) else 'cafile'
        trusted = {place: verify}
    context = ssl.create_default_context(**trusted)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate:
        files = [certificate] if isinstance(certificate, str) else certificate
        context.load_cert_chain(*files)
    return context


class Display:
    """The screen of a server, and its keyboard.

    :param socket: a ``websockets.sync.client.ClientConnection``
    :param address: of it, for errors
    :raises ConsoleError: when nobody there speaks RFB
    """

    def __init__(self, socket, address):
        self._socket = socket
        self._address = address
        self._rfb = rfb.Client()
        end = time.monotonic() + _LIMIT
        while self._rfb.screen is None:
            if not self._receive(end - time.monotonic()):
                raise self._lost('silence')

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def close(self):
        """End the connection; that of others is not touched."""
        self._socket.close()

    def look(self):
        """The screen as it is now.

        :returns: a PIL image of mode RGB, the caller's own
        :raises ConsoleError: when there is no picture
        """
        begun = time.monotonic()
        while True:
            self._rfb.ask()
            self._send()
            is_whole = self._rfb.is_whole
            left = begun - time.monotonic()
            left += _LONG_ENOUGH if is_whole else _LIMIT
            if left <= 0:
                break
            if (
                not self._receive(min(left, _SETTLED) if is_whole else left)
                and is_whole
            ):
                break
        if not is_whole:
            raise self._lost('no picture')
        return self._rfb.screen.copy()

    def key(self, keysym, is_down):
        """Press or release a key; see :func:`rfb.Client.key`."""
        self._rfb.key(keysym, is_down)
        self._send()

    def flush(self):
        """Wait until what was typed has reached the host.

        A proxy forgets what it has not handed on when a connection ends.
        """
        # The host answers in turn.
        self._rfb.forget()
        self.look()

    def _send(self):
        output = self._rfb.take_output()
        if output:
            with self._telling():
                self._socket.send(output)

    def _receive(self, seconds):
        """Take one message; False when none comes in time."""
        with self._telling():
            try:
                data = self._socket.recv(timeout=max(seconds, 0))
            except TimeoutError:
                return False
        if not isinstance(data, bytes):
            raise exception.ProtocolBroken(reason='text')
        self._rfb.receive(data)
        self._send()
        return True

    @contextlib.contextmanager
    def _telling(self):
        try:
            yield
        except (OSError, websocket_exceptions.ConnectionClosed) as error:
            raise self._lost(error) from error

    def _lost(self, reason):
        return _lost(self._address, reason)
