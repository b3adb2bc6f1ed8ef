# SPDX-License-Identifier: Apache-2.0
"""The screen of a build's server, seen and typed on by a project's member."""

import contextlib
import signal
import socket
import subprocess

from PIL import Image
import pytest

from tests.acceptance import guests
from tests.acceptance import onebox

BUILD = ('golden', 'build')
# Needs Shift, and keys held together.
TYPED = '~Golden_<leftShiftOn>q<leftShiftOff>(1)<enter>'


@pytest.fixture
def guest(box, cloud, waiting_iso):
    """The install server of a build, and the build's id."""
    shown = onebox.openstack(
        *(*BUILD, 'create', f'--iso={waiting_iso}', '--flavor=m1.nano'),
        *('--network=none', '--format=json', 'newos-test-console'),
    )
    [server] = cloud.compute.servers(tags=f'golden-build-{shown["id"]}')
    waiting = guests.Guest(box, cloud, server.id)
    waiting.wait_for_report(**{'booted-from': 'waiting'})
    yield waiting, shown['id']
    onebox.openstack(*BUILD, 'cancel', shown['id'])
    waiting.wait_until_gone()


@contextlib.contextmanager
def somebody_else(guest):
    """Another client on the same screen, which has to stay connected."""
    port = guest.domain_xml().find("devices/graphics[@type='vnc']").get('port')
    with (
        socket.create_connection(('127.0.0.1', int(port)), 60) as client,
        client.makefile('rwb', buffering=0) as stream,
    ):
        # RFC 6143, 7.1 to 7.3.1: version, no security, and others may stay.
        for length, answer in (
            (12, b'RFB 003.008\n'),
            (2, b'\1'),
            (4, b'\1'),
        ):
            assert len(stream.read(length)) == length
            stream.write(answer)
        client.recv(4096)
        yield
        # 7.5.3: asks for a pixel, and 7.6.1: gets it.
        stream.write(b'\3' + bytes(5) + b'\0\1\0\1')
        assert stream.read(1) == b'\0'


@contextlib.contextmanager
def recorded(build_id, directory):
    """A record is made meanwhile."""
    with subprocess.Popen(
        ['openstack', '--os-cloud', 'onebox', *BUILD, 'record', build_id]
        + [directory],
    ) as recorder:
        page = directory / 'index.html'
        onebox.wait_for(
            'a first picture',
            lambda: page.exists() and '"picture"' in page.read_text(),
        )
        yield page
        recorder.send_signal(signal.SIGINT)
    assert recorder.returncode == 0


def test_console(guest, tmp_path):
    server, build_id = guest
    before, after = tmp_path / 'before.png', tmp_path / 'after.png'
    with (
        somebody_else(server),
        recorded(build_id, tmp_path / 'record') as page,
    ):
        onebox.openstack(*BUILD, 'screenshot', build_id, before)
        onebox.openstack(*BUILD, 'type', build_id, TYPED)
        onebox.wait_for(
            'what was typed',
            lambda: 'probe: typed=~Golden_Q(1)' in server.console(),
        )
        onebox.openstack(*BUILD, 'screenshot', build_id, after)
        onebox.wait_for(
            'a second picture, and what was typed',
            lambda: (
                page.read_text().count('"picture"') >= 2
                and 'typed=~Golden_Q(1)' in page.read_text()
            ),
        )
    with Image.open(before) as first, Image.open(after) as second:
        assert len(first.getcolors()) > 1
        assert first.tobytes() != second.tobytes()
