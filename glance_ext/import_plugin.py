# SPDX-License-Identifier: Apache-2.0
"""The plug-in ``newos_iso`` of Glance's image import.

Glance runs it on what glance-direct, web-download and glance-download have
staged, before the data goes to its store, and not at all for copy-image.
"""

import functools

from glance.common import exception as glance_exception
from oslo_config import cfg
from oslo_log import log as logging
from taskflow import task as taskflow_task
from taskflow.types import failure

from glance_ext import exception
from glance_ext import findings
from glance_ext import task
from nova_newos import iso

LOG = logging.getLogger(__name__)


class _InspectIso(taskflow_task.Task):
    """Adds what is found to the image, or ends the import."""

    def __init__(self, name, of_import):
        super().__init__(name=name)
        self._import = of_import
        # What was set, by its names.
        self._added = {}
        self._minimums = {}

    def execute(self, file_path):
        """Glance gives the staged file as a URL.

        :raises glance.common.exception.UploadException: if the operator wants
            no such image; of no other is the text shown to the user.
        """
        try:
            self._inspect(task.path(file_path))
        except exception.IsoRefused as error:
            raise glance_exception.UploadException(str(error)) from error
        except Exception:
            # No finding is worth an image.
            LOG.exception('Image %s was not inspected', self._import.image_id)

    def _inspect(self, path):
        if self._import.image().disk_format != 'iso':
            return
        with open(path, 'rb') as file:
            found = findings.of(functools.partial(iso.inspect, file))
        found.check(
            cfg.CONF.newos_iso.refuse, self._import.image().extra_properties
        )
        self._added = self._import.update(
            functools.partial(self._set_minimums, found), found.properties()
        )

    def _set_minimums(self, found, image):
        known = found.minimums(
            cfg.CONF.newos_iso.minimums, image.extra_properties
        )
        self._minimums = {
            name: value
            for name, value in known.items()
            if not getattr(image, name)
        }
        for name, value in self._minimums.items():
            setattr(image, name, value)

    def revert(self, file_path, result, **unused):
        """Give the image back as it was, whatever has ended the import.

        If it was something that comes later, that has it queued.
        """
        if isinstance(result, failure.Failure):
            self._import.queue(task.path(file_path))
            self._import.tell(result)
        if self._added or self._minimums:
            self._import.restore(self._drop_minimums, self._added)

    def _drop_minimums(self, image):
        for name, value in self._minimums.items():
            if getattr(image, name) == value:
                setattr(image, name, 0)


def get_flow(**kwargs):
    """What Glance's entry points are: a flow of one task.

    :param task_id: of the import
    :param task_type: of the import
    :param kwargs: see :class:`glance_ext.task.Import`
    """
    return task.flow(_InspectIso, kwargs)
