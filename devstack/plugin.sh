# SPDX-License-Identifier: Apache-2.0
#
# DevStack sources this file as "plugin.sh MODE [PHASE]".

function check_newos {
    if [[ "$VIRT_DRIVER" != libvirt ]]; then
        die $LINENO "nova-newos needs VIRT_DRIVER=libvirt, not $VIRT_DRIVER"
    fi
}

function install_newos {
    # Without the extras "compute" and "glance": they bound Nova and Glance,
    # and pip would replace the checkout of a later one with a released one.
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
    set_newos_option media_max_size "$NEWOS_MEDIA_MAX_SIZE"
    set_newos_option seal "$NEWOS_SEAL"
    set_newos_option refuse "$NEWOS_REFUSE"
}

function configure_newos_scheduler {
    iniset_multiline "$NOVA_CONF" filter_scheduler available_filters \
        nova.scheduler.filters.all_filters \
        nova_newos.scheduler.InstallServerFilter
    iniset "$NOVA_CONF" filter_scheduler enabled_filters \
        "$NOVA_FILTERS,InstallServerFilter"
}

function check_newos_status {
    local code=0
    "$@" upgrade check || code=$?
    # 1 is a warning: this user may not be allowed to ask libvirt, or the
    # upload filter is not wanted.
    if [[ $code -gt 1 ]]; then
        die $LINENO "nova-newos is not ready, see the table above"
    fi
}

function check_newos_installed {
    check_newos_status "$NOVA_BIN_DIR/nova-newos-status" \
        --config-file "$NOVA_CPU_CONF"
}

function remove_newos {
    # Unstacking twice, or after a stack that did not get far, is no error.
    if [[ -x "$NOVA_BIN_DIR/nova-newos-link-driver" ]]; then
        "$NOVA_BIN_DIR/nova-newos-link-driver" --remove
    fi
}

function newos_import_plugins {
    # Those that are configured, without ours, separated by commas.
    local configured
    configured=$(iniget "$GLANCE_IMAGE_IMPORT_CONF" \
        image_import_opts image_import_plugins)
    local plugin
    local others=""
    for plugin in $(tr -d "[]'\"" <<< "$configured" | tr , ' '); do
        if [[ "$plugin" != newos_* ]]; then
            others+=",$plugin"
        fi
    done
    echo "${others#,}"
}

function set_newos_import_plugins {
    local plugins=$1
    iniset "$GLANCE_IMAGE_IMPORT_CONF" \
        image_import_opts image_import_plugins "[$plugins]"
}

function add_newos_filter {
    iniset "$GLANCE_API_PASTE_INI" filter:newos_iso \
        paste.filter_factory glance_ext.upload_filter:filter_factory
    # Last in each pipeline: it calls Glance itself as the user who uploads.
    sed -i 's/^\([^#].*\) rootapp$/\1 newos_iso rootapp/' \
        "$GLANCE_API_PASTE_INI"
}

function remove_newos_filter {
    sed -i -e 's/ newos_iso rootapp$/ rootapp/' \
        -e '/^\[filter:newos_iso\]$/,+1d' "$GLANCE_API_PASTE_INI"
}

function configure_newos_glance {
    # As they were before: they may be of an earlier stack.sh.
    remove_newos_glance
    # Ours come first: other plug-ins may convert what was uploaded.
    local others
    others=$(newos_import_plugins)
    set_newos_import_plugins "$NEWOS_IMPORT_PLUGINS${others:+,$others}"
    if [[ "$NEWOS_UPLOAD_FILTER" == True ]]; then
        add_newos_filter
    fi
    if [[ -n "$NEWOS_ISO_REFUSE" ]]; then
        iniset "$GLANCE_API_CONF" newos_iso refuse "$NEWOS_ISO_REFUSE"
    fi
}

function check_newos_glance {
    check_newos_status env OS_GLANCE_CONFIG_DIR="$GLANCE_CONF_DIR" \
        "$GLANCE_BIN_DIR/glance-newos-status"
}

function load_newos_metadefs {
    "$GLANCE_BIN_DIR/glance-manage" --config-file "$GLANCE_API_CONF" \
        db_load_metadefs "$NEWOS_DIR/etc/glance/metadefs"
}

function remove_newos_glance {
    # As above, there may be nothing.
    if [[ -e "$GLANCE_IMAGE_IMPORT_CONF" ]]; then
        set_newos_import_plugins "$(newos_import_plugins)"
    fi
    if [[ -e "$GLANCE_API_PASTE_INI" ]]; then
        remove_newos_filter
    fi
    if [[ -e "$GLANCE_API_CONF" ]]; then
        inidelete "$GLANCE_API_CONF" newos_iso refuse
    fi
}

function configure_newos_tempest {
    # What else the tests have to know is in local.conf, see README.rst.
    if is_service_enabled g-api; then
        iniset "$TEMPEST_CONFIG" newos-feature-enabled \
            iso_properties_on_import True
        iniset "$TEMPEST_CONFIG" newos-feature-enabled \
            iso_properties_on_upload "$NEWOS_UPLOAD_FILTER"
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

if is_service_enabled g-api; then
    case "$1 ${2:-}" in
        "stack install")
            install_newos
            # Which ISO installs which system.
            install_package osinfo-db
            ;;
        "stack post-config")
            configure_newos_glance
            ;;
        "stack extra")
            check_newos_glance
            load_newos_metadefs
            ;;
        "unstack " | "clean ")
            remove_newos_glance
            ;;
    esac
fi

if is_service_enabled tempest; then
    case "$1 ${2:-}" in
        "stack test-config")
            configure_newos_tempest
            ;;
    esac
fi
