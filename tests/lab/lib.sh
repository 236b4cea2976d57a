# shellcheck shell=bash disable=SC2119,SC2120
# SPDX-License-Identifier: LGPL-2.1-or-later
# Helpers for scenarios (and for `lab shell`): source this first. A scenario fails when a command
# fails.
if [ -z "${LAB_SHELL:-}" ]; then
    set -Eeuo pipefail
    trap 'on_error $? "$BASH_COMMAND"' ERR
fi

lab_work=/lab/work
knob_dir=/sys/module/fakegpu/parameters
A2=0000:41:00.0
A2_VF=0000:41:00.4
M10=0000:84:00.0
M10B=0000:85:00.0
P40=10000:01:00.0
# Without VFs after a boot. L40S: its VFs become vGPUs themselves. A100: mdevs on VFs, and MIG.
L40S=0000:61:00.0
L40S_VF=0000:61:00.4
L40SB=0000:62:00.0
A100=0000:a1:00.0
A100_VF=0000:a1:00.4
# Absent until gpu_add: vendor-specific VFIO with MIG, and Intel GVT-g.
BLACKWELL=0000:a2:00.0
H100=0000:a3:00.0
HD620=0000:b1:00.0
# Only on the machine with an IOMMU: real hardware from the guest's point of view; VFs from .1 on.
SSD=0000:01:00.0
SSD_VF=0000:01:00.1
export A2 A2_VF M10 M10B P40 L40S L40S_VF L40SB A100 A100_VF BLACKWELL H100 HD620 SSD SSD_VF

# --- messages and assertions --------------------------------------------------------------------

# say TEXT…: a line in the scenario's log, with the guest's uptime.
say() { printf '[%8s] %s\n' "$(cut -d' ' -f1 /proc/uptime)" "$*"; }

# Prints FILE:LINE of the calling line in the scenario.
where() {
    local i=1
    while [[ ${BASH_SOURCE[i + 1]:-} && ${BASH_SOURCE[i]} == */lib.sh ]]; do i=$((i + 1)); done
    echo "${BASH_SOURCE[i]##*/}:${BASH_LINENO[i - 1]}"
}
on_error() { echo "$(where): \"$2\" failed with $1" >&2; }

# fail TEXT…: ends the scenario, naming its line.
fail() {
    echo "$(where): $*" >&2
    exit 1
}

# assert_eq SEEN WANTED [WHAT]
assert_eq() { [ "$1" = "$2" ] || fail "${3:-value}: saw \"$1\", wanted \"$2\""; }

# assert_grep REGEX TEXT [WHAT], assert_not_grep REGEX TEXT [WHAT]: extended regex, any line.
assert_grep() { grep -qE -- "$1" <<< "$2" || fail "${3:-text}: no match for /$1/ in: $2"; }
assert_not_grep() {
    ! grep -qE -- "$1" <<< "$2" || fail "${3:-text}: unwanted match for /$1/ in: $2"
}

# assert_fails REGEX CMD…: CMD fails with output that matches. (If CMD is a function, `set -e` has no effect
# in it.)
assert_fails() {
    local want=$1 out
    shift
    if out=$("$@" 2>&1); then fail "\"$*\" succeeded: $out"; fi
    assert_grep "$want" "$out" "\"$*\" failed, but its message"
}

# wait_for SECONDS CMD…: until CMD succeeds; fails the scenario after ten times SECONDS, since machines differ.
wait_for() {
    local limit=$((10 * $1)) end
    end=$((SECONDS + limit))
    shift
    until "$@" > /dev/null 2>&1; do
        ((SECONDS <= end)) || fail "not within $limit s: $*"
        sleep 0.1
    done
}

# not CMD…: for wait_for.
not() { ! "$@"; }

# --- GPUs and vGPUs -----------------------------------------------------------------------------

# mdevs: UUIDs of all mdevs.
mdevs() { find /sys/bus/mdev/devices/ -mindepth 1 -maxdepth 1 -printf '%f\n' | sort; }
# mdev_exists UUID
mdev_exists() { [ -e "/sys/bus/mdev/devices/$1" ]; }
# mdev_parent UUID, mdev_type UUID, e.g. 0000:41:00.4 and nvidia-746.
mdev_parent() { basename "$(dirname "$(readlink -f "/sys/bus/mdev/devices/$1")")"; }
mdev_type() { basename "$(readlink -f "/sys/bus/mdev/devices/$1/mdev_type")"; }
# mdev_create PARENT TYPE UUID, mdev_remove UUID: straight into sysfs, with the kernel's errors.
mdev_create() { echo "$3" > "/sys/class/mdev_bus/$1/mdev_supported_types/$2/create"; }
mdev_remove() { echo 1 > "/sys/bus/mdev/devices/$1/remove"; }
# available PARENT TYPE: available_instances.
available() { cat "/sys/class/mdev_bus/$1/mdev_supported_types/$2/available_instances"; }

