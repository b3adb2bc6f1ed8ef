# SPDX-License-Identifier: Apache-2.0
"""Several compute hosts in one process, each with files of its own.

All hosts of a cloud keep their servers under the same path. Here each has a
directory of its own, so that a file is found on the host that has it and on no
other; wherever one host hands a path to another, in a call, in a copied file
or in a domain's XML, the fixture says it in the other's words.
"""

import contextlib
import contextvars
import functools
import pathlib
import shutil
import subprocess
import types
import urllib.parse

import fixtures
from nova import thread_pool_factory
from nova.compute import manager
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.virt.libvirt.volume import remotefs
from oslo_concurrency import processutils
from oslo_config import cfg
from oslo_serialization import jsonutils

_host = contextvars.ContextVar('host', default=None)


class Hosts(fixtures.Fixture):
    """What is a host's own: its name, by which others reach it, and its files.

    :param top: directory for those of the hosts
    :param shared: whether all hosts have the same directory for servers
    """

    def __init__(self, top, shared=False):
        super().__init__()
        self._top = pathlib.Path(top)
        self._shared = shared
        self._names = []
        self.computes = {}

    def _setUp(self):
        option = cfg.ConfigOpts.__getattr__
        attribute = manager.ComputeManager.__getattribute__
        spawn_on = thread_pool_factory.spawn_on

        def getattr_(conf, name):
            own = self._options().get(name)
            return option(conf, name) if own is None else own

        def getattribute(compute, name):
            value = attribute(compute, name)
            if not isinstance(value, types.MethodType):
                return value
            return self._as_host(attribute(compute, 'host'), value)

        def spawn_on_(executor, function, *args, **kwargs):
            run = functools.partial(contextvars.copy_context().run, function)
            return spawn_on(executor, run, *args, **kwargs)

        for where, what in (
            ('oslo_config.cfg.ConfigOpts.__getattr__', getattr_),
            (
                'nova.compute.manager.ComputeManager.__getattribute__',
                getattribute,
            ),
            ('nova.thread_pool_factory.spawn_on', spawn_on_),
            (
                'nova.virt.libvirt.volume.remotefs.RemoteFilesystem',
                functools.partial(_RemoteFilesystem, self),
            ),
            (
                'nova.tests.fixtures.libvirt.Domain.migrateToURI3',
                functools.partialmethod(_migrate, self),
            ),
        ):
            self.useFixture(fixtures.MonkeyPatch(where, what))

    def add(self, name):
        """Make a host known and its directory."""
        self._names.append(name)
        self.directory(name).mkdir(exist_ok=True)

    def directory(self, name):
        """The instances_path of a host."""
        return self._top if self._shared else self._top / name

    @contextlib.contextmanager
    def on(self, name):
        """Be a host for a while."""
        token = _host.set(name)
        try:
            yield
        finally:
            _host.reset(token)

    def here(self):
        """The host that this code runs on."""
        return _host.get()

    def _options(self):
        name = self.here()
        if name is None:
            return {}
        return {
            'host': name,
            'instances_path': str(self.directory(name)),
        }

    def _as_host(self, name, method):
        @functools.wraps(method)
        def run(*args, **kwargs):
            with self.on(name):
                return method(*args, **self.translate(kwargs, name))

        return run

    def translate(self, value, name):
        """Paths of other hosts as those of the named one.

        :param value: str, or a dict with such values; others stay
        """
        if isinstance(value, dict):
            return {k: self.translate(v, name) for k, v in value.items()}
        if isinstance(value, str):
            for other in self._names:
                value = value.replace(
                    f'{self.directory(other)}/', f'{self.directory(name)}/'
                )
        return value

    def copy(self, source, target, name):
        """Copy a file to the place it has on a host."""
        target = pathlib.Path(self.translate(str(target), name))
        processutils.execute('cp', '--sparse=always', source, target)
        if target.name == 'disk.info':
            target.write_text(self.translate(target.read_text(), name))
            return
        base = backing_file(target)
        if base and self.translate(base, name) != base:
            subprocess.check_call(
                [
                    'qemu-img',
                    'rebase',
                    '-u',
                    '-f',
                    'qcow2',
                    '-F',
                    'raw',
                    '-b',
                    self.translate(base, name),
                    target,
                ]
            )


def backing_file(path):
    """Path of what an overlay stands on, None if it is no overlay."""
    info = subprocess.check_output(
        ['qemu-img', 'info', '--force-share', '--output=json', path]
    )
    return jsonutils.loads(info).get('full-backing-filename')


class _RemoteFilesystem(remotefs.RemoteFilesystem):
    """Nova's scp and ssh, between directories."""

    def __init__(self, hosts):
        self._hosts = hosts

    def _path(self, host, path):
        return pathlib.Path(self._hosts.translate(path, host))

    def create_file(self, host, dst_path, **_kwargs):
        self._path(host, dst_path).touch()

    def remove_file(self, host, dst_path, **_kwargs):
        self._path(host, dst_path).unlink()

    def create_dir(self, host, dst_path, **_kwargs):
        self._path(host, dst_path).mkdir(parents=True, exist_ok=True)

    def remove_dir(self, host, dst_path, **_kwargs):
        shutil.rmtree(self._path(host, dst_path), ignore_errors=True)

    def copy_file(self, src, dst, **_kwargs):
        if ':' in src:
            host, path = src.split(':', 1)
            self._hosts.copy(self._path(host, path), dst, self._hosts.here())
        else:
            host, path = dst.split(':', 1)
            self._hosts.copy(src, path, host)


def _migrate(domain, hosts, uri, params, flags):
    """What libvirt and QEMU do in a live migration.

    Writable disks are copied into files that have to be there already;
    whatever else there is on the other host stays as it is.
    """
    target = urllib.parse.urlsplit(uri).hostname
    if flags & fakelibvirt.VIR_MIGRATE_NON_SHARED_INC:
        for disk in domain.disks():
            if disk.find('target').get('dev') in params['migrate_disks']:
                _mirror(disk, hosts, target)
    connection = hosts.computes[target].driver._host.get_connection()
    xml = hosts.translate(params['destination_xml'], target)
    moved = connection.defineXML(xml)
    moved.create()
    domain.destroy()
    domain.complete_job()


def _mirror(disk, hosts, target):
    path = disk.find('source').get('file')
    disk_format = disk.find('driver').get('type')
    subprocess.check_call(
        [
            'qemu-img',
            'convert',
            '-n',
            '-f',
            disk_format,
            '-O',
            disk_format,
            path,
            hosts.translate(path, target),
        ]
    )
