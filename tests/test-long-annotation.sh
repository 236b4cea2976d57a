#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# An annotation with nearly everything: 16 devices with 15 attributes, 4 KiB that any user may send to explain. libxml2
# would need minutes to validate it against the public schema, while no other domain could start within its 30 s.
set -u
# shellcheck source=tests/functions.sh
. "${top_srcdir:-.}/tests/functions.sh"
needs gdbus
begin session

echo "<node>$(domain_xml 1)</node>" > "$root/host.xml"
annotated 1 A2-4Q
{
    echo "<domain type='test'><name>vm2</name><uuid>$(domain_uuid 2)</uuid><metadata>"
    echo "<v:devices xmlns:v='urn:virt-vgpu:domain:1'>"
    n=0
    while [ "$n" -lt 16 ]; do
        printf "<v:device profile='A2-4Q' pool='p' count='1' display='auto' ramfb='auto' placement='numa' \
gpu='0000:41:00.0' create='start' lateAttach='on' driverISO='no' frameRateLimit='on' consoleVNC='on' \
unifiedMemory='off' debugging='off' profiling='off'/>\n"
        n=$((n + 1))
    done
    echo "</v:devices></metadata></domain>"
} > "$root/vm2.xml"

check "the daemon starts" up

askers=''
# not with the command, which checks the XML itself before it asks
for n in 1 2 3; do
    gdbus call --session --timeout 600 --dest org.virtvgpu.Manager1 --object-path /org/virtvgpu/Manager1 \
        --method org.virtvgpu.Manager1.Explain "$(tr -d '\n' < "$root/vm2.xml")" > "$root/explained$n" 2>&1 &
    askers="$askers $!"
done

# another domain, for as long as one of them waits for its answer, and once more
starts_meanwhile()
{
    while :; do
        waiting=''
        for asker in $askers; do
            kill -0 "$asker" 2> /dev/null && waiting=yes
        done
        prepare 1 && release 1 && until_true nothing_left || return 1
        [ -n "$waiting" ] || return 0
    done
}
check "another domain starts while the long one is being explained" starts_meanwhile
for asker in $askers; do
    wait "$asker"
done
check "each caller gets the reason why it cannot start" \
    sh -c "[ \$(grep -l 'there is no pool' '$root'/explained? | wc -l) -eq 3 ]"
check "the command takes it" "$builddir/virt-vgpu" validate "$root/vm2.xml"
for program in virtvgpud virt-vgpu virt-vgpu-host virt-vgpu-iso virt-vgpu-metadata; do
    [ -e "$builddir/$program" ] || continue # --disable-host-setup
    check "$program does not know the schemas" \
        sh -c "nm -D '$builddir/$program' > '$root/symbols' && ! grep RelaxNG '$root/symbols'"
done

finish
