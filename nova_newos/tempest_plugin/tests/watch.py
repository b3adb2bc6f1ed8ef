# SPDX-License-Identifier: Apache-2.0
"""Waiting for what a user sees of servers and images.

``tempest.common.waiters`` is not among the interfaces that are stable for
plug-ins, and does not tell what the guest said last.
"""

import contextlib
import re

from tempest import config
from tempest.lib import exceptions
from tempest.lib.common.utils import test_utils

CONF = config.CONF

# How much of a console a failure shows.
_LINES = 30


class Watch:
    """What one user sees.

    All ``seconds`` are ``[compute] build_timeout`` by default.

    :param servers: Tempest's client of servers
    :param images: its client of Glance's images
    """

    def __init__(self, servers, images):
        self._servers = servers
        self._images = images

    def server(self, server_id, status, seconds=None):
        """Wait for a status, with nothing under way; returns the server.

        :raises AssertionError: when the server fails meanwhile
        """

        def reached():
            server = self._show(server_id)
            if server['OS-EXT-STS:task_state']:
                return False
            if server['status'] == 'ERROR' != status:
                raise AssertionError(self.state(server_id))
            return server['status'] == status

        self._wait(reached, f'not {status}', server_id, seconds)
        return self._show(server_id)

    def created(self, server_id):
        """Wait until a new server is there or has failed; returns it."""

        def ended():
            return self._show(server_id)['status'] != 'BUILD'

        self._wait(ended, 'not created', server_id)
        return self._show(server_id)

    def console(self, server_id, pattern):
        """Wait for a pattern on a console; returns all matches."""
        found = []

        def said():
            text = self._console(server_id)
            found[:] = re.finditer(pattern, text, re.MULTILINE)
            return bool(found)

        self._wait(said, f'{pattern!r} is not on the console', server_id)
        return found

    def deletion(self, server_id):
        """Wait until a server is gone."""

        def gone():
            try:
                self._show(server_id)
            except exceptions.NotFound:
                return True
            return False

        self._wait(gone, 'not deleted', server_id)

    def image(self, image_id, seconds=None, server_id=None):
        """Wait until an image has its data; returns it.

        :param server_id: that it is made of; Nova deletes the image if it
            cannot be made
        :raises AssertionError: when it is gone
        """

        def active():
            try:
                status = self._images.show_image(image_id)['status']
            except exceptions.NotFound:
                state = server_id and self.state(server_id)
                raise AssertionError(
                    f'image {image_id} is gone: {state}'
                ) from None
            return status == 'active'

        self._wait(active, f'image {image_id}: not active', server_id, seconds)
        return self._images.show_image(image_id)

    def state(self, server_id):
        """Where a server stands, for the text of a failure."""
        server = self._show(server_id)
        lines = self._console(server_id).splitlines()[-_LINES:]
        return '\n'.join(
            [
                f'{server_id} is {server["status"]}, '
                f'task {server["OS-EXT-STS:task_state"]}',
                f'fault: {server.get("fault", {}).get("message")}',
                f'metadata: {server["metadata"]}',
                'the end of its console:',
                *lines,
            ]
        )

    def _show(self, server_id):
        return self._servers.show_server(server_id)['server']

    def _console(self, server_id):
        """All that a guest said in this boot; '' when that is not known."""
        if not CONF.compute_feature_enabled.console_output:
            return ''
        # It has not started, or it is off.
        with contextlib.suppress(exceptions.NotFound, exceptions.Conflict):
            return self._servers.get_console_output(server_id)['output']
        return ''

    def _wait(self, condition, failure, server_id, seconds=None):
        if not test_utils.call_until_true(
            condition,
            seconds or CONF.compute.build_timeout,
            CONF.compute.build_interval,
        ):
            state = server_id and self.state(server_id)
            raise exceptions.TimeoutException(f'{failure}: {state}')
