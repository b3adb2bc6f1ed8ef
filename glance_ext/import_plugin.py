# SPDX-License-Identifier: Apache-2.0
"""The plug-in ``newos_iso`` of Glance's image import.

Glance runs it on what glance-direct, web-download and glance-download have
staged, before the data goes to its store, and not at all for copy-image.
"""

import contextlib
import functools
import os

from glance.common import exception as glance_exception
from oslo_config import cfg
from oslo_log import log as logging
from taskflow import task
from taskflow.patterns import linear_flow
from taskflow.types import failure

from glance_ext import conf
from glance_ext import exception
from glance_ext import findings
from nova_newos import iso

LOG = logging.getLogger(__name__)


class _InspectIso(task.Task):
    """Adds what is found to the image, or ends the import.

    :param stores: ids of the stores that the image is imported to.
    """

    def __init__(
        self, task_id, task_type, image_repo, image_id, action_wrapper, stores
    ):
        super().__init__(name=f'{task_type}-InspectIso-{task_id}')
        self._image_repo = image_repo
        self._image_id = image_id
        self._action_wrapper = action_wrapper
        self._stores = stores

    def execute(self, file_path):
        """Glance gives the staged file as a URL.

        :raises glance.common.exception.UploadException: if the operator wants
            no such image; of no other is the text shown to the user.
        """
        try:
            self._inspect(_path(file_path))
        except exception.IsoRefused as error:
            raise glance_exception.UploadException(str(error)) from error
        except Exception:
            # No finding is worth an image.
            LOG.exception('Image %s was not inspected', self._image_id)

    def _inspect(self, path):
        image = self._image_repo.get(self._image_id)
        if image.disk_format != 'iso':
            return
        with open(path, 'rb') as file:
            found = findings.of(functools.partial(iso.inspect, file))
        found.check(cfg.CONF.newos_iso.refuse, image.extra_properties)
        # Not with the action wrapper, which sets neither minimum.
        _add(image, found)
        self._action_wrapper.assert_task_lock()
        self._image_repo.save(image, from_state=image.status)

    def revert(self, file_path, result, **unused):
        """Undo what Glance has begun, if this is what ended the import.

        What fails later is undone by the tasks that failed.
        """
        if not isinstance(result, failure.Failure):
            return
        with self._action_wrapper as action:
            action.set_image_attribute(status='queued')
            action.remove_importing_stores(self._stores)
            action.add_failed_stores(self._stores)
            action.set_image_extra_properties(
                {findings.REFUSED: str(result.exception)[:255]}
            )
        with contextlib.suppress(FileNotFoundError):
            os.remove(_path(file_path))


def _path(url):
    return url.removeprefix('file://')


def _add(image, found):
    """Set what the image lacks, as far as its user may set it."""
    image.extra_properties.pop(findings.REFUSED, None)
    properties = found.missing_properties(image.extra_properties)
    for name, value in properties.items():
        try:
            image.extra_properties[name] = value
        except glance_exception.Forbidden as error:
            LOG.info('Image %s: %s', image.image_id, error)
    for name, value in found.minimums().items():
        if not getattr(image, name):
            setattr(image, name, value)


def get_flow(**kwargs):
    """What Glance's entry points are: a flow of one task.

    :param task_id: of the import
    :param task_type: of the import
    :param image_repo: with the rights of who imports the image
    :param image_id: of the image
    :param action_wrapper: Glance's ImportActionWrapper
    :param backend: stores to import to, None among them without names
    """
    conf.register_opts(cfg.CONF)
    return linear_flow.Flow(kwargs['task_type']).add(
        _InspectIso(
            kwargs['task_id'],
            kwargs['task_type'],
            kwargs['image_repo'],
            kwargs['image_id'],
            kwargs['action_wrapper'],
            kwargs.get('backend', []),
        )
    )
