# SPDX-License-Identifier: Apache-2.0
"""Windows' "Press any key to boot from CD or DVD..." under UEFI.

Nobody is there to press it. The server's own copy or overlay of the install
ISO is changed where the ISO has what does not ask, see
:mod:`nova_newos.iso.prompt`; never the image cache, nor the image in Glance.
Where it has not, a key is pressed, see :mod:`nova_newos.virt.keys`.
"""

from nova.virt.libvirt import utils as libvirt_utils
from oslo_concurrency import processutils
from oslo_log import log as logging

from nova_newos import exception
from nova_newos import iso
from nova_newos import layout
from nova_newos.virt import qemu_img

LOG = logging.getLogger(__name__)

#: Property of the install ISO, or key of the server's metadata.
PROMPT = 'newos_boot_prompt'
_SKIP, _KEEP = 'skip', 'keep'

#: Key of ``system_metadata``: what became of the prompt. Nobody sees it.
KEY = 'newos_prompt'
SKIPPED, ASKS = 'skipped', 'asks'


def check(instance):
    """Refuse what cannot be asked for.

    :param instance: a ``nova.objects.Instance``
    :raises MetadataInvalid, PropertyInvalid: for what is neither kept nor
        skipped
    """
    for found, error in (
        (instance.metadata, exception.MetadataInvalid),
        (_properties(instance), exception.PropertyInvalid),
    ):
        value = found.get(PROMPT, _SKIP)
        if value not in (_SKIP, _KEEP):
            raise error(
                name=PROMPT, value=value, expected=f'{_SKIP} or {_KEEP}'
            )


def skip(instance, backend):
    """Have a new CD-ROM not ask, if that can be done.

    :param backend: a ``nova.virt.libvirt.imagebackend.Image`` of the install
        ISO, which no guest has open
    :returns: :data:`SKIPPED`; :data:`ASKS` if it does all the same; None for
        an ISO that does not ask, or when it is to be left alone
    """
    if (_properties(instance) | instance.metadata).get(PROMPT) == _KEEP:
        return None
    try:
        with open(_bytes_of(backend), 'rb') as file:
            found = iso.look_at_prompt(file)
        if found.offset is None:
            return ASKS if found.asks else None
        qemu_img.write(
            backend.path, backend.driver_format, found.offset, found.content
        )
    except (OSError, processutils.ProcessExecutionError):
        LOG.warning(
            'What the install ISO asks at its boot is not skipped',
            exc_info=True,
            instance=instance,
        )
        return ASKS
    LOG.info(
        'UEFI boots the image of the install ISO that asks for no key',
        instance=instance,
    )
    return SKIPPED


def record(instance, outcome):
    """Keep what :func:`skip` returned with the server."""
    if instance.system_metadata.get(KEY) == outcome:
        return
    if outcome is None:
        del instance.system_metadata[KEY]
    else:
        instance.system_metadata[KEY] = outcome
    instance.save()


def is_skipped(instance):
    """Whether the guest was given a changed ISO."""
    return instance.system_metadata.get(KEY) == SKIPPED


def is_asked(instance):
    """Whether the guest waits for a key, under UEFI."""
    return (
        instance.system_metadata.get(KEY) == ASKS
        and _properties(instance).get('hw_firmware_type') == 'uefi'
    )


def _properties(instance):
    return layout.image_properties(instance.system_metadata)


def _bytes_of(backend):
    """Path of a raw file with what the CD-ROM has."""
    base = libvirt_utils.get_disk_backing_file(
        backend.path, basename=False, format=backend.driver_format
    )
    return base or backend.path
