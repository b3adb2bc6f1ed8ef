# SPDX-License-Identifier: Apache-2.0
"""Families of golden images: one name, whoever is stopped, and no id lost."""

import concurrent.futures
import os
import uuid

import openstack as sdk
import pytest
import requests

from nova_newos.registry import copying
from nova_newos.registry import exception
from nova_newos.registry import families
from nova_newos.registry import glance
from nova_newos.registry import publishing
from nova_newos.registry import revoking
from tests.acceptance import onebox

# More requests than any call makes.
_MANY = 30


class Stopped(Exception):
    """The client ends here."""


class Client:
    """The user's cloud, whose client can be stopped."""

    def __init__(self):
        self.cloud = sdk.connect(cloud='onebox')
        # What it asks for once, whatever it does.
        list(self.cloud.image.images(limit=1))
        self._request = self.cloud.session.request
        self.cloud.session.request = self._counted
        self.count, self.last = 0, None

    def _counted(self, *args, **kwargs):
        answer = self._request(*args, **kwargs)
        self.count += 1
        if self.count == self.last:
            raise Stopped()
        return answer

    def stop_after(self, number):
        """Have it stopped once Glance has answered so many requests."""
        self.count, self.last = 0, number


@pytest.fixture
def name(cloud, alt):
    """A family's name; what it has in both projects is deleted."""
    name = f'newos-test-{uuid.uuid4()}'
    yield name
    for each in (cloud, alt):
        mine = {'golden_family': name, 'owner': each.current_project_id}
        for image in list(glance.everywhere(each, **mine)):
            each.image.delete_image(image['id'])


@pytest.fixture
def candidate(cloud, images):
    """Makes tiny images, hidden as those of builds; returns the id."""

    def make(data=b'no system'):
        image = glance.create(
            cloud,
            name='newos-test-candidate',
            disk_format='raw',
            container_format='bare',
            os_hidden=True,
        )
        images.adopt(image['id'])
        glance.upload(cloud, image['id'], iter([data]), len(data))
        return image['id']

    return make


@pytest.fixture
def publish(cloud, name, candidate):
    """Publishes an image, by default a new one; returns its id."""

    def publish(image_id=None):
        image_id = image_id or candidate()
        publishing.publish(cloud, image_id, name)
        return image_id

    return publish


def found_by_name(cloud, name):
    """Ids of the images that the name leads to."""
    return [image.id for image in cloud.image.images(name=name)]


def run(*arguments, cloud='onebox'):
    """A command of the client that prints something."""
    return onebox.openstack('golden', *arguments, '--format=json', cloud=cloud)


def test_publisher_is_stopped(cloud, name, candidate, publish):
    """After each of its requests: one or two are visible, and then one."""
    client = Client()
    before = publish()
    seen = set()
    for number in range(1, _MANY):
        image = candidate()
        client.stop_after(number)
        try:
            publishing.publish(client.cloud, image, name)
        except Stopped:
            visible = found_by_name(cloud, name)
            seen.add(len(visible))
            assert set(visible) <= {before, image}
            # The first to come is the same one, or another one.
            before = publish(image if number % 2 else None)
            assert found_by_name(cloud, name) == [before]
        else:
            break
    assert seen == {1, 2}
    assert found_by_name(cloud, name) == [image]


def test_two_publish_at_once(cloud, name, candidate):
    clients = [Client(), Client()]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for versions in range(2, 9, 2):
            made = [candidate(), candidate()]
            done = [
                pool.submit(publishing.publish, client.cloud, image, name)
                for client, image in zip(clients, made, strict=True)
            ]
            for each in done:
                each.result()
            found = families.look(cloud, name, cloud.current_project_id)
            assert found_by_name(cloud, name) == [found.current.id]
            assert found.current.id in made
            assert len(found.versions) == versions


def test_versions_and_servers(cloud, name, publish, launch, images):
    """The client's commands, while a server runs a former version."""
    first, second = publish(), publish()
    server = launch(first)
    third = publish()
    rows = run('family', 'prune', name, '--keep=0')
    assert [(row['id'], row['state']) for row in rows] == [
        (second, 'deleted'),
        (first, 'kept'),
    ]
    rows = run('family', 'rollback', name)
    assert [(row['id'], row['state']) for row in rows] == [
        (first, 'current'),
        (third, 'former'),
    ]
    assert found_by_name(cloud, name) == [first]
    snapshot = cloud.compute.create_server_image(
        server.id, 'newos-test-snapshot', wait=True
    )
    images.adopt(snapshot.id)
    # Nova has not copied what the image says of itself.
    copied = glance.get(cloud, snapshot.id)
    assert copied['base_image_ref'] == first
    assert not [key for key in copied if key.startswith('golden_')]
    found = families.look(cloud, name, cloud.current_project_id)
    assert [version.id for version in found.versions] == [first, third]
    [current] = [v for v in families.current(cloud) if v.family == name]
    assert current.id == first
    rows = run('image', 'lineage', first, '--servers')
    assert [(row['distance'], row['id']) for row in rows] == [
        (0, first),
        (1, server.id),
        (1, snapshot.id),
    ]


def test_revoked(cloud, name, publish):
    first, second = publish(), publish()
    with pytest.raises(exception.IsCurrent):
        revoking.revoke(cloud, second, 'a hole')
    onebox.openstack('golden', 'image', 'revoke', '--reason=a hole', first)
    with pytest.raises(sdk.exceptions.BadRequestException, match='not active'):
        cloud.compute.create_server(
            name='newos-test-revoked',
            image_id=first,
            flavor_id=cloud.compute.find_flavor('m1.nano').id,
            networks='none',
        )
    assert glance.get(cloud, first)['golden_revoked'] == 'a hole'
    assert found_by_name(cloud, name) == [second]


def test_copied(cloud, alt, name, candidate, publish):
    """To another project by the client, after a download that is cut."""
    data = os.urandom(3 * 2**20)
    image = publish(candidate(data))
    version = families.look(cloud, name, cloud.current_project_id).current
    client = Client()
    sent = []

    def cut(number):
        sent.append(number)
        if len(sent) == 2:
            raise requests.ConnectionError('reset by peer')

    made = copying.copy(client.cloud, version, alt, name, None, cut)
    # The image's bytes, and the rest of them.
    assert client.count == 2
    assert sent[-1] == len(data)
    row = run('family', 'copy', name, '--to-cloud=onebox-alt')
    assert row['id'] == made
    [copy] = alt.image.images(name=name)
    assert copy.id == made
    assert copy.properties['golden_copied_from'] == image
    assert alt.image.download_image(made).content == data
