# SPDX-License-Identifier: Apache-2.0

import base64

import ddt

from nova_newos import exception as core_exception
from nova_newos.build import exception
from nova_newos.build import plan
from nova_newos.build import start
from nova_newos.registry import exception as registry_exception
from tests.unit.build import base
from tests.unit.media.answers import samples


@ddt.ddt
class StartTest(base.BuildTestCase):
    def start(self, name='debian', network='auto', user_data=None, **fields):
        wanted = plan.Plan(name=name, flavor='f', network=network, **fields)
        build_id = start.new_id()
        start.create(self.cloud, build_id, wanted, self.iso, user_data)
        return build_id

    def refused(self, error, text, **fields):
        """It is refused, and nothing was made."""
        with self.assertRaisesRegex(error, text):
            self.start(**fields)
        self.assertEqual([], self.cloud.requests)

    def test_server(self):
        build_id = self.start(user_data=samples.KICKSTART, boot_test='none')
        [server] = self.cloud.servers.values()
        self.assertEqual('debian-install', server.name)
        self.assertEqual(
            ['golden-build', f'golden-build-{build_id}'], server.tags
        )
        self.assertEqual(
            {
                'flavor_id': 'f',
                'image_id': self.iso.id,
                'networks': 'auto',
                'user_data': base64.b64encode(samples.KICKSTART).decode(),
            },
            server.fields,
        )
        kept = plan.of(server.metadata)
        self.assertEqual(
            plan.Plan(name='debian', flavor='f', boot_test='none'), kept
        )

    @ddt.data(
        ('none', 'none'), ('auto', 'auto'), ('an-id', [{'uuid': 'an-id'}])
    )
    @ddt.unpack
    def test_network(self, network, networks):
        self.start(network=network)
        [server] = self.cloud.servers.values()
        self.assertEqual(networks, server.fields['networks'])

    def test_metadata(self):
        """The plan is not to be had by another way."""
        start.create(
            self.cloud,
            start.new_id(),
            plan.Plan(name='debian', flavor='f'),
            self.iso,
            metadata={'newos_seal': 'true', 'golden_name': 'other'},
        )
        [server] = self.cloud.servers.values()
        self.assertEqual('true', server.metadata['newos_seal'])
        self.assertEqual('debian', server.metadata['golden_name'])

    def test_name_is_another_image(self):
        self.cloud.add_image(name='debian', owner='project')
        self.refused(registry_exception.NameTaken, 'debian')

    def test_no_iso(self):
        self.iso.disk_format = 'qcow2'
        self.refused(exception.NotAnInstallIso, 'disk_format iso')

    def test_live(self):
        self.iso.properties['newos_install'] = 'false'
        self.refused(exception.NotAnInstallIso, 'newos_install=false')

    def test_no_bytes(self):
        self.iso.status = 'queued'
        self.refused(exception.IsoNotReady, 'is queued')

    def test_too_large(self):
        self.iso.properties['newos_root_disk_size'] = '6'
        self.refused(core_exception.RootDiskTooLarge, '6')

    @ddt.data({'name': ''}, {'name': 'x' * 256}, {'boot_test': 'x' * 256})
    def test_too_long(self, fields):
        self.refused(exception.PlanTooLong, '1 to 255', **fields)

    def test_pattern(self):
        self.refused(exception.BootTestInvalid, r'\(', boot_test='(')

    @ddt.data(
        ('instances', 'instances', 11, 9),
        ('total_cores', 'cores', 21, 20),
        ('total_ram', 'ram', 1000, 0),
    )
    @ddt.unpack
    def test_quota(self, attribute, name, limit, used):
        """The test of the candidate takes a server more."""
        limits = vars(self.cloud.limits)
        limits |= {attribute: limit, f'{attribute}_used': used}
        if name == 'instances':
            limits[attribute] = 10
        self.refused(exception.QuotaTooSmall, f'quota of {name}')
        if name != 'cores':
            self.start(boot_test='none')

    def test_answers(self):
        self.refused(
            core_exception.AnswersUnreadable,
            'AutoYaST',
            user_data=samples.AUTOYAST[:-4],
        )

    def test_user_data_is_too_large(self):
        data = b'#!/bin/sh\n' + b'#' * 49140
        self.refused(
            exception.UserDataTooLarge, '49150 .* 49149', user_data=data
        )
        self.start(user_data=data[:49149])
