# SPDX-License-Identifier: Apache-2.0
"""What the owner of a server is told in its metadata.

The text of a fault is shown for a server in the state ERROR only, and the
details of an event to administrators only (Nova's policies
``os_compute_api:servers:show`` and ``os-instance-actions:events:details``).
``openstack server show`` has the metadata for everybody who sees the server.
"""

from nova import exception
from nova import objects
from oslo_log import log as logging

LOG = logging.getLogger(__name__)

#: Why the last operation was refused; gone with the next one that was not.
ERROR = 'newos_error'

#: What the server goes without, since its spawn.
WARNING = 'newos_warning'

# Of instance_metadata.value in Nova's database.
_MAX_LENGTH = 255


def tell(instance, values):
    """Change metadata of a server, without losing what others change in it.

    What cannot be written is logged: the operation has its own result.

    :param instance: a ``nova.objects.Instance``; its metadata is what there is
        afterwards
    :param values: dict of key to text, or to None to have the key removed
    """
    if not _changes(instance.metadata, values):
        return
    try:
        # Nova writes all of the metadata, and the server may be minutes old.
        latest = objects.Instance.get_by_uuid(
            instance._context, instance.uuid, expected_attrs=['metadata']
        )
        latest.metadata = _changed(latest.metadata, values)
        latest.save()
    except Exception:
        LOG.warning(
            'The owner of the server cannot be told %s',
            values,
            exc_info=True,
            instance=instance,
        )
        return
    instance.metadata = latest.metadata
    instance.obj_reset_changes(['metadata'])


def warn(context, uuid, text):
    """Add to what the server goes without, from outside of an operation.

    :param uuid: of the server, which may be gone
    """
    try:
        instance = objects.Instance.get_by_uuid(
            context, uuid, expected_attrs=['metadata']
        )
    except exception.InstanceNotFound:
        return
    known = instance.metadata.get(WARNING)
    tell(instance, {WARNING: f'{known}; {text}' if known else text})


def forget(instance, *keys):
    """Take back what the owner was told, if anything."""
    # Nova also asks about servers that it knows little more of than ids.
    if 'metadata' in instance:
        tell(instance, dict.fromkeys(keys))


def _changes(metadata, values):
    return any(metadata.get(key) != value for key, value in values.items())


def _changed(metadata, values):
    changed = {**metadata, **values}
    return {
        key: value[:_MAX_LENGTH]
        for key, value in changed.items()
        if value is not None
    }
