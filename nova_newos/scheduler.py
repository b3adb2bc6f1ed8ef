# SPDX-License-Identifier: Apache-2.0
"""Keep install servers on hosts that have the driver.

A scheduler filter for clouds where only some compute hosts run it::

    [filter_scheduler]
    available_filters = nova.scheduler.filters.all_filters
    available_filters = nova_newos.scheduler.InstallServerFilter
    enabled_filters = ...,InstallServerFilter

A host with Nova's own driver would boot an installed server from its install
ISO. What a request asks for cannot tell: the requirement of a trait would have
to stand on the flavor or the image, which users choose.
"""

from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova.scheduler import filters
from nova.scheduler import utils
from nova.scheduler.client import report

from nova_newos import exception
from nova_newos import layout

#: First microversion of Placement with ``required`` for resource providers.
_PLACEMENT = '1.18'


class InstallServerFilter(filters.BaseHostFilter):
    """Passes the hosts that report ``CUSTOM_NOVA_NEWOS``.

    For install servers that move and for new servers that would be installed;
    any other request passes all hosts.
    """

    run_filter_once_per_request = True

    def filter_all(self, filter_obj_list, spec_obj):
        """Choose among hosts.

        :param filter_obj_list: of ``nova.scheduler.host_manager.HostState``
        :param spec_obj: the ``nova.objects.RequestSpec``
        :returns: an iterable of those that pass
        """
        if utils.request_is_rebuild(spec_obj) or not _is_ours(spec_obj):
            return list(filter_obj_list)
        able = _hosts_with_driver()
        return [host for host in filter_obj_list if host.uuid in able]


def _is_ours(spec_obj):
    context = nova_context.get_admin_context()
    metadata = _moving(context, spec_obj.instance_uuid)
    if metadata is not None:
        return layout.KEY in metadata
    return not spec_obj.is_bfv and _would_install(
        _building(context, spec_obj.instance_uuid)
    )


def _moving(context, instance_uuid):
    """The system_metadata of a server that exists, else None."""
    try:
        cell = objects.InstanceMapping.get_by_instance_uuid(
            context, instance_uuid
        ).cell_mapping
        if cell is None:
            return None
        with nova_context.target_cell(context, cell) as cell_context:
            return objects.Instance.get_by_uuid(
                cell_context,
                instance_uuid,
                expected_attrs=['system_metadata'],
            ).system_metadata
    except (
        nova_exception.InstanceMappingNotFound,
        nova_exception.InstanceNotFound,
    ):
        return None


def _building(context, instance_uuid):
    """The system_metadata that a new server will have."""
    try:
        request = objects.BuildRequest.get_by_instance_uuid(
            context, instance_uuid
        )
    except nova_exception.BuildRequestNotFound:
        # Deleted meanwhile.
        return {}
    return request.instance.system_metadata


def _would_install(metadata):
    properties = layout.image_properties(metadata)
    try:
        return layout.is_install_iso(properties.get('disk_format'), properties)
    except exception.NewosError:
        # The driver says to the user what is wrong.
        return True


def _hosts_with_driver():
    """Ids of the compute nodes whose driver is ours."""
    answer = report.report_client_singleton().get(
        f'/resource_providers?required={layout.TRAIT}', version=_PLACEMENT
    )
    answer.raise_for_status()
    return {
        provider['uuid'] for provider in answer.json()['resource_providers']
    }
