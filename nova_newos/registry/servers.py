# SPDX-License-Identifier: Apache-2.0
"""Servers that were made from an image, as far as the user may know."""

from openstack import exceptions


class Servers:
    """Asks Nova for the servers of all projects, or else of the user's.

    :param cloud: an ``openstack.connection.Connection``
    """

    def __init__(self, cloud):
        self._cloud = cloud
        self._all_projects = True

    def of(self, image_id):
        """Servers whose image it is; list of openstacksdk's."""
        if self._all_projects:
            try:
                return self._list(image=image_id, all_projects=True)
            except exceptions.ForbiddenException:
                self._all_projects = False
        return self._list(image=image_id)

    def _list(self, **filters):
        return list(self._cloud.compute.servers(**filters))
