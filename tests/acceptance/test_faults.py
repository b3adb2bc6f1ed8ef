# SPDX-License-Identifier: Apache-2.0
"""What comes of servers in each phase when a service fails under them."""

import pytest

from tests.acceptance import conftest
from tests.acceptance import faults
from tests.acceptance import golden
from tests.acceptance import onebox


@pytest.fixture(scope='module')
def services(box):
    return faults.Services(box)


@pytest.fixture(scope='module')
def gate(box, cloud, services):
    """The way from Nova to Glance."""
    url = cloud.session.get_endpoint(service_type='image')
    gate = faults.Gate(int(url.rpartition(':')[2]))
    box.up(
        *_options(
            {
                'glance.endpoint_override': gate.url,
                # How long a question waits whose answer was lost.
                'DEFAULT.rpc_response_timeout': '20',
            }
        )
    )
    services.make_glance_patient()
    yield gate
    box.up(
        *_options(
            {
                'glance.endpoint_override': '',
                'DEFAULT.rpc_response_timeout': '',
            }
        )
    )
    gate.close()


def _options(values):
    return [f'--set={name}={value}' for name, value in values.items()]


@pytest.fixture(scope='module')
def installed(box, cloud, gate, install_iso):
    """An installed server, off; no fault may change its root disk."""
    servers = conftest.Servers(box, cloud, 'onebox')
    guest = servers(install_iso)
    guest.install()
    yield guest
    servers.delete()


@pytest.fixture
def scene(
    box,
    cloud,
    gate,
    services,
    launch,
    images,
    media,
    installed,
    waiting_iso,
    driver_iso,
):
    isos = []
    for name in ('newos-test-fetched', 'newos-test-other'):
        isos.append(
            conftest.upload(
                cloud, name, media['probe'], newos_virtio_image_id=driver_iso
            )
        )
        images.adopt(isos[-1])
    scene = faults.Scene(
        box,
        gate,
        services,
        launch,
        images,
        installed,
        [*isos, waiting_iso],
    )
    yield scene
    gate.release()
    box.up()
    faults.wait_for_answer(cloud)


@pytest.fixture
def assert_installs(media, digests):
    """Asserts that a server installs itself from whole CD-ROMs."""

    def check(guest):
        report = guest.install()
        assert [cdrom['sha256'] for cdrom in report.cdroms] == [
            digests['probe'],
            digests['drivers'],
        ]

    return check


@pytest.mark.operation('compute-killed')
def test_nova_compute_is_killed(scene, services, assert_installs):
    with scene.held():
        services.kill('nova-compute')
    services.start('nova-compute')

    for guest in (scene.fetching, scene.creating):
        guest.wait_for_status('ERROR')
        guest.delete()
    scene.assert_root_untouched()
    # Glance puts it back when the upload breaks off; nobody deletes it.
    assert scene.status_of(scene.golden) == 'queued'
    retried = scene.begin_server(scene.fetched_iso)
    golden.check(scene.capture_again(), 'qcow2')
    scene.installing.install_now()
    assert_installs(retried)
