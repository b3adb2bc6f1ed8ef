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
    :returns: list of figures.Comparison, in processor microseconds
        a call
    :raises BenchmarkError: when the two do not do the same work
    """
    objects.register_all()
    CONF([], project='nova', default_config_files=[])
    stock, ours = variants()
    return [
        comparison
        for title, call in (
            ('one disk', _call(_server(), ())),
            (
                'five disks, config drive',
                _call(_server(config_drive='True'), _more_disks()),
            ),
        )
        for comparison in _compare(title, call, stock, ours, runs)
    ]


def variants():
    """Two sets of the functions that our wrappers concern.

    :returns: ({name: stock function}, {name: wrapped function})
    """
    before = dict(vars(nova_blockinfo))
    blockinfo.install()
    ours = {
        name: function
        for name, function in vars(nova_blockinfo).items()
        if function is not before.get(name)
    }
    stock = {name: before[name] for name in ours}
    _use(stock)
    if not ours:
        raise BenchmarkError(
            'the wrappers are in place already: measure in a new process'
        )
    return stock, ours


def _use(functions):
    for name, function in functions.items():
        setattr(nova_blockinfo, name, function)


@contextlib.contextmanager
def _in_use(functions, afterwards):
    _use(functions)
    try:
        yield
    finally:
        _use(afterwards)


def _compare(title, call, stock, ours, runs):
    if _result(call, stock, stock) != _result(call, ours, stock):
        raise BenchmarkError(
            f'{title}: the wrapped get_disk_info differs from the stock one'
        )
    say(f'{title}: {runs} rounds')
    # Stock comes twice: its ratio to itself is what noise alone makes.
    plan = {'stock': stock, 'again': stock, 'ours': ours}
    seconds = {name: [] for name in plan}
    # Processor time, because the machine may be busy with other things.
    timer = timeit.Timer(call, timer=time.process_time)
    orders = itertools.cycle(itertools.permutations(plan))
    for order in itertools.islice(orders, runs):
        for name in order:
            with _in_use(plan[name], stock):
                seconds[name].append(timer.timeit(CALLS))
    each = {
        name: tuple(total / CALLS * 1e6 for total in totals)
        for name, totals in seconds.items()
    }
    return [
        figures.Comparison(title, each['stock'], each['ours']),
        figures.Comparison(
            f'{title}: stock twice', each['stock'], each['again']
        ),
    ]


def _result(call, functions, afterwards):
    with _in_use(functions, afterwards):
        return call()


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
    return objects.BlockDeviceMapping(
        **{
            'id': 1,
            'instance_uuid': _SERVER,
            'source_type': 'blank',
            'destination_type': 'local',
            'device_type': 'disk',
            'disk_bus': 'virtio',
            'boot_index': -1,
            'device_name': None,
            'guest_format': None,
            'volume_size': 1,
            'volume_id': None,
            'volume_type': None,
            'image_id': None,
            'snapshot_id': None,
            'connection_info': None,
            'delete_on_termination': False,
            'no_device': False,
            'tag': None,
            'attachment_id': None,
            'encrypted': False,
            'encryption_secret_uuid': None,
            'encryption_format': None,
            'encryption_options': None,
            **fields,
        }
    )
