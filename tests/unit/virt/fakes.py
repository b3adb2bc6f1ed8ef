# SPDX-License-Identifier: Apache-2.0
"""Nova's own objects in memory, and media that need no plug-in."""

import functools
import itertools
import json
import os
import pathlib
import shutil
from unittest import mock

import fixtures
from nova import context as nova_context
from nova import exception as nova_exception
from nova import objects
from nova import utils as nova_utils
import nova.conf
import nova.privsep
import nova.privsep.qemu
from nova.virt import driver as nova_driver
from nova.virt.libvirt import blockinfo as stock_blockinfo
from nova.virt.libvirt import config as vconfig
from nova.virt.libvirt import driver as stock_driver
from nova.virt.libvirt import imagebackend
from nova.virt.libvirt import utils as libvirt_utils
from oslo_config import fixture as config_fixture
from oslo_utils import timeutils

from nova_newos import layout
from nova_newos.media import base as media_base
from nova_newos.virt import blockinfo
from nova_newos.virt import driver
from nova_newos.virt import glance
from nova_newos.virt import qemu_img
from nova_newos.virt import server as servers
from tests.unit import base

CONF = nova.conf.CONF
objects.register_all()

ISO = '11111111-1111-4111-8111-111111111111'
DRIVERS = '22222222-2222-4222-8222-222222222222'
OTHER = '33333333-3333-4333-8333-333333333333'
SERVER = '44444444-4444-4444-8444-444444444444'
PROJECT = 'owner'

GiB = 1024**3

LAYOUT = layout.Layout(iso=ISO, root_gb=7, media=(('virtio', DRIVERS),))


class TestCase(base.TestCase):
    """Nova's configuration and module functions as they are at start.

    :ivar instances_path: a directory of this test
    :ivar saved: the system_metadata of each ``instance.save()``
    :ivar save_error: raised by the next ones, if set
    :ivar metadata: what the database has, dict by the server's id
    """

    def setUp(self):
        super().setUp()
        self.instances_path = self.useFixture(fixtures.TempDir()).path
        self._conf = self.useFixture(config_fixture.Config(CONF))
        CONF([], project='nova', default_config_files=[])
        self.flags(instances_path=self.instances_path, host='host')
        self.flags('libvirt', virt_type='kvm')
        # Sealers ask the tools of the host.
        self.flags('newos', sealers=[])
        blockinfo.uninstall()
        self.addCleanup(blockinfo.uninstall)
        self.saved = []
        self.save_error = None
        self.metadata = {}
        self.patch(objects.Instance, 'save', self._save)
        self.patch(objects.Instance, 'get_by_uuid', self._latest)

    def _latest(self, context, uuid, expected_attrs):
        self.assertEqual(['metadata'], expected_attrs)
        metadata = self.metadata.get(uuid, {})
        return objects.Instance(context, uuid=uuid, metadata=metadata)

    def _save(self, instance, **_kwargs):
        if self.save_error:
            raise self.save_error
        if instance.obj_attr_is_set('system_metadata'):
            self.saved.append(dict(instance.system_metadata))
        else:
            self.metadata[instance.uuid] = dict(instance.metadata)

    def flags(self, group=None, **options):
        """Set options of nova.conf."""
        self._conf.config(group=group, **options)

    def patch(self, where, name, side_effect=None, **kwargs):
        """Replace a function or method; the mock takes self as well."""
        patch = mock.patch.object(
            where, name, autospec=True, side_effect=side_effect, **kwargs
        )
        self.addCleanup(patch.stop)
        return patch.start()

    def directory(self, instance):
        """The instance's directory, made."""
        path = os.path.join(self.instances_path, instance.uuid)
        os.makedirs(path, exist_ok=True)
        return path


class Medium(media_base.Medium):
    """A medium with given answers.

    :param reference: what it names, or an error that it raises
    :param contents: what it has, a GlanceImage of the reference by default
    """

    def __init__(self, name, reference, contents=None):
        super().__init__(None)
        self.name = name
        self._reference = reference
        self._contents = contents

    def reference(self, server):
        if isinstance(self._reference, Exception):
            raise self._reference
        return self._reference

    def contents(self, server, reference):
        return self._contents or media_base.GlanceImage(reference)


class Media:
    """nova_newos.media.Media with the given media."""

    def __init__(self, *enabled):
        self.enabled = list(enabled)

    def get(self, name):
        return next(m for m in self.enabled if m.name == name)


VIRTIO = Medium('virtio', DRIVERS)


def context(project=PROJECT):
    """A requester who is not an administrator."""
    return nova_context.RequestContext('user', project, is_admin=False)