# vf_type VF: the vGPU type that it has, 0 if none. vf_set VF TYPE: straight into sysfs; 0 takes it away.
vf_type() { cat "/sys/bus/pci/devices/$1/nvidia/current_vgpu_type"; }
vf_set() { echo "$2" > "/sys/bus/pci/devices/$1/nvidia/current_vgpu_type"; }
# vf_free VF: without a type.
vf_free() { [ "$(vf_type "$1")" = 0 ] || vf_set "$1" 0; }
# vf_creatable VF: the ids of the types that it could have, on one line.
vf_creatable() { sed -n 's/^\([0-9]\+\) *: .*/\1/p' "/sys/bus/pci/devices/$1/nvidia/creatable_vgpu_types" | xargs; }
# fake PF FILE [VALUE]: reads or writes what fakegpu/ says of a board, see module/README.
fake() {
    local f=/sys/bus/pci/devices/$1/fakegpu/$2
    case $#${3:-} in
        2) cat "$f" ;;
        *$'\n'*) cat <<< "$3" > "$f" ;; # the shell itself would write line by line
        *) echo "$3" > "$f" ;;
    esac
}

# knob NAME VALUE [GPU]: see module/README. knob_is NAME GPU prints the value.
knob() { echo "$2${3:+ $3}" > "$knob_dir/$1"; }
knob_is() { sed -n "s/^$2 //p" "$knob_dir/$1"; }
knobs_default() {
    local k
    for k in "$knob_dir"/*; do [[ ${k##*/} = @(hotplug|xid) ]] || echo 0 > "$k"; done
}

# gpu_add ADDR, gpu_del ADDR: hotplug of a whole board; wait until done.
gpu_add() { knob hotplug "add $1" && wait_for 60 grep -q "^$1 present" "$knob_dir/hotplug"; }
gpu_del() { knob hotplug "del $1" && wait_for 60 grep -q "^$1 absent" "$knob_dir/hotplug"; }

# enable_vfs ADDR N
enable_vfs() {
    local f=/sys/bus/pci/devices/$1/sriov_numvfs
    [ "$(cat "$f")" != "$2" ] || return 0
    echo 0 > "$f" || return
    [ "$2" = 0 ] || echo "$2" > "$f"
}
# vfs_on ADDR N: the same, and waits for udev.
vfs_on() { enable_vfs "$1" "$2" && udevadm settle --timeout=60; }

# vf_of ADDR N: the address of the Nth VF, from 0.
vf_of() { basename "$(readlink -f "/sys/bus/pci/devices/$1/virtfn$2")"; }

# Whether this machine has an IOMMU.
has_iommu() { compgen -G '/sys/class/iommu/*' > /dev/null; }

# The initial state for a scenario: four VFs on the first A2, none on other GPUs, no MIG, no mixed sizes.
vfs_default() {
    local dir gpu vfs
    if has_iommu; then
        enable_vfs "$SSD" 0
        echo 1 > "/sys/bus/pci/devices/$SSD/sriov_drivers_autoprobe"
    fi
    for dir in /sys/bus/pci/devices/*/fakegpu; do
        gpu=${dir%/*} gpu=${gpu##*/} vfs=0
        [ "$gpu" != "$A2" ] || vfs=4
        [ ! -e "${dir%/*}/sriov_numvfs" ] || enable_vfs "$gpu" $vfs
        fake "$gpu" gpu_instances ""
        fake "$gpu" mig_mode 0
        fake "$gpu" mixed 0
        fake "$gpu" scheduler ""
    done
}

# --- domains ------------------------------------------------------------------------------------

