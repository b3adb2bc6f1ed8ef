# SPDX-License-Identifier: Apache-2.0
"""The box, its images and servers, for all acceptance tests."""

import hashlib
import subprocess
import uuid

import openstack
import pytest

from devstack.onebox import client
from tests.acceptance import guests
from tests.acceptance import onebox
from tests.acceptance import own_box
from tests.acceptance import storage

# Markers of tests that tests/run leaves to a part of their own.
_ON_DEMAND = {
    'uefi': 'needs a release that defines UEFI domains, see box up --release',
    'upgrade': 'changes between both drivers, for many minutes',
}


def pytest_addoption(parser):
    own_box.add_options(parser)


def pytest_configure(config):
    for name in storage.ALL:
        config.addinivalue_line(
            'markers', f'{name}: needs [libvirt] images_type = {name}'
        )
    for name, needs in _ON_DEMAND.items():
        config.addinivalue_line('markers', f'{name}: {needs}')


def pytest_collection_modifyitems(items):
    """Change the box's storage once, not back and forth."""
    items.sort(key=storage.order)


@pytest.fixture(scope='session', autouse=True)
def box(request):
    with own_box.up(request.config):
        yield client.Box.from_environment()


@pytest.fixture(scope='session')
def cloud():
    """The cloud as an ordinary user sees it."""
    return openstack.connect(cloud='onebox')


@pytest.fixture(scope='session')
def admin():
    return openstack.connect(cloud='onebox-admin')


@pytest.fixture(scope='session')
def alt():
    """The cloud as a user of another project sees it."""
    return openstack.connect(cloud='onebox-alt')


@pytest.fixture(scope='session')
def switch(box):
    """Changes the box's configuration between tests."""
    switch = storage.Switch(box)
    yield switch
    switch.back()


@pytest.fixture(autouse=True)
def images_type(request, switch):
    """The ``[libvirt] images_type`` of this test, see storage.on()."""
    switch.to(storage.wanted(request.node))
    return storage.images_type_of(request.node)


@pytest.fixture
def pty_consoles():
    """Serial ports for guests that are rescued or resized.

    With [serial_console] enabled, LibvirtDriver._create_consoles_qemu_kvm
    gives their new domain none, because the one before it has one. See
    storage.wanted().
    """


@pytest.fixture(scope='session')
def media(box):
    """Paths of the media of devstack/onebox/media by name."""
    names = ('probe', 'q35', 'waiting', 'drivers', 'installed', 'rescue')
    return {name: client.medium(name) for name in names}


@pytest.fixture
def plain(tmp_path):
    """Makes an ISO that is no disk as well, which Glance 31 refuses.

    It is one by what is in the area that ISO 9660 leaves to systems.
    """

    def make(path):
        made = tmp_path / f'plain-{path.name}'
        made.write_bytes(bytes(2**15) + path.read_bytes()[2**15 :])
        return made

    return make


@pytest.fixture(scope='session')
def digests(media):
    """sha256 of the ISOs, as the probe reports it."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in media.items()
        if path.suffix == '.iso'
    }


@pytest.fixture(scope='session')
def disk_files(media, tmp_path_factory):
    """The disk images among the media, as qcow2 files."""
    directory = tmp_path_factory.mktemp('disks')
    made = {}
    for name in ('installed', 'rescue'):
        made[name] = directory / f'{name}.qcow2'
        command = 'qemu-img convert -f raw -O qcow2'.split()
        subprocess.run([*command, media[name], made[name]], check=True)
    return made


def upload(cloud, name, path, disk_format='iso', **properties):
    """An image of the cloud's user."""
    image = cloud.image.create_image(
        name=name,
        filename=str(path),
        disk_format=disk_format,
        container_format='bare',
        validate_checksum=False,
        wait=True,
        use_import=False,
        **properties,
    )
    return image.id


class Images:
    """Images of one test.

    :param cloud: whose user owns them when a test says nothing else
    """

    def __init__(self, cloud):
        self.cloud = cloud
        self.made = []

    def __call__(self, path, *, owner=None, **kwargs):
        """Upload a file; returns the image's id."""
        owner = owner or self.cloud
        # openstacksdk looks for others of the same name first.
        name = f'newos-test-{uuid.uuid4()}'
        image_id = upload(owner, name, path, **kwargs)
        self.adopt(image_id, owner)
        return image_id

    def adopt(self, image_id, owner=None):
        """Have an image deleted that the test made otherwise."""
        self.made.append((owner or self.cloud, image_id))

    def delete(self):
        """Delete what is left of them."""
        for owner, image_id in self.made:
            owner.image.delete_image(image_id, ignore_missing=True)