def image_dict(disk_format='iso', image_id=ISO, min_disk=0, **properties):
    """An image as nova.image.glance.API has it."""
    return {
        'id': image_id,
        'status': 'active',
        'size': GiB,
        'disk_format': disk_format,
        'container_format': 'bare',
        'min_disk': min_disk,
        'min_ram': 0,
        'owner': PROJECT,
        'properties': properties,
    }


def image_meta(*args, **kwargs):
    """The ImageMeta of :func:`image_dict`, as a spawn gets it."""
    return objects.ImageMeta.from_dict(image_dict(*args, **kwargs))


def flavor(root_gb=20, ephemeral_gb=0, swap=0, **extra_specs):
    return objects.Flavor(
        id=1,
        name='flavor',
        flavorid='1',
        memory_mb=256,
        vcpus=1,
        root_gb=root_gb,
        ephemeral_gb=ephemeral_gb,
        swap=swap,
        rxtx_factor=1.0,
        vcpu_weight=None,
        extra_specs=extra_specs,
        is_public=True,
        disabled=False,
    )


def guest_config():
    """A domain as Nova's driver describes it, without devices."""
    guest = vconfig.LibvirtConfigGuest()
    guest.virt_type = 'kvm'
    guest.os_type = 'hvm'
    guest.uuid = SERVER
    guest.name = 'instance-1'
    return guest


def server(image=None, server_layout=None, flavor=None, **fields):
    """A Nova instance in memory, with the metadata that nova-api writes.

    :param image: an :func:`image_dict`, of an ISO by default
    :param server_layout: its persisted layout
    """
    image = image_dict() if image is None else image
    flavor = _default_flavor() if flavor is None else flavor
    system_metadata = {
        name: str(value)
        for name, value in nova_utils.get_system_metadata_from_image(
            image, flavor
        ).items()
    }
    system_metadata['image_base_image_ref'] = image['id']
    if server_layout is not None:
        system_metadata[layout.KEY] = layout.dump(server_layout)
    instance = objects.Instance(
        context(),
        **{
            'id': 1,
            'uuid': SERVER,
            'project_id': PROJECT,
            'user_id': 'user',
            'image_ref': image['id'],
            'kernel_id': '',
            'ramdisk_id': '',
            'host': 'host',
            'root_gb': flavor.root_gb,
            'ephemeral_gb': flavor.ephemeral_gb,
            'root_device_name': None,
            'user_data': None,
            'config_drive': '',
            'created_at': timeutils.utcnow(with_timezone=True),
            'launched_at': None,
            'os_type': None,
            'vm_mode': None,
            'vm_state': 'building',
            'task_state': 'spawning',
            'trusted_certs': None,
            'metadata': {},
            'migration_context': None,
            'flavor': flavor,
            'system_metadata': system_metadata,
            **fields,
        },
    )
    instance.obj_reset_changes()
    return instance


def install_server(instance, server_layout=LAYOUT, media=()):
    """A server as the driver sees it."""
    return servers.InstallServer(instance, server_layout, Media(*media))


_default_flavor = flavor
_bdm_ids = itertools.count(1)


def bdm(instance, **fields):
    """A block device mapping in memory."""
    return objects.BlockDeviceMapping(
        instance._context,
        **{
            'id': next(_bdm_ids),
            'instance_uuid': instance.uuid,
            'boot_index': -1,
            'device_name': None,
            'device_type': None,
            'disk_bus': None,
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
        },
    )


def root_bdm(instance, **fields):
    return bdm(
        instance,
        **{
            'source_type': 'image',
            'destination_type': 'local',
            'device_type': 'disk',
            'boot_index': 0,
            'image_id': instance.image_ref,
            **fields,
        },
    )


def volume(instance, volume_id=OTHER, **fields):
    return bdm(
        instance,
        **{
            'source_type': 'volume',
            'destination_type': 'volume',
            'volume_id': volume_id,
            'connection_info': '{}',
            **fields,
        },
    )


_blank = functools.partial(bdm, source_type='blank', destination_type='local')


def ephemeral(instance, **fields):
    return _blank(instance, **{'guest_format': 'ext4', **fields})


def swap(instance, **fields):
    return _blank(instance, **{'guest_format': 'swap', **fields})


def block_device_info(instance, *bdms):
    """As the compute manager gives it to the driver."""
    return nova_driver.get_block_device_info(
        instance, objects.BlockDeviceMappingList(objects=list(bdms))
    )


