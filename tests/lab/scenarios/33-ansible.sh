#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Ansible role: check mode changes nothing, the first run sets up GPU, pool and settings, the second changes nothing
# takes: 150
# once: battery
# init: systemd
# timeout: 900
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

export ANSIBLE_ROLES_PATH=/lab/src/contrib/ansible/roles ANSIBLE_NOCOLOR=1 ANSIBLE_LOCAL_TEMP=/run/lab-ansible \
    ANSIBLE_REMOTE_TEMP=/run/lab-ansible
cat > /run/lab-play.yml << YML
- hosts: localhost
  connection: local
  gather_facts: false
  roles:
    - role: virt_vgpu
      vars:
        virt_vgpu_package: ''
        virt_vgpu_config: {placement: {policy: spread}}
        virt_vgpu_host_layout: "<vgpuhost><gpu address='$A100'><sriov vfs='2'/></gpu></vgpuhost>"
        virt_vgpu_pools:
          - name: lab
            xml: "<vgpupool><name>lab</name><source><gpu address='$A100'/></source></vgpupool>"
YML
play() {
    ansible-playbook -i localhost, -e ansible_python_interpreter=/usr/bin/python3 /run/lab-play.yml "$@" \
        > /run/lab-said 2>&1 || fail "$(cat /run/lab-said)"
    cat /run/lab-said
}
pool_state() { json '[p["state"] for p in v if p["name"] == "lab"]' pool-list; }

say "check mode"
said=$(play --check --diff)
assert_grep "pool lab would be started" "$said" "check mode"
assert_grep "$A100: vfs" "$said" "check mode"
assert_eq "$(vfs_of "$A100") $(pool_state)" "0 []" "GPU and pool after check mode"
[ ! -e /etc/virt-vgpu/host.xml ] || fail "check mode has written host.xml"

say "the first run, and the second"
assert_grep "changed=[1-9]" "$(play)" "first run"
assert_eq "$(vfs_of "$A100") $(pool_state)" "2 ['active']" "GPU and pool"
assert_eq "$(systemctl is-enabled virt-vgpu-host.service)" enabled "virt-vgpu-host.service"
assert_grep "changed=0 " "$(play)" "second run"
assert_grep "changed=0 " "$(play --check)" "check mode"
