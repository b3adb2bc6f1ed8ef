# SPDX-License-Identifier: Apache-2.0

"""Glance's own flow of an import, up to a store that is none."""

import io
from unittest import mock
import urllib.request

from glance.api.v2 import images as _options  # noqa: F401  Glance's options
from glance.async_.flows import api_image_import
from oslo_config import cfg
from taskflow import engines
from taskflow import task

from tests.unit.glance import images

# Loads all stores that Glance knows, one of which starts a process for that.
api_image_import.backend.register_opts(cfg.ConfigOpts())

# Of the methods, what their requests have.
_PARAMETERS = {
    'glance-direct': {},
    'web-download': {'uri': 'http://example.org/an.iso'},
    'glance-download': {'glance_image_id': images.IMAGE},
}


class _Answer(io.BytesIO):
    """Of a web server."""

    def __init__(self, content):
        super().__init__(content)
        self.headers = {'content-length': str(len(content))}


class Store(task.Task):
    """What comes after the plug-in.

    :ivar stored: bytes that came there, or None
    """

    def __init__(self, action_wrapper, error=None, queues=False):
        """Tell it how to end.

        :param error: that it ends with, if any
        :param queues: whether its undoing has the image queued, as that of
            image_conversion does
        """
        super().__init__()
        self._action_wrapper = action_wrapper
        self._error = error
        self._queues = queues
        self.stored = None

    def execute(self, file_path):
        with open(file_path.removeprefix('file://'), 'rb') as file:
            self.stored = file.read()
        if self._error:
            raise self._error
        with self._action_wrapper as action:
            action.set_image_attribute(status='active')

    def revert(self, **unused):
        if self._queues:
            with self._action_wrapper as action:
                action.set_image_attribute(status='queued')


def run(repo, content, method='glance-direct', stores=None, **ending):
    """Import as Glance does.

    :param repo: an ``images.Repo``, below layers of Glance's or not
    :param content: bytes that a web server answers with
    :param stores: a list that the :class:`Store` is added to, if any
    :param ending: see :class:`Store`
    """
    stores = [] if stores is None else stores

    def store(*given):
        stores.append(Store(given[3], **ending))
        return stores[-1]

    with (
        mock.patch.object(api_image_import, '_ImportToStore', store),
        mock.patch.object(
            urllib.request.OpenerDirector,
            'open',
            return_value=_Answer(content),
        ),
    ):
        flow = api_image_import.get_flow(
            task_id=images.TASK,
            task_type='api_image_import',
            task_repo=mock.Mock(),
            image_repo=repo,
            image_id=images.IMAGE,
            import_req={'method': {'name': method, **_PARAMETERS[method]}},
            backend=['fast'],
            context=mock.Mock(),
        )
        engines.run(flow)