def disk_info(instance, meta, info=None, **kwargs):
    """Nova's get_disk_info, as its driver calls it."""
    return stock_blockinfo.get_disk_info(
        CONF.libvirt.virt_type, instance, meta, info, **kwargs
    )


def iso_bytes(label=b''):
    """The least that Nova takes for an ISO 9660 volume."""
    return bytes(0x8000) + b'\x01CD001\x01' + label.ljust(2041, b'\0')


class Storage(fixtures.Fixture):
    """The tools below Nova's image backend, with small files.

    A disk that qemu-img would make is a file that says what it is.

    :ivar created: (file name, format, size, backing file) of each
        ``qemu-img create``
    :ivar fetched: (file name, image id) of each download
    :ivar sized: (image id, medium) of each question for a size
    :ivar copied: (file name, host) of each copy from another host
    :ivar content: bytes of images by their id; an exception to raise, too
    :ivar copy_error: raised by the next copies from another host, if set
    :ivar half_copied: whether such a copy leaves half of a file
    :ivar guessed: bytes of each file inspected without a format
    """

    def __init__(self, test):
        super().__init__()
        self.created = []
        self.fetched = []
        self.copied = []
        self.sized = []
        self.size_error = None
        self.content = {}
        self.guessed = []
        self.copy_error = None
        self.half_copied = False
        self._test = test

    def _setUp(self):
        self._test.patch(libvirt_utils, 'create_image', self._create)
        self._test.patch(libvirt_utils, 'fetch_image', self._fetch)
        self._test.patch(libvirt_utils, 'copy_image', self._copy)
        self._test.patch(qemu_img, 'is_blank', self._is_blank)
        self._test.patch(glance, 'check_size', self._check_size)
        self.info = self._test.patch(
            nova.privsep.qemu, 'unprivileged_qemu_img_info', self._info
        )
        self.useFixture(
            fixtures.MockPatchObject(
                nova.privsep.sys_admin_pctxt, 'client_mode', False
            )
        )

    def _create(self, path, disk_format, disk_size, backing_file=None, **_kw):
        name = os.path.basename(path)
        backing_name = backing_file and os.path.basename(backing_file)
        self.created.append((name, disk_format, disk_size, backing_name))
        write_disk(path, disk_format, disk_size, backing_file)

    def _check_size(self, context, image_id, medium):
        self.sized.append((image_id, medium))
        if self.size_error:
            raise self.size_error

    def _fetch(self, context, target, image_id, trusted_certs=None):
        self.fetched.append((os.path.basename(target), image_id))
        content = self.content.get(image_id, iso_bytes(image_id.encode()))
        if isinstance(content, Exception):
            raise content
        pathlib.Path(target).write_bytes(content)

    def _copy(self, src, dest, host=None, receive=False, **_kwargs):
        if host and self.copy_error:
            if self.half_copied:
                pathlib.Path(dest).write_bytes(b'half')
            raise self.copy_error
        if host:
            self.copied.append((os.path.basename(dest), host))
            pathlib.Path(dest).write_bytes(iso_bytes(b'copied'))
        else:
            shutil.copyfile(src, dest)

    def _info(self, path, format=None):
        if format is None:
            self.guessed.append(pathlib.Path(path).read_bytes())
        disk = read_disk(path)
        if format not in (None, disk['format']):
            raise nova_exception.InvalidDiskInfo(reason=f'no {format}')
        return json.dumps({'filename': path, 'actual-size': 0, **disk})

    def _is_blank(self, path, _disk_format):
        return not read_disk(path).get('allocated', 0)

    def backend(self):
        """Nova's own image backend."""
        return imagebackend.Backend(CONF.use_cow_images)

    def fetch(self):
        """Nova's own way to have an image in the cache."""
        return functools.partial(
            stock_driver.LibvirtDriver._try_fetch_image_cache, None
        )


def write_disk(path, disk_format, size, backing_file=None):
    """Write what :class:`Storage` takes for a disk."""
    disk = {'format': disk_format, 'virtual-size': size or 1}
    if backing_file:
        disk['backing-filename'] = backing_file
    pathlib.Path(path).write_text(json.dumps(disk))


def read_disk(path):
    """What ``qemu-img info`` would say of a disk."""
    content = pathlib.Path(path).read_bytes()
    if content.startswith(b'{'):
        return json.loads(content)
    return {'format': 'raw', 'virtual-size': len(content)}


def make_driver(*media):
    """Our driver, which has not spoken to libvirt yet.

    :param media: its enabled media; those of the options if none
    """
    made = driver.NewosLibvirtDriver(None)
    if media:
        made._media = Media(*media)
    return made
