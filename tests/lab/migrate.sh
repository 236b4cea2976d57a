# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Helpers for scenarios in which domains are saved, restored and migrated, on top of vgpu.sh.
# shellcheck source=SCRIPTDIR/vgpu.sh
. "$(dirname "${BASH_SOURCE[0]}")/vgpu.sh"

PEER=qemu+ssh://lab2/system
HOME_URI=qemu+ssh://lab1/system

# picture NAME: a hash of what the domain shows, which is all the state of a vGPU of the lab's.
picture() {
    virsh -q screenshot "$1" /run/lab-picture > /dev/null
    sha256sum < /run/lab-picture
}

# migrate NAME [OPTION…]: to the other host.
migrate() { virsh -q migrate --live --persistent --undefinesource "${@:2}" "$1" "$PEER"; }
# migrate_back NAME: from there.
migrate_back() { peer virsh -q migrate --live --persistent --undefinesource "$1" "$HOME_URI"; }

# runs NAME COUNT: it runs here with so many vGPUs, all active, and its definition has them; for wait_for.
runs() {
    is_state "$1" running && is_injected "$1" "$2" &&
        [ "$(json "[r['state'] for r in v if r['domain'] == '$1'] == ['active'] * $2" list)" = True ]
}
# same_vfs NAME COUNT: the definition names the VFs that the domain runs on; for wait_for.
same_vfs() {
    local i
    for ((i = 0; i < $2; i++)); do [ "$(defined_vf "$1" $i)" = "$(live_vf "$1" $i)" ] || return; done
}
# checks NAME CHECK…: what explain --migrate says of these, on one line.
checks() {
    json "[c['status'] for name in '${*:2}'.split() for c in v['checks'] if c['check'] == name]" \
        explain "$1" --migrate "$PEER" || true
}
# told PATTERN: the daemon has reported such an event, since the guest was booted; for wait_for.
told() { grep -qE "$1" "$virtvgpud_log"; }
# is_gone NAME: neither the domain nor a vGPU of its is here; for wait_for.
is_gone() { ! virsh -q dominfo "$1" > /dev/null 2>&1 && [ "$(claims)" = 0 ] && [ -z "$(mdevs)" ]; }
# pool_cad GPU PROFILE: the pool "cad", of that GPU alone and with that profile, is defined and active here.
pool_cad() {
    printf "<vgpupool><name>cad</name><source><gpu address='%s'/></source><profiles><profile name='%s' default='yes'/></profiles></vgpupool>" \
        "$1" "$2" > /run/lab-cad.xml
    virt-vgpu pool-define /run/lab-cad.xml > /dev/null
    virt-vgpu pool-start cad > /dev/null
}
