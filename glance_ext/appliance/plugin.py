# SPDX-License-Identifier: Apache-2.0
"""The plug-in ``newos_appliance`` of Glance's image import.

An image that is imported as an OVA becomes its disk; one that is imported as
a disk is checked. Glance runs it for what it runs ``newos_iso`` for.
"""

import contextlib
import os

from glance.common import exception as glance_exception
from oslo_config import cfg
from oslo_log import log as logging
from taskflow import task
from taskflow.patterns import linear_flow
from taskflow.types import failure

from glance_ext import conf
from glance_ext import findings
from glance_ext.appliance import disk as disks
from glance_ext.appliance import exception
from glance_ext.appliance import ova

LOG = logging.getLogger(__name__)

#: Image property: what a candidate was imported as, ``ova:NAME`` or
#: ``disk:FORMAT``.
SOURCE = 'newos_source'

#: Image property: CPUs of the machine that the OVA was exported from.
VCPUS = 'newos_vcpus'

_MAX_VALUE = 255


class _ImportAppliance(task.Task):
    """Makes what is staged an image that can boot, or ends the import.

    :param stores: ids of the stores that the image is imported to.
    """

    default_provides = 'file_path'

    def __init__(
        self, task_id, task_type, image_repo, image_id, action_wrapper, stores
    ):
        super().__init__(name=f'{task_type}-ImportAppliance-{task_id}')
        self._image_repo = image_repo
        self._image_id = image_id
        self._action_wrapper = action_wrapper
        self._stores = stores
        # How the image was before: attributes, and names of properties that
        # it had not. None as long as this task has not to do with it.
        self._before = None
        self._added = ()

    def execute(self, file_path):
        """Glance gives the staged file as a URL.

        :returns: the same; the file is another one, when it was an OVA.
        :raises glance.common.exception.UploadException: for what is refused;
            of no other is the text shown to the user.
        """
        image = self._image_repo.get(self._image_id)
        take = _taken_as(image)
        if take:
            self._before = {name: getattr(image, name) for name in _CHANGED}
            try:
                found = take(image, _path(file_path))
            except exception.ApplianceRefused as error:
                raise glance_exception.UploadException(str(error)) from error
            self._save(image, *found)
        return file_path

    def _save(self, image, disk, minimum_ram, properties):
        image.extra_properties.pop(findings.REFUSED, None)
        # Glance's mapping of them has no iterator that works.
        self._added = [
            name for name in properties if name not in image.extra_properties
        ]
        for name in self._added:
            # Operators may reserve names of properties.
            with contextlib.suppress(glance_exception.Forbidden):
                image.extra_properties[name] = properties[name]
        image.min_disk = image.min_disk or disk.gib
        image.min_ram = image.min_ram or minimum_ram
        # Not with the action wrapper, which sets neither minimum.
        self._action_wrapper.assert_task_lock()
        self._image_repo.save(image, from_state=image.status)

    def revert(self, file_path, result, **unused):
        """Undo what was done, whatever has ended the import.

        The image can be staged and imported again, as what it was.
        """
        if self._before is None:
            return
        with self._action_wrapper as action:
            # It has its data, and stays what it is.
            if action.image_status == 'active':
                return
            # Else it would be importing for ever. Glance does not want it
            # twice: image_conversion may have seen to it.
            if action.image_status != 'queued':
                action.set_image_attribute(status='queued')
            action.remove_importing_stores(self._stores)
            action.add_failed_stores(self._stores)
            if _is_refusal(result):
                action.set_image_extra_properties(
                    {findings.REFUSED: str(result.exception)[:_MAX_VALUE]}
                )
        self._restore()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(_path(file_path))

    def _restore(self):
        image = self._image_repo.get(self._image_id)
        for name, value in self._before.items():
            setattr(image, name, value)
        for name in self._added:
            image.extra_properties.pop(name, None)
        self._image_repo.save(image, from_state=image.status)


def _is_refusal(result):
    """Whether a task's result is one that its user is to read."""
    return isinstance(result, failure.Failure) and bool(
        result.check(glance_exception.UploadException)
    )


#: Attributes of an image that the task changes. An image that is queued has no
#: size.
_CHANGED = ('container_format', 'disk_format', 'min_disk', 'min_ram')


def _taken_as(image):
    """The function that takes what is staged for an image, if any does."""
    if image.container_format == 'ova':
        return _ova
    if image.container_format == 'bare' and image.disk_format in disks.FORMATS:
        return _disk
    return None


def _ova(image, path):
    """Put the disk of an OVA in its place, and say so in the image.

    :returns: (disks.Disk, MiB of memory or 0, properties)
    """
    part = f'{path}.newos'
    try:
        appliance = ova.extract(path, part)
        disk = _inspect(part)
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)
    LOG.info('Image %s: %s, %s', image.image_id, appliance, disk)
    image.container_format = 'bare'
    image.disk_format = disk.format
    # Glance compares it with what it stores.
    image.size = os.path.getsize(path)
    properties = {SOURCE: f'ova:{appliance.name}'[:_MAX_VALUE]}
    if appliance.vcpus:
        properties[VCPUS] = str(appliance.vcpus)
    if appliance.uefi:
        properties['hw_firmware_type'] = 'uefi'
    return disk, appliance.memory, properties


def _disk(image, path):
    """Check a disk; the same returns."""
    disk = _inspect(path)
    if disk.format != image.disk_format:
        raise exception.DiskRefused(
            f'it is {disk.format}, and the image has disk_format '
            f'{image.disk_format}: set the one that it is'
        )
    return disk, 0, {SOURCE: f'disk:{disk.format}'}


def _inspect(path):
    options = cfg.CONF
    disk = disks.inspect(path, options.newos_appliance.max_disk_size)
    taken = options.image_format.disk_formats
    if disk.format not in taken:
        raise exception.DiskRefused(
            f'it is {disk.format}, and this cloud takes {", ".join(taken)}'
        )
    return disk


def _path(url):
    return url.removeprefix('file://')


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
        _ImportAppliance(
            kwargs['task_id'],
            kwargs['task_type'],
            kwargs['image_repo'],
            kwargs['image_id'],
            kwargs['action_wrapper'],
            kwargs.get('backend', []),
        )
    )
