#!/bin/sh
# An annotation with nearly all that there is: 16 devices of 15 attributes, 4 KiB that anybody may ask about. Checked
# with the public schema it takes libxml2 minutes, and meanwhile no other domain starts within its 30 s.
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    for tool in dbus-run-session gdbus; do
        command -v "$tool" > /dev/null || { echo "$tool is missing"; exit 77; }
    done
    exec dbus-run-session -- sh "$srcdir/tests/test-long-annotation.sh" --on-bus
fi

# shellcheck source=tests/functions.sh
. "$srcdir/tests/functions.sh"
daemon='' askers='' root=''
cleanup()
{
    # shellcheck disable=SC2086 # a list
    kill -9 $daemon $askers 2> /dev/null
    rm -rf "$root"
}
trap cleanup EXIT
make_root
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI="test://$root/host.xml"

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

is_up() { "$builddir/virt-vgpu" list; }
start_daemon --bus session
check "the daemon starts" until_true is_up

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
askers=''
check "each of those who asked is told why it cannot start" \
    sh -c "[ \$(grep -l 'there is no pool' '$root'/explained? | wc -l) -eq 3 ]"
check "the command takes it" "$builddir/virt-vgpu" validate "$root/vm2.xml"
for program in virtvgpud virt-vgpu virt-vgpu-host virt-vgpu-iso virt-vgpu-metadata; do
    [ -e "$builddir/$program" ] || continue # --disable-host-setup
    check "$program does not know the schemas" \
        sh -c "nm -D '$builddir/$program' > '$root/symbols' && ! grep RelaxNG '$root/symbols'"
done

kill "$daemon"
echo "1..$tests"
[ "$failures" -eq 0 ]
