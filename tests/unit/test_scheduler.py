# SPDX-License-Identifier: Apache-2.0

import contextlib
import types
from unittest import mock

import ddt
from nova import exception as nova_exception
from nova import objects
from nova.scheduler.client import report
import requests

from nova_newos import layout
from nova_newos import scheduler
from tests.unit.virt import fakes

ABLE = '77777777-7777-4777-8777-777777777777'
STOCK = '88888888-8888-4888-8888-888888888888'
HOSTS = [types.SimpleNamespace(uuid=ABLE), types.SimpleNamespace(uuid=STOCK)]


def answer(status=200):
    """Placement's answer about who has the trait."""
    response = requests.Response()
    response.status_code = status
    response._content = (
        '{"resource_providers": [{"uuid": "%s"}]}' % ABLE
    ).encode()
    return response


@ddt.ddt
class InstallServerFilterTest(fakes.TestCase):
    def setUp(self):
        super().setUp()
        self.client = mock.Mock(spec_set=['get'])
        self.client.get.return_value = answer()
        self.patch(report, 'report_client_singleton', return_value=self.client)
        self.patch(
            scheduler.nova_context,
            'target_cell',
            lambda context, cell: contextlib.nullcontext(context),
        )
        self.mapping = self.patch(
            objects.InstanceMapping,
            'get_by_instance_uuid',
            return_value=types.SimpleNamespace(cell_mapping='cell'),
        )
        self.instance = objects.Instance.get_by_uuid
        self.instance.side_effect = None
        self.request = self.patch(objects.BuildRequest, 'get_by_instance_uuid')

    def passed(self, is_bfv=False, **hints):
        spec = objects.RequestSpec(
            instance_uuid=fakes.SERVER, is_bfv=is_bfv, scheduler_hints=hints
        )
        found = scheduler.InstallServerFilter().filter_all(HOSTS, spec)
        return [host.uuid for host in found]

    def moves(self, metadata):
        self.instance.return_value = types.SimpleNamespace(
            system_metadata=metadata
        )

    def builds(self, metadata):
        self.mapping.return_value.cell_mapping = None
        self.request.return_value = types.SimpleNamespace(
            instance=types.SimpleNamespace(system_metadata=metadata)
        )

    def test_install_server_moves(self):
        """A stock host would boot its installer."""
        self.moves({layout.KEY: layout.dump(fakes.LAYOUT)})
        self.assertEqual([ABLE], self.passed())
        self.client.get.assert_called_once_with(
            '/resource_providers?required=CUSTOM_NOVA_NEWOS', version='1.18'
        )

    @ddt.data('iso', 'qcow2')
    def test_ordinary_server_moves(self, disk_format):
        self.moves({'image_disk_format': disk_format})
        self.assertEqual([ABLE, STOCK], self.passed())
        self.client.get.assert_not_called()

    def test_rebuild_stays_where_it_is(self):
        self.moves({layout.KEY: layout.dump(fakes.LAYOUT)})
        self.assertEqual(
            [ABLE, STOCK], self.passed(_nova_check_type=['rebuild'])
        )

    @ddt.data(
        ({'image_disk_format': 'iso'}, [ABLE]),
        (
            {'image_disk_format': 'iso', 'image_newos_install': 'perhaps'},
            [ABLE],
        ),
        (
            {'image_disk_format': 'iso', 'image_newos_install': 'false'},
            [ABLE, STOCK],
        ),
        ({'image_disk_format': 'qcow2'}, [ABLE, STOCK]),
        ({}, [ABLE, STOCK]),
    )
    @ddt.unpack
    def test_new_server(self, metadata, expected):
        self.builds(metadata)
        self.assertEqual(expected, self.passed())

    def test_new_server_without_a_mapping(self):
        self.builds({'image_disk_format': 'iso'})
        self.mapping.side_effect = nova_exception.InstanceMappingNotFound(
            uuid=fakes.SERVER
        )
        self.assertEqual([ABLE], self.passed())

    def test_new_server_on_a_volume(self):
        self.builds({'image_disk_format': 'iso'})
        self.assertEqual([ABLE, STOCK], self.passed(is_bfv=True))

    def test_deleted_meanwhile(self):
        self.instance.side_effect = nova_exception.InstanceNotFound(
            instance_id=fakes.SERVER
        )
        self.request.side_effect = nova_exception.BuildRequestNotFound(
            uuid=fakes.SERVER
        )
        self.assertEqual([ABLE, STOCK], self.passed())

    def test_placement_fails(self):
        """No host is guessed."""
        self.moves({layout.KEY: layout.dump(fakes.LAYOUT)})
        self.client.get.return_value = answer(500)
        self.assertRaises(requests.HTTPError, self.passed)
