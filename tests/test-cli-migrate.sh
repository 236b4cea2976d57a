#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whether a domain can be migrated, against a fake daemon, libvirt's test driver and a fake ssh, which answers as the
# virt-vgpu of another host, or runs the real one.
# shellcheck disable=SC2154 # tests and failures are counted in cli-functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

if [ "${1:-}" != --on-bus ]; then
    command -v dbus-run-session > /dev/null || { echo "dbus-run-session is missing"; exit 77; }
    exec dbus-run-session -- sh "$srcdir/tests/test-cli-migrate.sh" --on-bus
fi

tmp=$(mktemp -d)
manager=''
# shellcheck disable=SC2317 # by the trap
cleanup()
{
    [ -z "$manager" ] || kill "$manager" 2> /dev/null
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI="test://$tmp/node.xml" VIRT_VGPU_ROOT="$tmp/root"
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"

# --- two hosts --------------------------------------------------------------------------------
uri=qemu+ssh://root@h2:2222/system
annotation='<vgpu:devices xmlns:vgpu="urn:virt-vgpu:domain:1"><vgpu:device profile="A2-4Q"/></vgpu:devices>'
domain() # NAME UUID METADATA [DEVICES [REST]]
{
    echo "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>$1</name><uuid>$2</uuid>
<metadata>$3</metadata><memory>65536</memory><os><type>hvm</type></os><devices><graphics type='vnc'/>${4:-}</devices>
${5:-}</domain>"
}
web1=aaaaaaaa-0000-4000-8000-000000000001
ours="<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='11111111-2222-5333-8444-555555555555'/></source><alias name='ua-vgpu-0'/></hostdev>"
{
    echo "<node>"
    domain web1 $web1 "$annotation" "$ours"
    domain off bbbbbbbb-0000-4000-8000-000000000002 "$annotation" '' '<test:runstate>5</test:runstate>'
    domain plain cccccccc-0000-4000-8000-000000000003 ''
    echo "</node>"
} > "$tmp/node.xml"

# host DIRECTORY VERSION CONFIG: a made tree with that version of the driver, and a kernel with that configuration
host()
{
    mkdir -p "$1/proc/sys/kernel" "$1/boot" "$1/sys/bus/pci/devices/0000:41:00.0/driver/module" "$1/dev"
    echo 6.12.1 > "$1/proc/sys/kernel/osrelease"
    echo "$2" > "$1/sys/bus/pci/devices/0000:41:00.0/driver/module/version"
    printf '# Linux\n%s\n' "$3" > "$1/boot/config-6.12.1"
}
host "$tmp/root" 550.54.16 'CONFIG_IOMMUFD=m'
host "$tmp/there" 550.54.16 'CONFIG_IOMMUFD=m'

mkdir "$tmp/bin"
# libvirt runs it for its own connection, too, without our environment
cat > "$tmp/bin/ssh" << END
#!/bin/sh
case "\$*" in
    *virt-vgpu*) printf '%s\\n' "\$@" > "$tmp/words" ;;
    *) echo "\$*" > "$tmp/libvirt"; exit 255 ;;
esac
cat > "$tmp/sent"
[ ! -e "$tmp/run" ] || exec "$tmp/run"
cat "$tmp/complaint" >&2
cat "$tmp/answer"
exit "\$(cat "$tmp/status")"
END
chmod +x "$tmp/bin/ssh"
export PATH="$tmp/bin:$PATH"

# answers STATUS OUT [ERR]: what ssh does next; 'single' quotes become double ones
answers()
{
    echo "$1" > "$tmp/status"
    echo "$2" | tr "'" '"' > "$tmp/answer"
    echo "${3:-}" > "$tmp/complaint"
}
gpus="'gpus':[{'address':'0000:61:00.0','interface':'mdev','driver':'nvidia','driver_version':'550.54.16'}]"
there="'host':{'uuid':'bbbbbbbb-0000-4000-8000-000000000009','version':'9.9','libvirt':'11.3.0','qemu':'10.0.2','kernel':'6.12.1','iommufd':true,$gpus}"
plan="'plan':[{'index':0,'profile':'NVIDIA A2-4Q','gpu':'0000:61:00.0','parent':null,'state':'planned','note':null}]"
room="{'possible':true,'reason':null,$plan,$there}"

# on_new EXIT ARGUMENT...: as cli, where libvirt and QEMU are new enough; asks EXIT ARGUMENT...: the same for explain
on_new()
{
    want=$1
    shift
    ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=$builddir/tests/new-libvirt.so \
        "$builddir/virt-vgpu" "$@" > "$tmp/out" 2> "$tmp/err"
    got=$?
    [ "$got" -eq "$want" ]
    verdict $? "virt-vgpu $*: exit status $want, got $got"
}
asks()
{
    status=$1
    shift
    on_new "$status" explain "$@"
}