# domain_xml NAME [OPTION…]: the smallest domain that libvirt starts, idling in guest/firmware.S.
#   --uuid U          --mem MIB (16)         --q35 (default pc)
#   --annot XML       goes into <metadata>
#   --hostdev XML, --device XML: go into <devices>; may be repeated
#   --graphics        VNC                    --ports N: spare pcie-root-ports (q35)
#   --seabios         with SeaBIOS, which finds nothing to boot, in place of guest/firmware.S
#   --off-after S     the guest powers itself off after S seconds, 0.1 … 3600
#   --migratable      without dirty tracking of a vGPU's own, QEMU saves and migrates it only when told
domain_xml() {
    local name=$1 uuid='' mem=16 machine=pc annot='' devices='' ports=0 migratable='' ticks i
    local rom=$lab_work/firmware.bin loader
    shift
    while (($#)); do
        case $1 in
            --uuid)
                uuid="<uuid>$2</uuid>"
                shift
                ;;
            --mem)
                mem=$2
                shift
                ;;
            --pc) machine=pc ;;
            --seabios) rom='' ;;
            --migratable)
                migratable="<qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <qemu:arg value='-global'/><qemu:arg value='vfio-pci.enable-migration=on'/></qemu:commandline>"
                ;;
            --q35) machine=q35 ;;
            --annot)
                annot="<metadata>$2</metadata>"
                shift
                ;;
            --hostdev | --device)
                devices+=$2
                shift
                ;;
            --graphics)
                devices+="<graphics type='vnc' autoport='yes'/><video><model type='none'/></video>"
                ;;
            --ports)
                ports=$2
                shift
                ;;
            --off-after)
                ticks=$(awk -v s="$2" 'BEGIN { printf "%04x", s * 18.2 }')
                rom=/run/lab-off-$ticks.bin
                cp "$lab_work/firmware.bin" "$rom"
                printf '%b' "\\x${ticks:2:2}\\x${ticks:0:2}" |
                    dd of="$rom" bs=1 seek=$((0xfff8)) conv=notrunc status=none
                shift
                ;;
            *) fail "domain_xml: what is $1?" ;;
        esac
        shift
    done
    [ "$ports" = 0 ] || devices+="<controller type='pci' index='0' model='pcie-root'/>"
    for ((i = 0; i < ports; i++)); do
        devices+="<controller type='pci' model='pcie-root-port'/>"
    done
    loader=${rom:+"<loader readonly='yes' type='rom'>$rom</loader>"}
    cat << EOF
<domain type='qemu'>
  <name>$name</name>$uuid$annot
  <memory unit='MiB'>$mem</memory>
  <os>
    <type arch='x86_64' machine='$machine'>hvm</type>
    $loader
  </os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    $devices
  </devices>
  $migratable
</domain>
EOF
}

# mdev_hostdev UUID [ATTRS]: e.g. mdev_hostdev "$u" "display='on' ramfb='on'"
mdev_hostdev() {
    echo "<hostdev mode='subsystem' type='mdev' model='vfio-pci' ${2:-}>" \
        "<source><address uuid='$1'/></source></hostdev>"
}

# define NAME [domain_xml's options]
define() { domain_xml "$@" > "/run/lab-$1.xml" && virsh -q define "/run/lab-$1.xml"; }
# state NAME: running, shut off, …
state() { virsh -q domstate "$1" | head -n 1; }
is_state() { [ "$(state "$1")" = "$2" ]; }

# --- daemons ------------------------------------------------------------------------------------

# The package, in place of `make install` in the guest with systemd; and the same source as version 0.1.9.
PACKAGE=/usr/lib/virt-vgpu-lab/virt-vgpu.deb
PACKAGE_OLD=/usr/lib/virt-vgpu-lab/virt-vgpu-old.deb
export PACKAGE PACKAGE_OLD
# quick_dpkg OPTION…: without triggers, since those of man-db take a minute here.
quick_dpkg() { DEBIAN_FRONTEND=noninteractive dpkg --no-triggers --force-unsafe-io "$@"; }

daemon_bin=/usr/sbin/virtvgpud
daemon_installed() { [ -x "$daemon_bin" ]; }
# The socket file of a dead daemon can be left over, so check for a listener.
daemon_listens() {
    awk '$4 == "00010000" && $8 == "/run/virt-vgpu/hook.sock" { found = 1 } END { exit !found }' \
        /proc/net/unix
}
# It has its name on the message bus, which takes it a moment longer.
daemon_answers() { virt-vgpu version --json 2> /dev/null | grep -q '"daemon_version" : "'; }
daemon_pid() { cat /run/lab-virtvgpud.pid; }
daemon_running() { [ -e /run/lab-virtvgpud.pid ] && kill -0 "$(daemon_pid)" 2> /dev/null; }
# daemon_start [ARG…]
daemon_start() {
    rm -f /run/lab-virtvgpud.pid
    # shellcheck disable=SC2016
    setsid bash -c 'echo $$ > /run/lab-virtvgpud.pid; exec "$@"' - "$daemon_bin" "$@" \
        >> "$lab_work/logs/virtvgpud.log" 2>&1 < /dev/null &
    disown
    wait_for 60 daemon_listens
    wait_for 60 daemon_answers
}
daemon_signal() {
    local pid
    pid=$(daemon_pid)
    kill "-$1" "$pid" 2> /dev/null || return 0
    wait_for 60 not kill -0 "$pid"
}
daemon_stop() { daemon_signal TERM; }
daemon_kill() { daemon_signal KILL; }
daemon_restart() {
    daemon_stop
    daemon_start
}

