# SPDX-License-Identifier: Apache-2.0
"""How much of a build is left, as far as the cloud tells."""

from openstack import exceptions

from nova_newos.build import times
from nova_newos.build import words

_NOT_ASKED = object()


class Outlook:
    """Of one build, while a client waits for it.

    What cannot be known costs one question, and is left out then.

    :param cloud: an ``openstack.connection.Connection``
    """

    def __init__(self, cloud):
        self._cloud = cloud
        self._earlier = _NOT_ASKED
        self._may_diagnose = True

    def left(self, status):
        """Seconds until it is published, by the last build of its name.

        :param status: a :class:`~nova_newos.build.engine.Status`
        :returns: an int, None where there is none or it took less
        """
        if self._earlier is _NOT_ASKED:
            if not status.name:
                return None
            self._earlier = self._of_last(status.name)
        phases = list(self._earlier)
        phase = status.phase.value
        if phase not in phases:
            return None
        later = phases[phases.index(phase) :]
        took = sum(self._earlier[each] for each in later)
        left = took - (status.phase_seconds or 0)
        return left if left > 0 else None

    def _of_last(self, name):
        """Seconds of each phase; an empty dict where nobody knows."""
        if ':' in name:
            # Glance would take what is before it for an operator.
            return {}
        try:
            images = list(
                self._cloud.image.images(
                    name=name, owner=self._cloud.current_project_id
                )
            )
        except exceptions.SDKException:
            return {}
        last = max(images, key=lambda image: image.created_at, default=None)
        properties = (last and last.properties) or {}
        return times.of_property(properties.get(words.SECONDS))

    def written(self, status):
        """Bytes that a guest has written to its disks so far.

        :returns: an int, None where the policy does not let, which by Nova's
            defaults are all but administrators
        """
        if status.server is None or not self._may_diagnose:
            return None
        try:
            found = self._cloud.compute.get_server_diagnostics(status.server)
        except exceptions.ForbiddenException:
            self._may_diagnose = False
            return None
        except exceptions.SDKException:
            return None
        disks = getattr(found, 'disk_details', None) or ()
        return sum(disk.get('write_bytes') or 0 for disk in disks)