# --- usage ------------------------------------------------------------------------------------
cli 2 explain --migrate $uri
err "--migrate needs a DOMAIN"
cli 2 explain --xml "$tmp/node.xml" --migrate $uri
err "--migrate cannot be combined with --xml or --host"
cli 2 explain web1 --bandwidth 100
err "--bandwidth needs --migrate"
cli 2 explain web1 --migrate $uri --bandwidth -1
err "--bandwidth -1: at least 1"
cli 2 explain web1 --host
err "--host needs --json"
answers 0 "$room"
cli 6 explain web1 --migrate $uri
err "virtvgpud is not running"
[ ! -e "$tmp/words" ]
verdict $? "nobody is asked"
start_manager
cli 3 explain nobody --migrate $uri
err nobody
cli 1 explain plain --migrate $uri
err "domain 'plain' asks for no vGPU"
cli 2 explain web1 --migrate qemu+ssh://-oProxyCommand=touch%20x/system
err "the host or the user is not a name"
cli 2 explain web1 --migrate h2
err "h2: "
[ ! -e "$tmp/words" ]
verdict $? "nobody is asked"

# --- this host, for the other one -------------------------------------------------------------
asks 0 web1 --json --host
json '"host":{"uuid":' '"version":"' '"libvirt":"11.3.0","qemu":"10.0.2","kernel":"6.12.1","iommufd":true,"gpus":[' \
    '{"address":"0000:41:00.0","interface":"mdev","driver":"nvidia","driver_version":"550.54.16"}' \
    '{"address":"0000:e1:00.0","interface":"none","driver":null,"driver_version":null}'
asks 0 web1 --json
! grep -q '"host"' "$tmp/out"
verdict $? "only when it is asked for"
host "$tmp/root" 550.54.16 '# CONFIG_IOMMUFD is not set'
asks 0 web1 --json --host
json '"iommufd":false'
touch "$tmp/root/dev/iommu"
asks 0 web1 --json --host
json '"iommufd":true'
rm "$tmp/root/dev/iommu" "$tmp/root/boot/config-6.12.1"
asks 0 web1 --json --host
json '"iommufd":null'
mkdir -p "$tmp/root/lib/modules/6.12.1"
echo '
CONFIG_IOMMUFD=y' > "$tmp/root/lib/modules/6.12.1/config"
asks 0 web1 --json --host
json '"iommufd":true'

# --- a migration that is possible -------------------------------------------------------------
asks 0 web1 --migrate $uri
silent
out "web1: a migration to $uri is possible now" "ok      virt-vgpu 9.9 answers" "on 0000:61:00.0" \
    "nvidia 550.54.16 on both" "paused for about 1.2 s: 1234 MiB of frame buffer in use, at 1000"
narrow
printf '%s\n' -T -e none -p 2222 -l root -- h2 \
    'virt-vgpu explain --xml - --host --json --connect qemu:///system' | cmp -s - "$tmp/words"
verdict $? "ssh is called as the URI says"
grep -q 'device profile="A2-4Q"' "$tmp/sent" && ! grep -q -e hostdev -e 11111111 -e " id=" "$tmp/sent"
verdict $? "the other host gets the annotation without this host's devices"
asks 0 web1 --migrate $uri --bandwidth 100 --json
silent
json '{"possible":true,"checks":[{"check":"state","status":"ok","detail":"thedomainisrunning"},{"check":"host",' \
    '"stun_ms":12340,"data_mib":1234}'
asks 0 web1 --migrate $uri -o check,status --noheadings
[ "$(wc -l < "$tmp/out")" -eq 10 ] && grep -qx 'state  *ok' "$tmp/out"
verdict $? "the table alone"

# --- and not ----------------------------------------------------------------------------------
asks 1 off --migrate $uri
out "is not possible now" "the domain is not running"
! grep -q "is paused" "$tmp/out"
verdict $? "no estimate"
answers 1 "{'possible':false,'reason':'no GPU has room','plan':[],$there}"
asks 1 web1 --migrate $uri --json
json '"possible":false' '{"check":"room","status":"failed","detail":"noGPUhasroom"}'
answers 127 '' 'sh: 1: virt-vgpu: not found'
asks 1 web1 --migrate $uri
out "virt-vgpu is not installed there"
answers 6 "{'error':'unreachable','code':6,'detail':'virtvgpud is not running'}" 'virt-vgpu: virtvgpud is not running'
asks 1 web1 --migrate $uri
out "it says: virtvgpud is not running"

# --- not known --------------------------------------------------------------------------------
answers 255 '' 'ssh: connect to host h2 port 2222: No route to host'
asks 8 web1 --migrate $uri
out "may be possible: not" "ssh failed" "No route to"
asks 8 web1 --migrate $uri --json
json '{"possible":null,"checks":[' '{"check":"room","status":"unknown"'
answers 2 "{'error':'usage','code':2,'detail':'Unknown option --host'}"
asks 8 web1 --migrate $uri
out "its virt-vgpu is too old to be asked"
rm "$tmp/words"
asks 8 web1 --migrate qemu+tls://h2/system
out "through 'tls', so it cannot be"
[ ! -e "$tmp/words" ]
verdict $? "ssh is not called for TLS"

