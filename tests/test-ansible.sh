#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The Ansible role, against the real daemon on a made tree with a fake virt-vgpu-host: check mode changes nothing and
# says what it would change, the first run changes it, the second changes nothing.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
command -v ansible-playbook > /dev/null || { echo "ansible-playbook is missing (package ansible-core)"; exit 77; }
begin session
export FAKE_HOST_DIR="$root/fake-host" ANSIBLE_ROLES_PATH="$srcdir/contrib/ansible/roles" ANSIBLE_LOCAL_TEMP="$root/ansible" \
    ANSIBLE_REMOTE_TEMP="$root/ansible" ANSIBLE_NOCOLOR=1 ANSIBLE_RETRY_FILES_ENABLED=0
mkdir "$FAKE_HOST_DIR"
echo '<node/>' > "$root/host.xml"
# the fake GPUs differ from the layout until it is applied
echo "[ -e '$root/applied' ] && echo '@aa{sv} []' || echo \"[{'gpu': <'0000:41:00.0'>, 'what': <'vfs'>, 'wanted': <'8'>, 'actual': <'16'>}]\"" > "$FAKE_HOST_DIR/diff"
echo "cat > '$root/applied'; echo \"[{'gpu': <'0000:41:00.0'>, 'step': <'vfs'>, 'result': <'done'>, 'text': <''>}]\"" > "$FAKE_HOST_DIR/apply"
printf "#!/bin/sh\nexec '%s/virt-vgpu' \"\$@\"\n" "$builddir" > "$root/virt-vgpu"
chmod +x "$root/virt-vgpu"
pool() # PROFILE STATE
{
    cat > "$root/play.yml" << YML
- hosts: localhost
  connection: local
  gather_facts: false
  roles:
    - role: virt_vgpu
      vars:
        virt_vgpu_package: ''
        virt_vgpu_manage_services: false
        virt_vgpu_command: $root/virt-vgpu
        virt_vgpu_sysconfdir: $root/etc/virt-vgpu
        virt_vgpu_config: {placement: {policy: spread}}
        virt_vgpu_host_layout: "<vgpuhost><gpu address='0000:41:00.0'><sriov vfs='8'/></gpu></vgpuhost>"
        virt_vgpu_pools:
          - name: design
            state: $2
            xml: |
              <?xml version="1.0"?>
              <vgpupool>
                <!-- "seats" -->
                <name>design</name>
                <source><gpu address='0000:41:00.0'/></source>
                <profiles><profile name='$1'/></profiles>
              </vgpupool>
YML
}
play() { ansible-playbook -i localhost, -e ansible_python_interpreter=/usr/bin/python3 "$root/play.yml" "$@" > "$root/said" 2>&1 && cat "$root/said"; }
changes() # COMMAND...: it succeeds and changes something
{
    "$@" && grep -Eq 'changed=[1-9]' "$root/said"
}
changes_nothing() { "$@" && grep -q 'changed=0 ' "$root/said"; }
has() { grep -qF -- "$1" "$root/said"; }
state_is() { says "\"name\":\"design\"" cli pool-info design --json && grep -q "\"state\" *: *\"$1\"" "$root/said"; }
snapshot() { (cd "$root" && find etc run/virt-vgpu/pools applied -type f 2> /dev/null | sort | xargs cat 2> /dev/null; cli pool-list --json); }

pool A2-4Q active
check "the example's syntax" ansible-playbook -i localhost, --syntax-check "$srcdir/contrib/ansible/site.yml"
check "the daemon starts" up --host-program "$srcdir/tests/fake-host.sh"
snapshot > "$root/before"
check "check mode would change something" changes play --check --diff
check "it says the pool" has "pool design would be defined"
check "and that it would be started" has "pool design would be started"
check "and the GPU" has "0000:41:00.0: vfs is 16, would be 8"
check "and the settings" has "+policy=spread"
snapshot > "$root/after"
check "it changes nothing" cmp "$root/before" "$root/after"
check "the first run changes" changes play
check "the layout is applied" test -e "$root/applied"
check "it is written" grep -q "vfs='8'" "$root/etc/virt-vgpu/host.xml"
check "the settings, too" grep -q '^policy=spread$' "$root/etc/virt-vgpu/conf.d/50-ansible.conf"
check "the pool is active" state_is active
check "and starts at boot" test -e "$root/etc/virt-vgpu/pools/autostart/design.xml"
check "the second run changes nothing" changes_nothing play
check "nor would check mode" changes_nothing play --check
pool A2-8Q inactive
check "another definition changes the pool" changes play
check "it is stopped" state_is inactive
check "and has the other profile" says A2-8Q cli pool-dumpxml design --configured
check "again, nothing" changes_nothing play
pool A2-8Q absent
check "absent" changes play
check "it is undefined" fails_with "there is no pool" cli pool-info design
check "again, nothing more" changes_nothing play
pool A2-8Q absnt
check "a wrong state is refused" fails_with "state of active, inactive or absent" play
down
finish
