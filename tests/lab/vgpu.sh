# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Helpers for scenarios of virt-vgpu, on top of lib.sh.
# shellcheck source=SCRIPTDIR/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

NS=urn:virt-vgpu:domain:1

# annotation ATTRS [ATTRS…]: a <vgpu:devices> with one <vgpu:device ATTRS/> for each argument.
annotation() {
    local attrs
    printf "<vgpu:devices xmlns:vgpu='%s'>" "$NS"
    for attrs in "$@"; do printf '<vgpu:device %s/>' "$attrs"; done
    printf '</vgpu:devices>'
}

# vgpu_uuid DOMAIN-UUID N: the computed UUID of a vGPU.
vgpu_uuid() { /usr/bin/python3 -ISc 'import sys, uuid; print(uuid.uuid5(uuid.UUID(sys.argv[1]), "virt-vgpu:" + sys.argv[2]))' "$1" "$2"; }

# domain_uuid NAME
domain_uuid() { virsh -q domuuid "$1" | head -n 1; }

# live_hostdev NAME N, defined_hostdev NAME N: our <hostdev>; prints nothing if there is none.
live_hostdev() { virsh -q dumpxml "$1" --xpath "//hostdev[alias/@name='ua-vgpu-$2']" 2> /dev/null | tr '"' "'" || true; }
defined_hostdev() { virsh -q dumpxml "$1" --inactive --xpath "//hostdev[alias/@name='ua-vgpu-$2']" 2> /dev/null | tr '"' "'" || true; }
has_live() { live_hostdev "$1" "$2" | grep -q "${3:-<hostdev}"; }
has_defined() { defined_hostdev "$1" "$2" | grep -q "${3:-<hostdev}"; }
# is_injected NAME [COUNT]: the definition carries exactly COUNT hostdevs of ours.
is_injected() { [ "$(virsh -q dumpxml "$1" --inactive | grep -c "alias name='ua-vgpu-")" = "${2:-1}" ]; }

# define_vgpu NAME DEVICE-ATTRS [domain_xml's options]: define and wait until the definition has its hostdev.
define_vgpu() {
    local name=$1 attrs=$2
    shift 2
    define "$name" --annot "$(annotation "$attrs")" "$@"
    wait_for 30 is_injected "$name"
}

# vgpu_state UUID [WANTED]: prints the state in `list --all`, or tests it.
vgpu_state() {
    local state
    state=$(virt-vgpu list --all --json | /usr/bin/python3 -ISc 'import json, sys
print(*[v["state"] for v in json.load(sys.stdin) if v["uuid"] == sys.argv[1]])' "$1")
    if [ "${2:-}" ]; then [ "$state" = "$2" ]; else echo "$state"; fi
}

# nothing_left: no mdev, no record.
nothing_left() { [ -z "$(mdevs)" ] && ! compgen -G '/run/virt-vgpu/claims/*' > /dev/null; }
# claims: how many domains have a record.
claims() { find /run/virt-vgpu/claims -type f | wc -l; }

# json FIELD FILTER…: `virt-vgpu ARGS --json` as seen by a python expression: json EXPRESSION ARGS…, rows in `v`.
json() {
    local expression=$1
    shift
    virt-vgpu "$@" --json | /usr/bin/python3 -ISc 'import json, sys
v = json.load(sys.stdin)
print(eval(sys.argv[1]))' "$expression"
}

# qemu_pid NAME: the process of a running domain.
qemu_pid() { cat "/run/libvirt/qemu/$1.pid"; }
# same_qemu NAME PID: it still runs, in the same process.
same_qemu() {
    kill -0 "$2" || fail "QEMU $2 of $1 has died"
    assert_eq "$(qemu_pid "$1") $(state "$1")" "$2 running" "QEMU of $1"
}

# all_injected N: N definitions carry a hostdev of ours; cheaper than asking libvirt for each.
all_injected() { [ "$(grep -l "alias name='ua-vgpu-" /etc/libvirt/qemu/*.xml | wc -l)" = "$1" ]; }

# hook NAME OP FILE: calls the hook as libvirt does, with the XML in FILE.
hook() {
    local subop=begin
    [ "$2" != release ] || subop=end
    /usr/sbin/virt-vgpu-hook "$1" "$2" "$subop" - < "$3"
}

# daemon_config LINE…: a conf.d file with these lines, in effect.
daemon_config() {
    mkdir -p /etc/virt-vgpu/conf.d
    printf '%s\n' "$@" > /etc/virt-vgpu/conf.d/lab.conf
    daemon_restart
}

# set_annotation NAME ATTRS [ATTRS…]: replaces the annotation, with virsh.
set_annotation() {
    virsh -q metadata "$1" --uri "$NS" --key vgpu --config --set "<devices>$(printf '<device %s/>' "${@:2}")</devices>" > /dev/null
}

# udevd STOP, udevd CONT: without it libvirt, and so the daemon, gets no events about new devices.
udevd() {
    local pids
    mapfile -t pids < <(pgrep -x systemd-udevd)
    kill "-$1" "${pids[@]}"
}

# defined_vf NAME N, live_vf NAME N: the VF that our <hostdev> names; prints nothing if there is none.
source_vf() { sed -n "s/.*<address domain='0x\(....\)' bus='0x\(..\)' slot='0x\(..\)' function='0x\(.\)'.*/\1:\2:\3.\4/p" | head -n 1; }
defined_vf() { defined_hostdev "$1" "$2" | source_vf; }
live_vf() { live_hostdev "$1" "$2" | source_vf; }
# vf_params VF, mdev_params UUID: the plugin parameters, read from the driver.
vf_params() { cat "/sys/bus/pci/devices/$1/nvidia/vgpu_params"; }
mdev_params() { cat "/sys/bus/mdev/devices/$1/nvidia/vgpu_params"; }
# types PF: the types on the VFs of a vendor-specific VFIO board, on one line; types_are PF TYPE…
types() { cat "/sys/bus/pci/devices/$1"/virtfn*/nvidia/current_vgpu_type | xargs; }
types_are() { [ "$(types "$1")" = "${*:2}" ]; }
# vf_has VF TYPE
vf_has() { [ "$(vf_type "$1")" = "$2" ]; }
# is_connected: the daemon is connected to libvirt.
is_connected() { [ "$(json 'v["libvirt_connected"]' version)" = True ]; }

# pace: records the duration of a virsh from now on, in ms; 250 on two idle cores.
pace() {
    while kill -0 $$ 2> /dev/null; do
        local begun=${EPOCHREALTIME/./}
        ! virsh -q uri > /dev/null 2>&1 || echo $(((${EPOCHREALTIME/./} - begun) / 1000))
        sleep 1
    done > /run/lab-pace &
    pace_pid=$!
}
# own_times PATTERN: the time of the daemon without libvirt's, in ms, for each event since the scenario began whose line
# in the log matches and has both times; one per line.
virtvgpud_log=/lab/work/logs/virtvgpud.log
log_before=$(wc -l 2> /dev/null < $virtvgpud_log || echo 0)
own_times() {
    tail -n "+$((log_before + 1))" $virtvgpud_log |
        sed -nE "/$1/s/.* after ([0-9]+) ms \(([0-9]+) in libvirt\).*/\1 \2/p" | awk '{ print $1 - $2 }'
}
# in_time COUNT MS PATTERN: there are COUNT such events or more, and the daemon's own time is at most MS ms in each,
# scaled by how much longer than usual a virsh has taken since `pace`.
in_time() {
    local times usual limit
    kill "$pace_pid"
    usual=$(sort -n /run/lab-pace | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }')
    limit=$(($2 * (usual > 250 ? usual : 250) / 250))
    times=$(own_times "$3" | sort -n | xargs)
    say "ms of virtvgpud's own: $times; a virsh took $usual, so $limit at most"
    [ "$(wc -w <<< "$times")" -ge "$1" ] || fail "$1 events that match /$3/ were to come, these did: $times"
    [ "${times##* }" -le "$limit" ] || fail "more than $limit ms: $times"
}

# driver_of ADDR: the driver that a PCI function is bound to, "-" if none.
driver_of() { if [ -e "/sys/bus/pci/devices/$1/driver" ]; then basename "$(readlink "/sys/bus/pci/devices/$1/driver")"; else echo -; fi; }

# standins [LINE…]: makes the daemon use the stand-ins for NVIDIA's library and script; LINEs go into the same
# conf.d file. For their knobs see tests/standins/nvml.c and tests/standins/sriov-manage.
nvml_library=/usr/lib/virt-vgpu-lab/libnvidia-ml.so.1
sriov_manage=/usr/lib/virt-vgpu-lab/sriov-manage
standins() { daemon_config "$@" "[host]" "nvml_library=$nvml_library" "sriov_manage=$sriov_manage"; }
nvml_knob() { mkdir -p /run/fake-nvml && printf %s "${2:-}" > "/run/fake-nvml/$1"; }
manage_knob() { mkdir -p /run/sriov-manage && printf %s "${2:-}" > "/run/sriov-manage/$1"; }
# vfs_of PF: the number of enabled VFs.
vfs_of() { cat "/sys/bus/pci/devices/$1/sriov_numvfs"; }
