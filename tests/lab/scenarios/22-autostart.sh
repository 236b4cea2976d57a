#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Autostarted domains have their vGPUs, libvirtd hardly waits for us, and nothing between a hook's request and its answer calls libvirt
# takes: 60
# once: bookworm
# timeout: 450
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

names=(auto0 auto1 auto2)
link=/etc/libvirt/hooks/qemu.d/50-virt-vgpu

say "define"
vgpus=()
for i in "${!names[@]}"; do
    uuid=5d0cbb52-8ccf-4a9c-b04e-2a50de1c220$i
    vgpus+=("$(vgpu_uuid "$uuid" 0)")
    domain_xml "${names[i]}" --uuid "$uuid" --annot "$(annotation "profile='NVIDIA A2-4Q' gpu='$A2'")" > "/run/lab-auto$i.xml"
    echo "define /run/lab-auto$i.xml"
    echo "autostart ${names[i]}"
done > /run/lab-auto.virsh
virsh -q < /run/lab-auto.virsh > /dev/null
wait_for 30 all_injected 3

# Prints the time until a libvirtd that autostarts its domains answers, in ms. libvirtd autostarts once per boot
# of the host, and records that in a file.
boot_libvirt() {
    local begun
    rm -f /run/libvirt/qemu/autostarted
    begun=$(date +%s%3N)
    libvirt_start
    echo $(($(date +%s%3N) - begun))
}
all_run() {
    assert_eq "$(virsh -q list --name | grep -c auto)" 3 "domains that run ($1)"
    assert_eq "$(mdevs)" "$(printf '%s\n' "${vgpus[@]}" | sort)" "devices ($1)"
}
stop_all() {
    printf 'destroy %s\n' "${names[@]}" > /run/lab-auto.stop
    virsh -q < /run/lab-auto.stop > /dev/null
    wait_for 20 nothing_left
    libvirt_stop
}

say "autostart without the hook, on existing devices"
libvirt_stop
mv $link /run/lab-hook-link
for i in "${!names[@]}"; do mdev_create "0000:41:00.$((4 + i))" nvidia-746 "${vgpus[i]}"; done
without=$(boot_libvirt)
all_run "without the hook"
wait_for 10 vgpu_state "${vgpus[0]}" active # adopted, so that it goes with the domain
mv /run/lab-hook-link $link
stop_all

say "autostart with the hook"
daemon_running || fail "the daemon has to be there before libvirtd"
with=$(boot_libvirt)
all_run "with the hook"
say "libvirtd answered after $with ms with the hook, after $without ms without it"
# a hook that waits for libvirt waits for its 30 s
((with - without < 25000 + without)) || fail "libvirtd answers $((with - without)) ms later with the hook"
wait_for 20 vgpu_state "${vgpus[2]}" active

say "system calls between a request and its answer"
virsh -q destroy auto0
wait_for 20 not mdev_exists "${vgpus[0]}"
sleep 0.5
# The daemon's sockets whose other end is libvirtd's.
libvirt_sockets() {
    local inode
    ss -xpH | awk '$5 ~ "^/run/libvirt/" || $5 ~ "^/var/run/libvirt/" { print $8 }' | while read -r inode; do
        readlink "/proc/$(daemon_pid)"/fd/* | grep -x "socket:\[$inode\]" || true
    done
}
sockets=$(libvirt_sockets)
[ -n "$sockets" ] || fail "the daemon has no connection to libvirt: $(ss -xpH | grep libvirt)"
strace -f -y -s 64 -p "$(daemon_pid)" -o /run/lab-strace 2> /run/lab-strace.err &
tracer=$!
wait_for 20 grep -q attached /run/lab-strace.err
virsh -q start auto0
kill $tracer
wait $tracer || true
/usr/bin/python3 -IS - /run/lab-strace "$sockets" << 'PY'
import re, sys
lines = open(sys.argv[1], errors='replace').read().splitlines()
sockets = sys.argv[2].split()
begin = next(i for i, l in enumerate(lines) if re.search(r'recv\w*\(.*"VGPU1 prepare begin', l) or '"VGPU1 prepare begin' in l)
end = next(i for i, l in enumerate(lines) if i > begin and re.search(r'(sendto|sendmsg|write)\(.*"VGPU1 ok', l))
receiver, answerer = (lines[i].split()[0] for i in (begin, end))
bad = [l for l in lines[begin:end + 1] if l.split()[0] in (receiver, answerer)
       and (any(s in l for s in sockets) or 'connect(' in l)]
seen = sum(any(s in l for s in sockets) for l in lines)
print(f'{end - begin} system calls by all threads between request ({receiver}) and answer ({answerer}); '
      f'{seen} lines on libvirt sockets {sockets} in the whole trace')
if bad:
    sys.exit('\n'.join(['the answer went through libvirt:'] + bad))
if not seen:
    sys.exit('no line of the trace shows a libvirt socket: this test sees nothing')
PY

say "system calls of the hook"
virsh -q dumpxml auto0 > /run/lab-auto0.live
strace -f -e trace=network -o /run/lab-strace /usr/sbin/virt-vgpu-hook auto0 restore begin - < /run/lab-auto0.live > /dev/null
assert_grep 'connect\(.*"/run/virt-vgpu/hook.sock"' "$(cat /run/lab-strace)" "the hook's connection"
assert_eq "$(grep -c 'connect(' /run/lab-strace)" 1 "connections of the hook"

stop_all
