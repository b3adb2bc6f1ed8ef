# SPDX-License-Identifier: Apache-2.0
"""The import that a task of ours is part of.

How the task changes the image, and how it gives the image back when the
import fails.
"""

import contextlib
import functools
import os

from glance.common import exception as glance_exception
from oslo_config import cfg
from oslo_log import log as logging
from taskflow.patterns import linear_flow
from taskflow.types import failure

from glance_ext import conf
from glance_ext import findings

LOG = logging.getLogger(__name__)

# Their tasks have the image queued when an import fails. Glance does not let
# an image be queued twice: who does so keeps it from dropping its lock.
_DOWNLOADS = ('web-download', 'glance-download')

_MAX_VALUE = 255


def _guarded(undo):
    """Have an undoing not raise.

    Glance would undo no more: its lock would stay on the image.
    """

    @functools.wraps(undo)
    def guarded(self, *args):
        try:
            undo(self, *args)
        except Exception:
            LOG.exception('Import of image %s is not undone', self.image_id)

    return guarded


class Import:
    """One import of an image.

    :ivar image_id: of the image
    """

    def __init__(self, given):
        """Take what is needed of what Glance hands to a plug-in's get_flow.

        :param given: a dict with ``image_repo`` with the rights of who imports
            the image, ``image_id``, ``action_wrapper``, Glance's
            ImportActionWrapper, ``import_req``, the body of the request, and
            ``backend``, the stores to import to, None among them without names
        """
        self.image_id = given['image_id']
        self._repo = given['image_repo']
        self._wrapper = given['action_wrapper']
        self._is_download = given['import_req']['method']['name'] in _DOWNLOADS
        self._stores = given.get('backend', [])

    def image(self):
        """The image as it is now, which its user may change at any time."""
        return self._repo.get(self.image_id)

    def assert_lock(self):
        """Make sure that the image is still there, and still this import's.

        :raises glance.common.exception.NotFound: it was deleted
        :raises glance.common.exception.TaskAbortedError: another import has it
        """
        self._wrapper.assert_task_lock()

    def update(self, change, properties):
        """Change the image as it is now, and forget an earlier refusal.

        :param change: is called with the image
        :param properties: ``{name: value}`` to add, as far as they are missing
            and the user may set them; none, if the quota does not allow all
        :returns: those that were added, which :meth:`restore` takes back
        """
        try:
            return self._update(change, properties)
        except glance_exception.LimitExceeded as error:
            LOG.info('Image %s: %s', self.image_id, error)
            return self._update(change, {})

    def _update(self, change, properties):
        image = self.image()
        change(image)
        with contextlib.suppress(glance_exception.Forbidden):
            image.extra_properties.pop(findings.REFUSED, None)
        added = _add(image, properties)
        self._save(image)
        return added

    def _save(self, image):
        # Not with the action wrapper, which sets neither minimum.
        self.assert_lock()
        self._repo.save(image, from_state=image.status)

    @_guarded
    def queue(self, path):
        """Give the image back without data.

        :param path: of the staged file, which is deleted
        """
        # Of an image that was deleted only the file may be left.
        with contextlib.suppress(glance_exception.NotFound):
            if not self._queue():
                return
        # A download's, too: Glance finds it only if it has a store of files.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)

    def _queue(self):
        """Returns whether the image is without data now."""
        with self._wrapper as action:
            if action.image_status == 'active':
                return False
            # The task of another plug-in may have seen to it.
            if not self._is_download and action.image_status != 'queued':
                action.set_image_attribute(status='queued')
            action.remove_importing_stores(self._stores)
            action.add_failed_stores(self._stores)
        return True

    @_guarded
    def restore(self, change, added):
        """Take back an update, unless the image is active by now.

        :param change: is called with the image
        :param added: what :meth:`update` has returned; what the user has
            changed of it since then stays
        """
        image = self.image()
        if image.status == 'active':
            return
        change(image)
        for name, value in added.items():
            if image.extra_properties.get(name) == value:
                with contextlib.suppress(glance_exception.Forbidden):
                    del image.extra_properties[name]
        self._save(image)

    @_guarded
    def tell(self, result):
        """Have the image say why it was refused.

        After all else: property protections and quotas may forbid it.

        :param result: of the task; says something only if it is the failure
            of an UploadException, whose text is the user's to read
        """
        if isinstance(result, failure.Failure) and result.check(
            glance_exception.UploadException
        ):
            text = str(result.exception)[:_MAX_VALUE]
            with self._wrapper as action:
                action.set_image_extra_properties({findings.REFUSED: text})


def path(url):
    """Of a staged file, which Glance names by its URL."""
    return url.removeprefix('file://')


def _add(image, properties):
    added = {}
    # Glance's mapping of them has no iterator that works.
    for name, value in properties.items():
        if name in image.extra_properties:
            continue
        try:
            image.extra_properties[name] = value
            added[name] = value
        except glance_exception.Forbidden as error:
            LOG.info('Image %s: %s', image.image_id, error)
    return added


def flow(step, given):
    """What a plug-in of Glance's import is: a flow of one task.

    :param step: a class of tasks, made of their name and an :class:`Import`
    :param given: a dict with what :class:`Import` takes, and ``task_type`` and
        ``task_id`` of the import
    """
    conf.register_opts(cfg.CONF)
    kind = given['task_type']
    name = f'{kind}-{step.__name__.lstrip("_")}-{given["task_id"]}'
    return linear_flow.Flow(kind).add(step(name, Import(given)))