# libvirt_from MAJOR: libvirt has that version or a newer one. (`virsh version` would probe QEMU again,
# for half a minute.)
libvirt_from() { [ "$(libvirtd --version | sed 's/.* \([0-9]*\)\..*/\1/')" -ge "$1" ]; }
libvirt_pid() { cat /run/libvirtd.pid; }
libvirt_running() { [ -e /run/libvirtd.pid ] && kill -0 "$(libvirt_pid)" 2> /dev/null; }
# Waits until libvirt answers.
libvirt_start() { libvirtd --daemon --pid-file /run/libvirtd.pid && virsh -q uri > /dev/null; }
libvirt_signal() {
    local pid
    pid=$(libvirt_pid)
    kill "-$1" "$pid" 2> /dev/null || return 0
    wait_for 60 not kill -0 "$pid"
}
libvirt_stop() { libvirt_signal TERM; }
libvirt_kill() { libvirt_signal KILL; }

if [ -d /run/systemd/system ]; then
    daemon_pid() { systemctl show --value -p MainPID virtvgpud.service; }
    daemon_running() { systemctl -q is-active virtvgpud.service; }
    daemon_start() { systemctl start virtvgpud.service; }
    daemon_stop() { systemctl stop virtvgpud.service; }
    libvirt_start() { systemctl start libvirtd.service && virsh -q uri > /dev/null; }
    libvirt_stop() { systemctl stop libvirtd.service; }
fi

# --- the other guest of a pair ------------------------------------------------------------------

# has_peer: this guest is the one of a pair that runs the scenarios, lab1; the other one is lab2.
has_peer() { [ "$(hostname)" = lab1 ]; }
# peer CMD…: a helper or a command in the other guest. All use one connection, which libvirt does not share.
peer() {
    # shellcheck disable=SC2016
    ssh -n -o ControlMaster=auto -o ControlPath=/run/lab-peer -o ControlPersist=yes lab2 \
        "PATH=$PATH bash -c '. /lab/src/tests/lab/migrate.sh; \"\$@\"' - $(printf '%q ' "$@")"
}

# --- between scenarios --------------------------------------------------------------------------

# Restores the state after boot, whatever a scenario has left behind.
cleanup() {
    local uuid vf addr state i
    if has_peer; then
        rm -f /run/lab-peer
        wait_for 10 peer cleanup
    fi
    knobs_default
    rm -rf /run/fake-nvml /run/sriov-manage # knobs and state of NVIDIA's stand-ins
    libvirt_running || libvirt_start
    {
        virsh -q list --name | sed -n 's/.\+/destroy "&"/p'
        virsh -q list --all --persistent --name |
            sed -n 's/.\+/undefine "&" --managed-save --snapshots-metadata --nvram/p'
    } > /run/lab-cleanup
    if [ -s /run/lab-cleanup ]; then
        virsh -q < /run/lab-cleanup > /dev/null || true # checked below
        assert_eq "$(virsh -q list --all --name)" "" "domains left"
    fi
    if daemon_installed; then
        rm -f /run/virt-vgpu/host-status
        # Only a restart makes the daemon forget what it has read about these.
        if [ "$(find /etc/virt-vgpu/{pools,conf.d,host.xml} -type f -delete -print 2> /dev/null)" ]; then
            ! daemon_running || daemon_stop
        fi
        daemon_running || daemon_start
        # A release continues in the background; anything left after that belongs to the scenario.
        for ((i = 0; i < 50; i++)); do
            compgen -G '/run/virt-vgpu/claims/*' > /dev/null || break
            sleep 0.1
        done
    fi
    [ ! -d /etc/mdevctl.d ] || find /etc/mdevctl.d -mindepth 1 -maxdepth 1 ! -name scripts.d -exec rm -rf {} +
    for uuid in $(mdevs); do mdev_remove "$uuid"; done
    for vf in /sys/bus/pci/devices/*/nvidia; do
        vf=${vf%/*} vf=${vf##*/}
        [ ! -e "/sys/bus/pci/devices/$vf/nvidia" ] || wait_for 10 vf_free "$vf"
    done
    # Records of devices that have just been removed under the daemon.
    if daemon_installed && find /run/virt-vgpu/claims /var/lib/virt-vgpu -type f 2> /dev/null | grep -q .; then
        daemon_stop
        find /run/virt-vgpu/claims /var/lib/virt-vgpu -type f -delete
        daemon_start
    fi
    while read -r addr state; do
        case $addr:$state in
            0000:43:*:present | 0000:86:*:present | 0000:a[23]:*:present | 0000:b1:*:present) gpu_del "$addr" ;;
            0000:43:* | 0000:86:* | 0000:a[23]:* | 0000:b1:*) ;;
            *:absent) gpu_add "$addr" ;;
        esac
    done <<< "$(cat "$knob_dir/hotplug")" # in one read, as the loop changes it
    vfs_default
}
