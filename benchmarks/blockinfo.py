# SPDX-License-Identifier: Apache-2.0
"""What our wrappers cost Nova's get_disk_info for an ordinary server.

Everything happens in this process, on Nova's own objects in memory. Nova asks
``nova.virt.libvirt.blockinfo.get_disk_info`` at every spawn, reboot and
migration of every server, so those that never saw an ISO pay for our wrappers
as well.
"""

import contextlib
import itertools
import time
import timeit

from nova import context
from nova import objects
from nova import utils
import nova.conf
from nova.virt import driver
from nova.virt.libvirt import blockinfo as nova_blockinfo

from benchmarks import figures
from benchmarks.errors import BenchmarkError
from devstack.onebox.progress import say
from nova_newos.virt import blockinfo

CONF = nova.conf.CONF
VIRT_TYPE = 'qemu'
# A round takes some 10 ms: long enough for the clock, and short enough for
# both variants to meet the same load on the machine.
CALLS = 100

_IMAGE = 'c5d9e7a2-3f0b-4b0e-8a55-3d4f0e6c1b11'
_SERVER = '0b0f7f0e-6d38-4c8e-9a3e-2f4f6a0f8c22'
_VOLUMES = (
    '7d1f4b4e-1c57-4a59-8f0a-5a3c9c2e7f33',
    'e2a9c6d8-9b1d-4d3b-b7a6-8c5d1e0f9a44',
)


def measure(runs):
    """Compare stock functions with wrapped ones.

    :param runs: rounds; each times all variants, CALLS calls of each
    :returns: list of figures.Row, in processor microseconds a call
    :raises BenchmarkError: when the two do not do the same work
    """
    objects.register_all()
    CONF([], project='nova', default_config_files=[])
    return [
        row
        for title, call in (
            ('one disk', _call(_server(), ())),
            (
                'five disks, config drive',
                _call(_server(config_drive='True'), _more_disks()),
            ),
        )
        for row in _compare(title, call, runs)
    ]


@contextlib.contextmanager
def _wrapped():
    blockinfo.install()
    try:
        yield
    finally:
        blockinfo.uninstall()


def _compare(title, call, runs):
    stock = call()
    with _wrapped():
        ours = call()
    if stock != ours:
        raise BenchmarkError(
            f'{title}: the wrapped get_disk_info differs from the stock one'
        )
    say(f'{title}: {runs} rounds')
    # Stock comes twice: its ratio to itself is what noise alone makes.
    variants = {
        'stock': contextlib.nullcontext,
        'again': contextlib.nullcontext,
        'ours': _wrapped,
    }
    each = {name: [] for name in variants}
    # Processor time, because the machine may be busy with other things.
    timer = timeit.Timer(call, timer=time.process_time)
    orders = itertools.cycle(itertools.permutations(variants))
    for order in itertools.islice(orders, runs):
        for name in order:
            with variants[name]():
                each[name].append(timer.timeit(CALLS) / CALLS * 1e6)
    stock, again, ours = map(tuple, each.values())
    return [
        figures.Row(title, stock, ours),
        figures.Row(f'{title}: stock twice', stock, again),
    ]


def _call(instance, more_disks):
    meta = instance.image_meta
    info = driver.get_block_device_info(
        instance,
        objects.BlockDeviceMappingList(objects=[_root_disk(), *more_disks]),
    )
    return lambda: nova_blockinfo.get_disk_info(
        VIRT_TYPE, instance, meta, info
    )


def _server(config_drive=''):
    flavor = objects.Flavor(
        id=1,
        name='flavor',
        flavorid='1',
        memory_mb=512,
        vcpus=1,
        root_gb=10,
        ephemeral_gb=0,
        swap=0,
        rxtx_factor=1.0,
        vcpu_weight=0,
        extra_specs={},
        is_public=True,
        disabled=False,
    )
    image = {
        'id': _IMAGE,
        'disk_format': 'qcow2',
        'container_format': 'bare',
        'min_disk': 10,
        'min_ram': 0,
        'properties': {'hw_disk_bus': 'virtio', 'os_distro': 'debian'},
    }
    return objects.Instance(
        context.RequestContext('user', 'project'),
        id=1,
        uuid=_SERVER,
        image_ref=_IMAGE,
        root_device_name='/dev/vda',
        config_drive=config_drive,
        os_type=None,
        vm_mode=None,
        flavor=flavor,
        ephemeral_gb=0,
        system_metadata={
            name: str(value)
            for name, value in utils.get_system_metadata_from_image(
                image, flavor
            ).items()
        },
    )


def _root_disk():
    return _disk(
        source_type='image',
        image_id=_IMAGE,
        boot_index=0,
        device_name='/dev/vda',
    )


def _more_disks():
    """Two volumes, an ephemeral disk and swap."""
    volumes = (
        _disk(
            source_type='volume',
            destination_type='volume',
            volume_id=volume,
            device_name=f'/dev/vd{letter}',
            connection_info='{}',
        )
        for volume, letter in zip(_VOLUMES, 'de', strict=True)
    )
    return (
        _disk(guest_format='ext4', device_name='/dev/vdb'),
        _disk(guest_format='swap', device_name='/dev/vdc'),
        *volumes,
    )


def _disk(**fields):
    nothing = {
        name: None
        for name, field in objects.BlockDeviceMapping.fields.items()
        if field.nullable
    }
    return objects.BlockDeviceMapping(
        **{
            **nothing,
            'id': 1,
            'instance_uuid': _SERVER,
            'source_type': 'blank',
            'destination_type': 'local',
            'device_type': 'disk',
            'disk_bus': 'virtio',
            'boot_index': -1,
            'volume_size': 1,
            'delete_on_termination': False,
            'no_device': False,
            'encrypted': False,
            **fields,
        }
    )
