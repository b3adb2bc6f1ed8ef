# SPDX-License-Identifier: Apache-2.0
# What the scripts that run inside a guest share. For busybox sh.

# The directories of a chroot too.
PATH=/bin:/sbin:/usr/bin:/usr/sbin

# The kernel gives /dev/console to the serial port; a person may be looking
# at the screen.
say() {
    echo "$*" > /dev/console
    echo "$*" > /dev/tty1 2> /dev/null || :
}

start_system() {
    /bin/busybox --install -s /bin
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    while read -r module; do
        insmod "/modules/$module" 2> /dev/null || :
    done < /modules/order
    listen_for_power_button &
}

# openstack server stop presses the power button, and waits.
listen_for_power_button() {
    event=$(grep -lx 'Power Button' /sys/class/input/event*/device/name)
    event=${event%%/device/name*}
    # One press is one read of any length.
    head -c 1 "/dev/input/${event##*/}" > /dev/null 2>&1 || return
    say "power button"
    power_off
}

power_off() {
    sync
    poweroff -f
}

argument() {
    for word in $(cat /proc/cmdline); do
        case $word in
            "$1="*) echo "${word#*=}" ;;
        esac
    done
}

# Disks, then CD-ROMs, by their kernel names.
disks() {
    for path in /sys/block/[hsv]d[a-z]* /sys/block/nvme*; do
        [ -e "$path" ] && echo "${path##*/}"
    done
}

cdroms() {
    for path in /sys/block/sr*; do
        [ -e "$path" ] && echo "${path##*/}"
    done
}

size_of() {
    echo $(($(cat "/sys/block/$1/size") * 512))
}

# ISO 9660 keeps the volume identifier at byte 40 of its first descriptor.
label_of() {
    dd if="/dev/$1" bs=1 skip=32808 count=32 2> /dev/null | sed 's/ *$//'
}

# A disk is found at once, a CD-ROM some seconds after its driver.
wait_for() {
    tries=0
    until [ -n "$("$@")" ]; do
        tries=$((tries + 1))
        [ "$tries" -le 60 ] || return 1
        sleep 0.5
    done
}

# Empty, as a disk that nobody wrote to is: no partition table of any kind,
# which all have their mark in the first 4 or the last MiB.
is_blank() {
    last=$(($(size_of "$1") / 1048576 - 1))
    found=$({
        dd if="/dev/$1" bs=1M count=4
        dd if="/dev/$1" bs=1M skip="$last"
    } 2> /dev/null | tr -d '\000' | head -c 1 | wc -c)
    [ "$found" -eq 0 ]
}
