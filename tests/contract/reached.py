# SPDX-License-Identifier: Apache-2.0
"""Nova's names that our code relies on without spelling them.

``uses`` follows imports, ``self`` and ``super()``. Listed here are what is
named in a string or called on an argument, and Nova's code between our
overrides whose course they rely on.
"""

_DRIVER = 'nova.virt.libvirt.driver.LibvirtDriver.'
_BLOCKINFO = 'nova.virt.libvirt.blockinfo.'
_BACKEND = 'nova.virt.libvirt.imagebackend.'
_IMAGECACHE = 'nova.virt.libvirt.imagecache.ImageCacheManager.'
_MANAGER = 'nova.compute.manager.ComputeManager.'

NAMES = (
    # Wrapped by name in nova_newos.virt.blockinfo, and what leads there.
    _BLOCKINFO + 'get_root_info',
    _BLOCKINFO + '_get_disk_mapping',
    _BLOCKINFO + '_get_rescue_disk_mapping',
    _BLOCKINFO + 'find_disk_dev_for_disk_bus',
    _BLOCKINFO + 'get_disk_mapping',
    _BLOCKINFO + 'default_device_names',
    _BLOCKINFO + 'get_boot_order',
    _BLOCKINFO + 'get_info_from_bdm',
    # Called on the image backend.
    _BACKEND + 'Backend.by_name',
    _BACKEND + 'Image.exists',
    _BACKEND + 'Image.cache',
    _BACKEND + 'Image.driver_format',
    _BACKEND + 'Image.path',
    _BACKEND + 'Image.preallocate',
    _BACKEND + 'Image._can_fallocate',
    _BACKEND + 'Image.resolve_driver_format',
    _BACKEND + 'Image.libvirt_info',
    _BACKEND + 'Image.snapshot_extract',
    _BACKEND + 'Qcow2.create_image',
    _BACKEND + 'Flat.create_image',
    # Called on the image API, on Glance's client and on the host.
    'nova.image.glance.API.get',
    'nova.image.glance.API.update',
    'nova.image.glance.GlanceClientWrapper.call',
    'nova.virt.libvirt.host.Host.get_connection',
    'nova.virt.libvirt.host.Host.get_guest',
    # Its flags are those of nova_newos.virt.capture.
    'nova.privsep.qemu.unprivileged_convert_image',
    # When Nova's driver makes disks, XML and snapshots.
    _DRIVER + '_create_image',
    _DRIVER + '_get_guest_xml',
    _DRIVER + '_get_guest_config',
    _DRIVER + '_hard_reboot',
    _DRIVER + '_live_snapshot',
    _DRIVER + '_suspend_guest_for_snapshot',
    _DRIVER + '_create_snapshot_metadata',
    _DRIVER + 'get_instance_disk_info',
    _DRIVER + '_get_instance_disk_info_from_config',
    # When servers move.
    _DRIVER + 'migrate_disk_and_power_off',
    _DRIVER + 'finish_revert_migration',
    _DRIVER + '_check_shared_storage_test_file',
    _DRIVER + '_cleanup_shared_storage_test_file',
    _DRIVER + '_live_migration_copy_disk_paths',
    _DRIVER + 'check_can_live_migrate_destination',
    _DRIVER + 'instance_on_disk',
    _DRIVER + 'pre_live_migration',
    _MANAGER + '_error_out_instance_on_exception',
    _MANAGER + '_finish_resize',
    _MANAGER + '_get_rescue_image',
    _MANAGER + '_resize_instance',
    _MANAGER + 'rebuild_instance',
    'nova.compute.api.API.rebuild',
    'nova.scheduler.client.report.SchedulerReportClient.get_provider_traits',
    # What is in system_metadata, and how our refusals become faults.
    'nova.utils.get_system_metadata_from_image',
    'nova.utils.get_image_from_system_metadata',
    _MANAGER + '_build_and_run_instance',
    _MANAGER + '_build_resources',
    _MANAGER + '_default_block_device_names',
    _MANAGER + '_default_device_names_for_instance',
    _MANAGER + '_do_rebuild_instance',
    _MANAGER + '_rebuild_default_impl',
    _MANAGER + '_unshelve_instance',
    # What decides which cached images are in use.
    _IMAGECACHE + 'update',
    _IMAGECACHE + '_age_and_verify_cached_images',
    _IMAGECACHE + '_mark_in_use',
    _IMAGECACHE + '_scan_base_images',
)