# --- the real one at the other end ------------------------------------------------------------
cat > "$tmp/run" << END
#!/bin/sh
export VIRT_VGPU_ROOT=$tmp/there
exec "$builddir/virt-vgpu" explain --xml - --host --json --connect "$LIBVIRT_DEFAULT_URI" < "$tmp/sent"
END
chmod +x "$tmp/run"
asks 0 web1 --migrate $uri
out "on 0000:41:00.0" "nvidia 550.54.16 on both" "QEMU 10.0.2 here, 10.0.2 there"
echo 535.1 > "$tmp/there/sys/bus/pci/devices/0000:41:00.0/driver/module/version"
asks 1 web1 --migrate $uri
out "nvidia 535.1 there is older than 550.54.16 here"

# --- migrating --------------------------------------------------------------------------------
on_new 1 migrate web1 $uri
err "cannot migrate domain 'web1' to $uri: driver: nvidia 535.1 there is older"
rm "$tmp/run"
cli 2 migrate web1
err "migrate: an argument is missing"
cli 2 migrate web1 $uri --bandwidth -1
err "--bandwidth -1: at least 1"
cli 2 migrate web1 h2
err "h2: "
cli 3 migrate nobody $uri
answers 1 "{'possible':false,'reason':'no GPU has room','plan':[],$there}"
on_new 4 migrate web1 $uri
err "cannot migrate domain 'web1' to $uri: room: no GPU has room"
[ ! -e "$tmp/libvirt" ]
verdict $? "libvirt does not even connect"
on_new 1 migrate off $uri --json
json '{"error":"failed","code":1,"detail":"cannotmigratedomain'
echo "$room" | sed "s/'driver_version':'550.54.16'/'driver_version':'560.1'/" > "$tmp/newer"
answers 0 "$(cat "$tmp/newer")"
on_new 6 migrate web1 $uri
err "web1: driver: warning: nvidia 560.1 there is newer than 550.54.16 here"
err "cannot connect to libvirt at $uri"
grep -q h2 "$tmp/libvirt"
verdict $? "libvirt has tried to"

# a libvirt that can; see moving-libvirt.c
export MOVING_LOG="$tmp/moved" MOVING_SLOW="$tmp/slow" MOVING_CUT="$tmp/cut"
moves() # EXIT ARGUMENT...
{
    want=$1
    shift
    rm -f "$tmp/moved"
    ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$builddir/tests/new-libvirt.so $builddir/tests/moving-libvirt.so" \
        "$builddir/virt-vgpu" migrate "$@" > "$tmp/out" 2> "$tmp/err"
    got=$?
    [ "$got" -eq "$want" ]
    verdict $? "virt-vgpu migrate $*: exit status $want, got $got"
}
moved() # LINE...: exactly these calls
{
    printf '%s\n' "$@" | cmp -s - "$tmp/moved"
    verdict $? "libvirt is called: $*"
}
answers 0 "$room"
moves 0 web1 $uri --json
silent
json '{"possible":true,"checks":[' '"stun_ms":1234,"data_mib":1234}'
moved "keepalive 25" "flags 25" "parameters 0" # live, persistent there, undefined here
moves 0 web1 $uri --bandwidth 2500 --json
moved "keepalive 25" "flags 25" "parameters 1"
answers 0 "$(cat "$tmp/newer")"
moves 0 web1 $uri
err "nvidia 560.1 there is newer"
out "Domain 'web1' now runs at $uri; its vGPUs on this host are not removed yet" # the fake daemon keeps them
touch "$tmp/slow"
answers 0 "$room"
rm -f "$tmp/moved"
ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD="$builddir/tests/new-libvirt.so $builddir/tests/moving-libvirt.so" \
    "$builddir/virt-vgpu" migrate web1 $uri > "$tmp/out" 2> "$tmp/err" &
moving=$!
until_true grep -qs "is being migrated" "$tmp/err"
kill "$moving" # as Ctrl-C, which jobs in the background ignore
wait "$moving"
[ $? -eq 1 ]
verdict $? "a migration that is aborted has failed"
moved "keepalive 25" "flags 25" "parameters 0" "downtime 2151" "abort 0" # 1234 ms, half of it, and 300
err "the migration of domain 'web1' is being aborted"
grep -q "Domain 'web1' is being migrated" "$tmp/err"
verdict $? "progress is shown"
wait $!
touch "$tmp/cut"
moves 1 web1 $uri
err "the connection to $uri has ended"
err "the migration of domain 'web1' is being aborted"
grep -qx "abort 0" "$tmp/moved"
verdict $? "a migration to a silent host is aborted"

echo "1..$tests"
[ "$failures" -eq 0 ]
