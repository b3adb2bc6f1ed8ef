# SPDX-License-Identifier: Apache-2.0
"""What a user of the cloud does."""

import base64
import pathlib

from tempest import config
from tempest.common import compute
from tempest.lib.common.utils import data_utils
from tempest.lib.common.utils import test_utils
import tempest.test

from nova_newos.tempest_plugin.tests import watch

CONF = config.CONF


class ScenarioTest(tempest.test.BaseTestCase):
    """All that is made is of the class, and goes with it.

    :cvar watch: waits for what is to come, a Watch
    """

    credentials = ['primary']

    @classmethod
    def skip_checks(cls):
        super().skip_checks()
        if not CONF.newos.install_iso:
            raise cls.skipException('[newos] install_iso is not set')

    @classmethod
    def setup_credentials(cls):
        cls.set_network_resources(network=True, subnet=True)
        super().setup_credentials()

    @classmethod
    def setup_clients(cls):
        super().setup_clients()
        cls.servers = cls.os_primary.servers_client
        cls.server_images = cls.os_primary.compute_images_client
        cls.images = cls.os_primary.image_client_v2
        cls.flavors = cls.os_primary.flavors_client
        cls.flavor = CONF.newos.flavor_ref or CONF.compute.flavor_ref
        cls.watch = watch.Watch(cls.servers, cls.images)

    @classmethod
    def create_iso(cls, **properties):
        """An image without data; returns its id."""
        image = cls.images.create_image(
            name=cls._new_name('iso'),
            disk_format='iso',
            container_format='bare',
            visibility='private',
            **properties,
        )
        cls._delete_image_at_end(image['id'])
        return image['id']

    @classmethod
    def install_iso(cls):
        """Id of the image that servers are installed from."""
        path = pathlib.Path(CONF.newos.install_iso)
        if not path.is_absolute():
            return CONF.newos.install_iso
        image_id = cls.create_iso(**CONF.newos.install_iso_properties)
        with path.open('rb') as data:
            cls.images.store_image_file(image_id, data)
        return image_id

    @classmethod
    def create_server(cls, image_id, **options):
        """Create a server and do not wait; returns its id.

        :param options: more of Nova's API
        """
        server, _all = compute.create_test_server(
            cls.os_primary,
            tenant_network=cls.get_tenant_network(),
            name=cls._new_name('server'),
            flavor=cls.flavor,
            image_id=image_id,
            **options,
        )
        cls.addClassResourceCleanup(cls._delete_server, server['id'])
        return server['id']

    @classmethod
    def install(cls, image_id, **options):
        """Create a server that installs itself; returns its id.

        :param options: more of Nova's API
        """
        if CONF.newos.answers:
            answers = pathlib.Path(CONF.newos.answers).read_bytes()
            options['user_data'] = base64.b64encode(answers).decode()
        server_id = cls.create_server(image_id, **options)
        cls.wait_until_installed(server_id)
        return server_id

    @classmethod
    def wait_until_installed(cls, server_id):
        """Wait until the guest powers itself off."""
        cls.watch.server(server_id, 'SHUTOFF', CONF.newos.build_timeout)

    @classmethod
    def boot(cls, image_id):
        """Create a server of an installed system; returns its id."""
        server_id = cls.create_server(image_id)
        cls.wait_until_up(server_id)
        return server_id

    @classmethod
    def start(cls, server_id):
        """Start an installed server and wait until it is up."""
        cls.servers.start_server(server_id)
        cls.wait_until_up(server_id)

    @classmethod
    def wait_until_up(cls, server_id):
        """Wait for a system that was installed, not for its installer."""
        cls.watch.server(server_id, 'ACTIVE')
        if CONF.newos.installed_pattern:
            cls.watch.console(server_id, CONF.newos.installed_pattern)

    @classmethod
    def capture(cls, server_id):
        """The golden image of a server, as Glance shows it."""
        answer = cls.server_images.create_image(
            server_id, name=cls._new_name('golden')
        )
        image_id = data_utils.parse_image_id(answer.response['location'])
        cls._delete_image_at_end(image_id)
        return cls.watch.image(image_id, CONF.newos.build_timeout, server_id)

    @classmethod
    def _new_name(cls, kind):
        return data_utils.rand_name(
            f'{cls.__name__}-{kind}', prefix=CONF.resource_name_prefix
        )

    @classmethod
    def _delete_image_at_end(cls, image_id):
        cls.addClassResourceCleanup(
            test_utils.call_and_ignore_notfound_exc,
            cls.images.delete_image,
            image_id,
        )

    @classmethod
    def _delete_server(cls, server_id):
        test_utils.call_and_ignore_notfound_exc(
            cls.servers.delete_server, server_id
        )
        cls.watch.deletion(server_id)
