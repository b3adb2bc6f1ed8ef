# SPDX-License-Identifier: Apache-2.0
"""What comes of servers in each phase when a service fails under them."""

import contextlib

import pytest

from tests.acceptance import cache
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
    options = {
        'glance.endpoint_override': gate.url,
        # How long a question waits whose answer was lost.
        'DEFAULT.rpc_response_timeout': '20',
        # All are back before such a question is given up; by default they
        # wait longer each time, up to 30 s.
        'oslo_messaging_rabbit.rabbit_interval_max': '2',
    }
    with contextlib.closing(gate), box.configured(options):
        services.make_glance_patient()
        yield gate


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

    _assert_given_up(scene.fetching, scene.creating)
    scene.assert_root_untouched()
    # Glance puts it back when the upload breaks off; with nobody's token,
    # Nova cannot delete it.
    onebox.wait_for(
        'Glance gives the upload up',
        lambda: scene.status_of(scene.golden) == 'queued',
    )
    _assert_retries_work(scene, assert_installs)
    scene.installing.install_now()


@pytest.mark.operation('libvirtd-restarted')
def test_libvirtd_is_restarted(scene, services, assert_installs):
    services.restart('libvirtd')
    scene.gate.release(scene.fetched_iso, faults.UPLOADS)

    assert_installs(scene.fetching)
    _assert_captured(scene)
    scene.installing.install_now()

    with scene.held():
        services.kill('libvirtd')
        services.start('libvirtd')
    # Nova 34 may wait for its own lock when a question of its breaks off,
    # and then does so until it is restarted.
    services.kill('nova-compute')
    services.start('nova-compute')
    _assert_given_up(scene.creating)


@pytest.mark.operation('rabbitmq-stopped')
def test_rabbitmq_is_stopped(scene, services, box, assert_installs):
    fetched = cache.base_file(box, scene.fetched_iso)
    with scene.held():
        services.stop('rabbitmq')
    onebox.wait_for('the ISO is there all the same', fetched.exists)
    services.start('rabbitmq')

    for guest in (scene.fetching, scene.creating):
        # An answer that got lost is waited for, and then Nova gives the
        # server up.
        guest.wait_for_status('ACTIVE', 'SHUTOFF', 'ERROR')
        if guest.server().status == 'ERROR':
            _assert_given_up(guest)
        else:
            assert_installs(guest)
    scene.assert_root_untouched()
    # So it is with an image, and it can be taken once more in any case.
    if scene.status_of(scene.golden) == 'active':
        _assert_captured(scene)
    golden.check(scene.capture_again())
    scene.installing.install_now()


@pytest.mark.operation('mariadb-stopped')
def test_mariadb_is_stopped(scene, services, box, cloud, assert_installs):
    log = faults.Log(box, 'nova-compute')
    with scene.held():
        services.stop('mariadb')
    for guest in (scene.fetching, scene.creating, scene.captured):
        log.wait_for(f'{guest.id}] Failed to revert task state')
    services.start('mariadb')
    faults.wait_for_answer(cloud)
    # Nova could not put down what had failed; it does when it is restarted.
    services.kill('nova-compute')
    services.start('nova-compute')

    _assert_given_up(scene.fetching, scene.creating)
    scene.assert_root_untouched()
    # Neither Glance nor Nova could put down that the upload failed.
    assert scene.status_of(scene.golden) == 'saving'
    _assert_retries_work(scene, assert_installs)
    scene.installing.install_now()


@pytest.mark.operation('glance-stopped')
def test_glance_is_stopped(scene, services, cloud, assert_installs):
    with scene.held():
        services.stop('glance')

    scene.fetching.wait_for_status('ERROR')
    # Nova tries another host, and there is none.
    message = scene.fetching.server().fault['message']
    assert 'Exhausted all hosts' in message
    scene.fetching.delete()
    assert_installs(scene.creating)
    scene.assert_root_untouched()
    services.start('glance')
    # Nova could not delete it while Glance was away.
    assert scene.status_of(scene.golden) in ('saving', 'queued')
    _assert_retries_work(scene, assert_installs)
    scene.installing.install_now()


def _assert_given_up(*guests):
    for guest in guests:
        guest.wait_for_status('ERROR')
        guest.delete()


def _assert_captured(scene):
    """The golden image came about in spite of it all."""
    scene.assert_root_untouched()
    scene.assert_is_root(scene.golden)
    golden.check(scene.cloud.image.get_image(scene.golden))


def _assert_retries_work(scene, assert_installs):
    """A new server of the ISO that was half there, and a new image."""
    guest = scene.servers.begin(scene.fetched_iso)
    golden.check(scene.capture_again())
    assert_installs(guest)
