# SPDX-License-Identifier: Apache-2.0
"""Nova's libvirt driver, for servers that are installed from an ISO.

Each method is an override of one of ``nova.virt.libvirt.driver.LibvirtDriver``
and leads, for a server with a layout, into a neighbour of this module. All
other servers go to Nova's own method at once.
"""

import contextlib
import functools
import inspect
import os

from nova import block_device
from nova.compute import task_states
import nova.conf
from nova.virt.libvirt import driver
from oslo_serialization import jsonutils
from oslo_utils import units

from nova_newos import conf
from nova_newos import exception
from nova_newos import layout
from nova_newos import media
from nova_newos import traits
from nova_newos.virt import blockinfo
from nova_newos.virt import capture
from nova_newos.virt import devices
from nova_newos.virt import disks
from nova_newos.virt import fault
from nova_newos.virt import imagecache
from nova_newos.virt import install
from nova_newos.virt import moves
from nova_newos.virt import rebuild
from nova_newos.virt import sealing
from nova_newos.virt import snapshot

CONF = nova.conf.CONF
conf.register_opts(CONF)


def _as_in_nova(method):
    """Show the signature of Nova's method, which releases differ in."""
    stock = getattr(driver.LibvirtDriver, method.__name__)
    method.__signature__ = inspect.signature(stock)
    return method


