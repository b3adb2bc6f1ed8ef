# SPDX-License-Identifier: Apache-2.0
"""The plug-in ``newos_appliance`` of Glance's image import.

An image that is imported as an OVA becomes its disk; one that is imported as
a disk is checked. Glance runs it for what it runs ``newos_iso`` for.
"""

import dataclasses
import functools
import os

from glance.common import exception as glance_exception
from oslo_config import cfg
from oslo_log import log as logging
from taskflow import task as taskflow_task

from glance_ext import task
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


@dataclasses.dataclass(frozen=True)
class _Found:
    """What an image becomes.

    :param attributes: ``{name: value}``, to set
    :param minimums: ``{name: value}``, to set where the user has set none
    :param properties: ``{name: value}``, likewise
    """

    attributes: dict
    minimums: dict
    properties: dict


class _ImportAppliance(taskflow_task.Task):
    """Makes what is staged an image that can boot, or ends the import."""

    default_provides = 'file_path'

    def __init__(self, name, of_import):
        super().__init__(name=name)
        self._import = of_import
        # Whether this task has to do with the image.
        self._is_taken = False
        # Attributes as they were, minimums and properties that were set.
        self._before = {}
        self._minimums = {}
        self._added = None

    def execute(self, file_path):
        """Glance gives the staged file as a URL.

        :returns: the same; the file is another one, when it was an OVA.
        :raises glance.common.exception.UploadException: for what is refused;
            of no other is the text shown to the user.
        """
        image = self._import.image()
        take = _taken_as(image)
        if take:
            self._is_taken = True
            try:
                found = take(image, task.path(file_path))
            except exception.ApplianceRefused as error:
                raise glance_exception.UploadException(str(error)) from error
            self._added = self._import.update(
                functools.partial(self._set, found), found.properties
            )
        return file_path

    def _set(self, found, image):
        # An image that is queued has no size.
        self._before = {
            name: getattr(image, name)
            for name in found.attributes
            if name != 'size'
        }
        self._minimums = {
            name: value
            for name, value in found.minimums.items()
            if value and not getattr(image, name)
        }
        _set_all(found.attributes | self._minimums, image)

    def revert(self, file_path, result, **unused):
        """Undo what was done, whatever has ended the import.

        The image can be staged and imported again, as what it was.
        """
        if not self._is_taken:
            return
        self._import.queue(task.path(file_path))
        if self._added is not None:
            self._import.restore(self._take_back, self._added)
        self._import.tell(result)

    def _take_back(self, image):
        _set_all(self._before, image)
        for name, value in self._minimums.items():
            if getattr(image, name) == value:
                setattr(image, name, 0)


def _set_all(attributes, image):
    for name, value in attributes.items():
        setattr(image, name, value)


def _taken_as(image):
    """The function that takes what is staged for an image, if any does."""
    if image.container_format == 'ova':
        return _ova
    if image.container_format == 'bare' and image.disk_format in disks.FORMATS:
        return _disk
    return None


def _ova(image, path):
    """Make the staged file the disk of the OVA that it is.

    :returns: a :class:`_Found`
    """
    appliance = ova.extract(path)
    disk = _inspect(path)
    LOG.info('Image %s: %s, %s', image.image_id, appliance, disk)
    properties = {SOURCE: f'ova:{appliance.name}'[:_MAX_VALUE]}
    if appliance.vcpus:
        properties[VCPUS] = str(appliance.vcpus)
    if appliance.uefi:
        properties['hw_firmware_type'] = 'uefi'
    return _Found(
        attributes={
            'container_format': 'bare',
            'disk_format': disk.format,
            # Glance compares it with what it stores.
            'size': os.path.getsize(path),
        },
        minimums={'min_disk': disk.gib, 'min_ram': appliance.memory},
        properties=properties,
    )


def _disk(image, path):
    """Check a disk; the same returns."""
    if image.disk_format == 'raw':
        disk = disks.inspect_raw(path, _max_gib())
    else:
        disk = _inspect(path)
    if disk.format != image.disk_format:
        raise exception.DiskRefused(
            f'it is {disk.format}, and the image has disk_format '
            f'{image.disk_format}: set the one that it is'
        )
    return _Found({}, {'min_disk': disk.gib}, {SOURCE: f'disk:{disk.format}'})


def _max_gib():
    return cfg.CONF.newos_appliance.max_disk_size


def _inspect(path):
    disk = disks.inspect(path, _max_gib())
    taken = cfg.CONF.image_format.disk_formats
    if disk.format not in taken:
        raise exception.DiskRefused(
            f'it is {disk.format}, and this cloud takes {", ".join(taken)}'
        )
    return disk


def get_flow(**kwargs):
    """What Glance's entry points are: a flow of one task.

    :param task_id: of the import
    :param task_type: of the import
    :param kwargs: see :class:`glance_ext.task.Import`
    """
    return task.flow(_ImportAppliance, kwargs)
