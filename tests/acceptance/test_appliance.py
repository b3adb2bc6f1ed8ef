# SPDX-License-Identifier: Apache-2.0
"""An appliance is imported by its owner, and boots."""

import subprocess
import uuid

import pytest

from tests.acceptance import onebox
from tests.unit.glance import appliances

_MEMORY = 128


@pytest.fixture(scope='session')
def vmdk(media, tmp_path_factory):
    """The disk of the installed probe, as appliances have it."""
    path = tmp_path_factory.mktemp('appliance') / 'probe-disk1.vmdk'
    subprocess.run(
        [
            *('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk'),
            *('-o', 'subformat=streamOptimized'),
            *(media['installed'], path),
        ],
        check=True,
    )
    return path


@pytest.fixture
def staged(cloud, images, tmp_path):
    """Stages bytes for a new image and has them imported; returns its id."""

    def make(content, **attributes):
        path = tmp_path / 'upload'
        path.write_bytes(content)
        image = cloud.image.create_image(
            name=f'newos-test-{uuid.uuid4()}', **attributes
        )
        images.adopt(image.id)
        cloud.image.stage_image(image, filename=str(path))
        cloud.image.import_image(image, method='glance-direct')
        return image.id

    return make


def _ended(cloud, image_id):
    """The only task of an image, once it has ended."""

    def last():
        found = cloud.image.get(f'/images/{image_id}/tasks').json()['tasks']
        return found if found[0]['status'] in ('success', 'failure') else None

    [task] = onebox.wait_for('the end of the import', last)
    return task


def _ova(vmdk, manner):
    disk = vmdk.read_bytes()
    if manner == 'vmware':
        descriptor = appliances.vmware(vmdk.name, len(disk), _MEMORY)
    else:
        descriptor = appliances.virtualbox(vmdk.name, _MEMORY)
    return appliances.ova(('probe.ovf', descriptor), (vmdk.name, disk))


def test_ova_boots(cloud, staged, launch, vmdk):
    vmware = staged(
        _ova(vmdk, 'vmware'), container_format='ova', disk_format='vmdk'
    )
    virtualbox = staged(
        _ova(vmdk, 'virtualbox'), container_format='ova', disk_format='raw'
    )
    for image_id, vcpus in ((vmware, '1'), (virtualbox, '2')):
        task = _ended(cloud, image_id)
        assert task['status'] == 'success', task['message']
        image = cloud.image.get_image(image_id)
        assert (image.status, image.container_format, image.disk_format) == (
            'active',
            'bare',
            'vmdk',
        )
        assert (image.min_disk, image.min_ram) == (1, _MEMORY)
        assert image.size == vmdk.stat().st_size
        assert image.properties['newos_source'] == 'ova:probe'
        assert image.properties['newos_vcpus'] == vcpus
    guest = launch(vmware)
    guest.wait_for_report(**{'booted-from': 'disk', 'marker': 'installed'})


@pytest.mark.parametrize(
    ('attributes', 'content', 'words'),
    [
        (
            {'container_format': 'ova', 'disk_format': 'vmdk'},
            appliances.ova(
                ('a.ovf', appliances.descriptor()),
                ('disk.vmdk', appliances.vmdk(extent='/etc/passwd')),
            ),
            'is not safe',
        ),
        (
            {'container_format': 'bare', 'disk_format': 'qcow2'},
            appliances.qcow2(backing=0x200),
            'backing_file',
        ),
    ],
    ids=['ova', 'disk'],
)
def test_owner_reads_why_it_is_refused(
    cloud, staged, box, attributes, content, words
):
    image_id = staged(content, **attributes)
    task = _ended(cloud, image_id)
    assert task['status'] == 'failure'
    assert words in task['message']
    image = cloud.image.get_image(image_id)
    assert image.status == 'queued'
    assert words in image.properties['newos_refused']
    assert image.container_format == attributes['container_format']
    staging = box.state.images / 'staging'
    assert not list(staging.glob(f'{image_id}*'))


def test_forms_know_the_properties(cloud):
    for namespace, name, about in (
        ('NovaNewos::InstallISO', 'newos_root_disk_size', {'minimum': 1}),
        ('NovaNewos::Findings', 'newos_source', {'readonly': True}),
        (
            'NovaNewos::GoldenImage',
            'verdict_boot_loader',
            {'enum': ['false', 'true', 'unknown']},
        ),
        ('NovaNewos::Server', 'newos_boot', {'enum': ['installer']}),
    ):
        found = cloud.image.get(
            f'/metadefs/namespaces/{namespace}/properties/{name}'
        ).json()
        assert found['title']
        assert about.items() <= found.items()