class NewosLibvirtDriver(driver.LibvirtDriver):
    """``compute_driver = newos.NewosLibvirtDriver``."""

    def __init__(self, virtapi, read_only=False):
        super().__init__(virtapi, read_only)
        blockinfo.install()
        self.image_cache_manager = imagecache.ImageCacheManager()
        self._captures = capture.Captures()
        self.image_backend = capture.Backend(
            CONF.use_cow_images, self._captures
        )

    @functools.cached_property
    def _media(self):
        return media.Media(CONF)

    @functools.cached_property
    def _sealing(self):
        return sealing.Sealing()

    @functools.cached_property
    def _disks(self):
        return disks.Disks(
            self.image_backend, self._try_fetch_image_cache, self._media
        )

    def init_host(self, host):
        """Refuse to start with what could not work for any server."""
        if CONF.libvirt.images_type not in disks.IMAGES_TYPES:
            raise exception.ImagesTypeUnsupported(
                images_type=CONF.libvirt.images_type,
                choices=', '.join(disks.IMAGES_TYPES),
            )
        # Loads the plug-ins, or says which cannot.
        self._media  # noqa: B018
        self._sealing  # noqa: B018
        super().init_host(host)

    def update_provider_tree(self, provider_tree, nodename, allocations=None):
        """Report that this host can keep install servers."""
        super().update_provider_tree(
            provider_tree, nodename, allocations=allocations
        )
        provider_tree.add_traits(nodename, traits.INSTALLS)

    # Spawn: the layout is decided.

    def default_root_device_name(self, instance, image_meta, root_bdm):
        """Name the blank disk, before Nova has made anything."""
        volume_root = install.boots_from_volume(root_bdm)
        with install.naming(self._media, instance, image_meta, volume_root):
            return super().default_root_device_name(
                instance, image_meta, root_bdm
            )

    def default_device_names_for_instance(
        self, instance, root_device_name, *block_device_lists
    ):
        """Name the other disks, before Nova has made anything."""
        bdms = [bdm for bdms in block_device_lists for bdm in bdms]
        volume_root = install.boots_from_volume(
            block_device.get_root_bdm(bdms)
        )
        with install.naming(
            self._media, instance, instance.image_meta, volume_root
        ):
            return super().default_device_names_for_instance(
                instance, root_device_name, *block_device_lists
            )

    def spawn(
        self,
        context,
        instance,
        image_meta,
        injected_files,
        admin_password,
        allocations,
        network_info=None,
        block_device_info=None,
        power_on=True,
        accel_info=None,
    ):
        """Decide and persist the layout, then spawn."""
        with self._spawning(context, instance, image_meta, block_device_info):
            super().spawn(
                context,
                instance,
                image_meta,
                injected_files,
                admin_password,
                allocations,
                network_info=network_info,
                block_device_info=block_device_info,
                power_on=power_on,
                accel_info=accel_info,
            )

    @contextlib.contextmanager
    def _spawning(self, context, instance, image_meta, block_device_info):
        if rebuild.evacuates(instance):
            # It has the disks and the layout that it had: see
            # instance_on_disk().
            yield
            return
        with fault.install_faults(instance, install.image_id_of(image_meta)):
            server_layout = self._decide(
                context, instance, image_meta, block_device_info
            )
            rebuild.reset_root_device(
                instance, server_layout, image_meta, block_device_info
            )
            with install.persisted(instance, server_layout, image_meta):
                yield

    def rebuild(
        self,
        context,
        instance,
        image_meta,
        injected_files,
        admin_password,
        allocations,
        bdms,
        detach_block_devices,
        attach_block_devices,
        network_info=None,
        evacuate=False,
        block_device_info=None,
        preserve_ephemeral=False,
        accel_uuids=None,
        reimage_boot_volume=False,
    ):
        """Refuse what cannot be spawned before Nova deletes the old disks.

        Nova's own method says that there is no special way to rebuild, and
        the compute manager then destroys and spawns.
        """
        if not evacuate:
            with (
                fault.install_faults(
                    instance, install.image_id_of(image_meta)
                ),
                rebuild.undone_if_refused(
                    context,
                    self._image_api,
                    instance,
                    bdms,
                    functools.partial(
                        self._local_root, instance, block_device_info
                    ),
                ),
            ):
                self._decide(context, instance, image_meta, block_device_info)
        return super().rebuild(
            context,
            instance,
            image_meta,
            injected_files,
            admin_password,
            allocations,
            bdms,
            detach_block_devices,
            attach_block_devices,
            network_info=network_info,
            evacuate=evacuate,
            block_device_info=block_device_info,
            preserve_ephemeral=preserve_ephemeral,
            accel_uuids=accel_uuids,
            reimage_boot_volume=reimage_boot_volume,
        )

    def _local_root(self, instance, block_device_info):
        """The image backend of an ordinary server's disk, or None."""
        if self._is_booted_from_volume(block_device_info):
            return None
        return self.image_backend.by_name(instance, layout.STOCK_ROOT)

    def instance_on_disk(self, instance):
        """Refuse to install anew what was on a host that failed.

        An evacuation asks this first, before it moves the ports.
        """
        if rebuild.evacuates(instance):
            server_layout = self._layout(instance)
            if server_layout is not None:
                with fault.rollback_faults(instance):
                    if not self._disks.has_root(instance, server_layout):
                        raise exception.EvacuationRefused()
        return super().instance_on_disk(instance)

    def _decide(self, context, instance, image_meta, block_device_info):
        server_layout = install.propose(
            self._media,
            instance,
            image_meta,
            self._is_booted_from_volume(block_device_info),
        )
        if server_layout is not None:
            with install.proposed(instance, server_layout):
                install.check_devices(instance, image_meta, block_device_info)
            install.verify(
                context, self._image_api, self._media, instance, server_layout
            )
        return server_layout

    def _layout(self, instance):
        with fault.instance_faults(instance):
            return layout.load(instance.system_metadata)

    def _installs(self, instance):
        """The layout of a server that has the install disks, else None."""
        server_layout = self._layout(instance)
        if server_layout is not None and server_layout.installs:
            return server_layout
        return None

    # Disks.

    def _create_and_inject_local_root(
        self,
        context,
        instance,
        disk_mapping,
        booted_from_volume,
        suffix,
        disk_images,
        injection_info,
        fallback_from_host,
    ):
        server_layout = self._layout(instance)
        if (
            server_layout is None
            # It is the disk of a rescue; the root disk stays.
            or suffix
            or self._comes_from_image(server_layout, disk_images)
        ):
            return super()._create_and_inject_local_root(
                context,
                instance,
                disk_mapping,
                booted_from_volume,
                suffix,
                disk_images,
                injection_info,
                fallback_from_host,
            )
        return self._disks.create(
            context,
            instance,
            server_layout,
            disk_mapping,
            fallback_from_host,
        )

    @staticmethod
    def _comes_from_image(server_layout, disk_images):
        """Whether the root disk is to be made of an image of it.

        At an unshelve Nova lets ``image_ref`` name that image, and the
        install ISO at any other time.
        """
        return (
            not server_layout.installs
            and disk_images['image_id'] != server_layout.iso
        )

    def _hard_reboot(self, context, instance, *args, **kwargs):
        server_layout = self._layout(instance)
        if server_layout is not None:
            with fault.instance_faults(instance):
                self._disks.require_root(instance, server_layout)
                # A host that boots has nobody's token to ask Glance with.
                if context.auth_token is not None:
                    self._disks.restore_cdroms(
                        context, instance, server_layout
                    )
        super()._hard_reboot(context, instance, *args, **kwargs)

    def _create_images_and_backing(
        self,
        context,
        instance,
        instance_dir,
        disk_info,
        fallback_from_host=None,
    ):
        """Leave to Nova what is not a CD-ROM of ours.

        It would download the install ISO into every base that is missing.
        """
        server_layout = self._installs(instance)
        if server_layout is not None:
            ours, others = disks.split(server_layout, disk_info)
            if instance.task_state == task_states.MIGRATING:
                # Nova fills what a guest can write, not its CD-ROMs.
                with fault.instance_faults(instance):
                    self._disks.restore_cdroms(
                        context,
                        instance,
                        server_layout,
                        {name: info['type'] for name, info in ours.items()},
                        fallback_from_host,
                    )
            root = ours.get(server_layout.root)
            disk_info = ([root] if root else []) + others
        super()._create_images_and_backing(
            context,
            instance,
            instance_dir,
            disk_info,
            fallback_from_host=fallback_from_host,
        )

    def _rebase_original_qcow2_image(self, context, instance, backend):
        """Flatten what came back from an image of the root disk.

        Nova would rebase it onto the server's image, the install ISO.
        """
        if self._layout(instance) is None:
            super()._rebase_original_qcow2_image(context, instance, backend)
        elif self._needs_rebase_original_qcow2_image(instance, backend):
            self._rebase_with_qemu_img(backend.path, None)

    # XML.

    def _get_guest_disk_config(
        self,
        instance,
        name,
        disk_mapping,
        flavor,
        image_type=None,
        boot_order=None,
    ):
        root = disk_mapping.get(layout.INSTALL_ROOT)
        is_cdrom = False
        if root is not None:
            if disk_mapping.get(name) == root:
                # In a legacy rescue 'disk' stands for the disk to repair.
                name = layout.INSTALL_ROOT
            else:
                server_layout = self._layout(instance)
                is_cdrom = name in blockinfo.cdroms(server_layout)
                with fault.instance_faults(instance):
                    image_type = image_type or self._disks.image_type(
                        instance, server_layout, name
                    )
        config = super()._get_guest_disk_config(
            instance,
            name,
            disk_mapping,
            flavor,
            image_type=image_type,
            boot_order=boot_order,
        )
        return devices.LibvirtConfigCdrom.of(config) if is_cdrom else config

    def _get_guest_storage_config(
        self,
        context,
        instance,
        image_meta,
        disk_info,
        rescue,
        block_device_info,
        flavor,
        os_type,
    ):
        configs = super()._get_guest_storage_config(
            context,
            instance,
            image_meta,
            disk_info,
            rescue,
            block_device_info,
            flavor,
            os_type,
        )
        mapping = disk_info['mapping']
        if layout.INSTALL_ROOT in mapping and not blockinfo.is_legacy_rescue(
            mapping
        ):
            root, *cdroms = [
                self._get_guest_disk_config(instance, name, mapping, flavor)
                for name in self._own_disks(instance)
            ]
            for config in (root, *cdroms):
                self._set_cache_mode(config)
            devices.insert(
                configs,
                mapping,
                devices.LibvirtConfigRootDisk.of(root),
                cdroms,
            )
        return configs

    def _own_disks(self, instance):
        """Names of the disks that Nova's own code does not attach."""
        _iso, *cdroms = blockinfo.cdroms(self._layout(instance))
        return [layout.INSTALL_ROOT, *cdroms]

    # Operations on a server that exists.

    def snapshot(self, context, instance, image_id, update_task_state):
        """Make the golden image's record right, then capture the root disk."""
        server_layout = self._layout(instance)
        if server_layout is None:
            super().snapshot(context, instance, image_id, update_task_state)
            return
        with (
            snapshot.reported(context, instance),
            fault.instance_faults(instance),
        ):
            self._prepare_record(context, instance, server_layout, image_id)
            with self._captures.under_way(
                instance, self._capture(context, instance, server_layout)
            ):
                super().snapshot(
                    context, instance, image_id, update_task_state
                )

    def _prepare_record(self, context, instance, server_layout, image_id):
        guest = self._host.get_guest(instance)
        path, disk_format = snapshot.check_root(guest, server_layout.root)
        record = self._image_api.get(context, image_id)
        self._image_api.update(
            context,
            image_id,
            {
                'min_disk': snapshot.min_disk(path, disk_format),
                'properties': snapshot.clean_properties(record['properties']),
            },
            purge_props=True,
        )

    def _capture(self, context, instance, server_layout):
        return capture.Capture(
            # Not as the record is made right: a value that leaves under one
            # name and comes under another makes glanceclient ask for a "move",
            # which Glance refuses.
            snapshot.provenance_of(
                context,
                instance,
                server_layout,
                self._media,
                self._host.get_connection().getVersion(),
            ),
            self._sealing.finisher(instance),
        )

    def _create_snapshot_metadata(
        self, image_meta, instance, img_fmt, snp_name
    ):
        under_way = self._captures.of(instance)
        if under_way is None:
            return super()._create_snapshot_metadata(
                image_meta, instance, img_fmt, snp_name
            )
        metadata = super()._create_snapshot_metadata(
            image_meta, instance, under_way.disk_format(img_fmt), snp_name
        )
        # Nova sends this very dict together with the bytes: what is found out
        # until then is in it.
        under_way.properties |= snapshot.clean_properties(
            metadata['properties']
        )
        metadata['properties'] = under_way.properties
        return metadata

    def _live_snapshot(
        self,
        context,
        instance,
        guest,
        disk_path,
        out_path,
        source_format,
        image_format,
        image_meta,
    ):
        under_way = self._captures.of(instance)
        captured = under_way is not None and under_way.is_wanted
        # Nova never compresses what is raw.
        made, made_format = (
            (f'{out_path}.copy', 'raw')
            if captured
            else (out_path, image_format)
        )
        super()._live_snapshot(
            context,
            instance,
            guest,
            disk_path,
            made,
            source_format,
            made_format,
            image_meta,
        )
        if captured:
            under_way.extract(made, made_format, out_path, image_format)
            os.unlink(made)

    def rescue(
        self,
        context,
        instance,
        network_info,
        image_meta,
        rescue_password,
        block_device_info,
        share_info,
    ):
        """Refuse the install ISO, Nova's default, as the rescue image."""
        server_layout = self._layout(instance)
        if server_layout is not None and install.image_id_of(
            image_meta
        ) in install.default_rescue_images(instance, server_layout):
            with fault.instance_faults(instance):
                raise exception.RescueIsoRefused()
        super().rescue(
            context,
            instance,
            network_info,
            image_meta,
            rescue_password,
            block_device_info,
            share_info,
        )

    # Moves.

    def migrate_disk_and_power_off(
        self,
        context,
        instance,
        dest,
        flavor,
        network_info,
        block_device_info=None,
        timeout=0,
        retry_interval=0,
    ):
        """Refuse what would lose the root disk, before it is powered off."""
        server_layout = self._layout(instance)
        if server_layout is not None:
            with fault.rollback_faults(instance):
                self._disks.require_root(instance, server_layout)
                moves.check_size(
                    self._disks.root_size(instance, server_layout), flavor
                )
                moves.check_destination(
                    context, self.virtapi.reportclient, instance
                )
        return super().migrate_disk_and_power_off(
            context,
            instance,
            dest,
            flavor,
            network_info,
            block_device_info=block_device_info,
            timeout=timeout,
            retry_interval=retry_interval,
        )

    @_as_in_nova
    def finish_migration(
        self,
        context,
        migration,
        instance,
        disk_info,
        network_info,
        image_meta,
        *args,
        **kwargs,
    ):
        """Fit the disks to this host and flavor, then start.

        Nova would make a qcow2 of every raw disk, and grow the ISO. The image
        it gives is that of the request, not always the server's.
        """
        server_layout = self._layout(instance)
        if server_layout is not None:
            with fault.instance_faults(instance):
                others = self._disks.convert(
                    instance,
                    server_layout,
                    jsonutils.loads(disk_info),
                    self._disk_raw_to_qcow2,
                )
                self._disks.grow_root(
                    instance,
                    server_layout,
                    moves.grown_gb(instance, server_layout) * units.Gi,
                )
            disk_info = jsonutils.dumps(others)
            image_meta = instance.image_meta
        super().finish_migration(
            context,
            migration,
            instance,
            disk_info,
            network_info,
            image_meta,
            *args,
            **kwargs,
        )

    def check_can_live_migrate_source(
        self, context, instance, dest_check_data, block_device_info=None
    ):
        """Refuse a destination that could not keep the server."""
        if self._layout(instance) is not None:
            with fault.precheck_faults():
                moves.check_test_file(dest_check_data.filename)
        return super().check_can_live_migrate_source(
            context,
            instance,
            dest_check_data,
            block_device_info=block_device_info,
        )

    def _create_shared_storage_test_file(self, instance):
        name = super()._create_shared_storage_test_file(instance)
        if self._layout(instance) is None:
            return name
        return moves.sign_test_file(name)