@pytest.fixture
def images(cloud):
    """Images that are gone after the test."""
    test_images = Images(cloud)
    yield test_images
    test_images.delete()


@pytest.fixture(scope='session')
def driver_iso(cloud, media):
    """A driver ISO of the ordinary user."""
    image_id = upload(cloud, 'newos-test-drivers', media['drivers'])
    yield image_id
    cloud.image.delete_image(image_id, ignore_missing=True)


@pytest.fixture(scope='session')
def install_iso(cloud, media, driver_iso):
    """The probe ISO, which names the driver ISO."""
    image_id = upload(
        cloud,
        'newos-test-probe',
        media['probe'],
        newos_virtio_image_id=driver_iso,
    )
    yield image_id
    cloud.image.delete_image(image_id, ignore_missing=True)


@pytest.fixture(scope='session')
def waiting_iso(cloud, media, driver_iso):
    """The waiting ISO, which names the driver ISO."""
    image_id = upload(
        cloud,
        'newos-test-waiting',
        media['waiting'],
        newos_virtio_image_id=driver_iso,
    )
    yield image_id
    cloud.image.delete_image(image_id, ignore_missing=True)


@pytest.fixture(scope='session')
def disk_image(cloud, disk_files):
    """An ordinary image, with an installed probe."""
    image_id = upload(
        cloud, 'newos-test-disk', disk_files['installed'], 'qcow2'
    )
    yield image_id
    cloud.image.delete_image(image_id, ignore_missing=True)


@pytest.fixture
def flavor(admin):
    """Makes flavors that only this test uses."""
    made = []

    def make(**sizes):
        values = {'ram': 192, 'vcpus': 1, 'disk': 1, **sizes}
        made.append(
            admin.compute.create_flavor(
                name=f'newos-test-{len(made)}', **values
            )
        )
        return made[-1].id

    yield make
    for each in made:
        admin.compute.delete_flavor(each)


class Servers:
    """Servers of one test, created with the stock client or its library.

    :param name: of the client's cloud
    """

    def __init__(self, box, cloud, name):
        self.box = box
        self.cloud = cloud
        self.name = name
        self.made = []

    def __call__(self, image, *options, flavor='m1.nano', expect=('ACTIVE',)):
        """Create a server and wait for a status; returns a Guest.

        :param options: of the stock client, which takes seconds to start; it
            does the work if there are any
        """
        create = self._with_client if options else self.begin
        guest = create(image, *options, flavor=flavor)
        guest.wait_for_status(*expect)
        return guest

    def begin(self, image, flavor='m1.nano'):
        """Create a server and do not wait; returns a Guest."""
        compute = self.cloud.compute
        server = compute.create_server(
            name='newos-test',
            image_id=image,
            flavor_id=compute.find_flavor(flavor).id,
            networks='none',
        )
        return self.adopt(server.id)

    def _with_client(self, image, *options, flavor):
        answer = onebox.openstack(
            'server',
            'create',
            '--format=json',
            f'--image={image}',
            f'--flavor={flavor}',
            '--nic=none',
            *options,
            'newos-test',
            cloud=self.name,
        )
        return self.adopt(answer['id'])

    def adopt(self, server_id):
        """Have a server deleted that the test made otherwise."""
        guest = guests.Guest(self.box, self.cloud, server_id)
        self.made.append(guest)
        return guest

    def delete(self):
        """Delete what is left of them."""
        for guest in self.made:
            if self.cloud.compute.find_server(guest.id):
                guest.delete()


@pytest.fixture
def launch(box, cloud):
    servers = Servers(box, cloud, 'onebox')
    yield servers
    servers.delete()


@pytest.fixture
def launch_alt(box, alt):
    """Launches servers of another project."""
    servers = Servers(box, alt, 'onebox-alt')
    yield servers
    servers.delete()


@pytest.fixture
def launch_admin(box, admin):
    """Launches servers of the administrator."""
    servers = Servers(box, admin, 'onebox-admin')
    yield servers
    servers.delete()
