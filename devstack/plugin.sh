# SPDX-License-Identifier: Apache-2.0
#
# DevStack sources this file as "plugin.sh MODE [PHASE]".

NEWOS_DIR=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/..")

function check_newos {
    if [[ "$VIRT_DRIVER" != libvirt ]]; then
        die $LINENO "nova-newos needs VIRT_DRIVER=libvirt, not $VIRT_DRIVER"
    fi
}

function install_newos {
    # Without the extra "compute": it bounds Nova, and pip would replace the
    # checkout of a later Nova with a released one.
    setup_develop "$NEWOS_DIR"
}

function install_newos_tools {
    # What seals golden images and looks into them.
    install_package guestfs-tools
    if is_ubuntu; then
        install_package python3-guestfs python3-yaml
        # On Ubuntu only root may read them, and libguestfs' appliance has the
        # host's kernel.
        sudo find /boot -name 'vmlinuz-*' -exec chmod a+r {} +
    else
        install_package python3-libguestfs python3-pyyaml
    fi
}

function link_newos {
    "$NOVA_BIN_DIR/nova-newos-link-driver"
}

function set_newos_option {
    local option=$1
    local value=$2
    if [[ -n "$value" ]]; then
        iniset "$NOVA_CONF" newos "$option" "$value"
    fi
}

function configure_newos {
    # Not in NOVA_CPU_CONF: DevStack makes that from NOVA_CONF when it starts
    # nova-compute.
    iniset "$NOVA_CONF" DEFAULT compute_driver newos.NewosLibvirtDriver
    set_newos_option root_disk_size "$NEWOS_ROOT_DISK_SIZE"
    set_newos_option virtio_image_id "$NEWOS_VIRTIO_IMAGE_ID"
    set_newos_option media "$NEWOS_MEDIA"
}

function configure_newos_scheduler {
    iniset_multiline "$NOVA_CONF" filter_scheduler available_filters \
        nova.scheduler.filters.all_filters \
        nova_newos.scheduler.InstallServerFilter
    iniset "$NOVA_CONF" filter_scheduler enabled_filters \
        "$NOVA_FILTERS,InstallServerFilter"
}

function check_newos_installed {
    local code=0
    "$NOVA_BIN_DIR/nova-newos-status" --config-file "$NOVA_CPU_CONF" \
        upgrade check || code=$?
    # 1 is a warning: this user may not be allowed to ask libvirt.
    if [[ $code -gt 1 ]]; then
        die $LINENO "nova-newos is not ready, see the table above"
    fi
}

function remove_newos {
    # Unstacking twice, or after a stack that did not get far, is no error.
    if [[ -x "$NOVA_BIN_DIR/nova-newos-link-driver" ]]; then
        "$NOVA_BIN_DIR/nova-newos-link-driver" --remove
    fi
}

if is_service_enabled n-cpu; then
    case "$1 ${2:-}" in
        "stack pre-install")
            check_newos
            ;;
        "stack install")
            install_newos
            install_newos_tools
            link_newos
            ;;
        "stack post-config")
            configure_newos
            ;;
        "stack extra")
            check_newos_installed
            ;;
        "unstack " | "clean ")
            remove_newos
            ;;
    esac
fi

if is_service_enabled n-sch; then
    case "$1 ${2:-}" in
        "stack install")
            install_newos
            ;;
        "stack post-config")
            configure_newos_scheduler
            ;;
    esac
fi
