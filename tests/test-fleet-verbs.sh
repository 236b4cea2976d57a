#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-vgpu fleet against a real etcd, in which tests/fleet-tool writes what the agents of hosts would: each verb with
# its result, its JSON and its refusals, and eight planners at once for the last places.
# shellcheck disable=SC2154,SC2317 # tests and failures are counted in cli-functions.sh
set -u
builddir=$(cd "${builddir:-.}" && pwd)
srcdir=$(cd "${top_srcdir:-.}" && pwd)

tmp=$(mktemp -d)
etcd='' follower=''
# shellcheck disable=SC2317 # by the trap
cleanup()
{
    for pid in $etcd $follower; do
        kill -9 "$pid" 2> /dev/null
    done
    rm -rf "$tmp"
}
trap cleanup EXIT
export LC_ALL=C.UTF-8 VIRT_VGPU_ROOT="$tmp/root" VIRT_VGPU_BUS=session LIBVIRT_DEFAULT_URI="test://$tmp/node.xml"
# shellcheck source=tests/cli-functions.sh
. "$srcdir/tests/cli-functions.sh"

conf=$tmp/root/etc/virt-vgpu/virt-vgpu.conf
mkdir -p "$(dirname "$conf")"
if "$builddir/virt-vgpu" fleet list 2>&1 | grep -q 'built without fleets'; then
    cli 1 fleet place --profile x --dry-run
    err "built without fleets"
    cli 1 fleet --json
    json '{"error":"failed","code":1,"detail":"this'
    echo "1..$tests"
    exit $((failures > 0))
fi
command -v etcd > /dev/null || { echo "etcd (etcd-server) is missing"; exit 77; }

# --- no fleet, no store -----------------------------------------------------------------------
cli 1 fleet list
err "this host is in no fleet: $conf names no endpoints in [fleet]"
cli 2 fleet
err "fleet: a verb is missing"
cli 2 fleet lst
err "unknown verb 'fleet lst'; did you mean 'fleet list'?"
url=http://127.0.0.1:$("$builddir/tests/fleet-tool" port)
peer=http://127.0.0.1:$("$builddir/tests/fleet-tool" port)
printf '[fleet]\nendpoints=%s\n' "$url" > "$conf"
cli 6 fleet list --json
json '{"error":"unreachable","code":6'
cli 6 fleet events

etcd --data-dir "$tmp/etcd" --listen-client-urls "$url" --advertise-client-urls "$url" --listen-peer-urls "$peer" \
    --initial-advertise-peer-urls "$peer" --initial-cluster "default=$peer" > "$tmp/etcd.log" 2>&1 &
etcd=$!
tool() { "$builddir/tests/fleet-tool" "$url" "$@" || { echo "Bail out! fleet-tool $*"; exit 1; }; }
tool wait

# --- options ----------------------------------------------------------------------------------
P='NVIDIA A2-4Q'
id() { printf '0a0a0a0a-0000-4000-8000-%012d' "$1"; }  # of a host
dom() { printf '0b0b0b0b-0000-4000-8000-%012d' "$1"; } # of a domain
cli 0 fleet list --json
json '[]'
cli 2 fleet place
err "--profile, --pool, --xml FILE or DOMAIN is missing"
cli 2 fleet place --profile "$P"
err "which domain is it for?"
cli 2 fleet place --count 2 --profile "$P" --dry-run
err "--count follows the --profile"
cli 2 fleet place --profile "$P" --count 0 --dry-run
err "--count 0: a number from 1 to"
cli 2 fleet place --profile "$P" --domain web1
err "--domain 'web1' is not a UUID"
cli 2 fleet place --profile "$P" --not-with web1 --dry-run
err "--not-with 'web1' is not a UUID"
cli 2 fleet place --profile "$P" --xml x
err "only one of DOMAIN, --xml FILE and --profile or --pool"
cli 2 fleet place --profile "$P" --dry-run --spread --pack
err "either --spread or --pack"
cli 2 fleet place --profile "$P" --dry-run --label r1
err "--label 'r1' is not NAME=VALUE"
cli 2 fleet place --profile "$P" --domain "$(dom 1)" --start
err "--define and --start need --xml FILE or DOMAIN"
cli 2 fleet reserve "$(dom 1)" --profile "$P"
err "--host is missing"
cli 2 fleet release web1
err "the fleet knows no names of domains"
cli 2 fleet release
err "DOMAIN-UUID or --xml FILE is missing"
cli 2 fleet quota --max 3
err "need a TENANT"
cli 2 fleet quota acme --max x
err "--max x: a number from 0"

# --- list, info -------------------------------------------------------------------------------
tool host "$(id 1)" host1 active "$P" 2 test:///default default rack=r1
tool host "$(id 2)" host2 active "$P" 4 test:///default default rack=r2
tool host "$(id 3)" host3 draining "$P" 0 test:///default
tool host "$(id 4)" host4 down "$P" 0 test:///default
tool host "$(id 5)" host5 active 'NVIDIA A40-8Q' 3 test:///default design
tool host "$(id 7)" twin active "$P" 0 test:///default
tool host "$(id 8)" twin active "$P" 0 test:///default
tool domain "$(dom 90)" "$(id 6)" running "$P"
cli 0 fleet list
silent
narrow
out "host1" "draining"
cli 0 fleet list --noheadings -o name,state,domains
[ "$(tr -s ' ' < "$tmp/out" | sed 's/^ //;s/ $//')" = "- down 1
host1 active 0
host2 active 0
host3 draining 0
host4 down 0
host5 active 0
twin active 0
twin active 0" ]
verdict $? "all hosts, and one that has vanished with a domain"
cli 0 fleet list --json
json "\"name\":\"host1\",\"uuid\":\"$(id 1)\",\"state\":\"active\",\"fb_free_mib\":8192,\"fb_total_mib\":65536,\"available\":null,\"domains\":0"
cli 0 fleet list --profile A2-4Q --noheadings -o name,available
[ "$(tr -s ' ' < "$tmp/out" | sed 's/^ //;s/ $//')" = "host1 2
host2 4" ]
verdict $? "only those that have it, also without the vendor's name"
cli 0 fleet info host1
out "$P" "rack=r1"
cli 0 fleet info "$(id 6)" --json
json '"state":"down"' "\"domain\":\"$(dom 90)\",\"state\":\"running\",\"vgpus\":1"
cli 3 fleet info host9
err "no agent in the fleet calls its host 'host9'"
cli 3 fleet info "$(id 9)"
err "the fleet has no host $(id 9)"
cli 2 fleet info twin
err "2 hosts are called 'twin': use a UUID: $(id 7), $(id 8)"

# --- events -----------------------------------------------------------------------------------
"$builddir/virt-vgpu" fleet events > "$tmp/events" 2> "$tmp/events.err" &
follower=$!
has_event() { tr -d ' ' < "$tmp/events" | grep -qF "$1"; }
is_followed() { tool host "$(id 9)" host9 active "$P" 0 test:///default; has_event '"event":"host-joined"' && return
    tool leave "$(id 9)"; return 1; }
until_true is_followed
verdict $? "a host joins"
tool leave "$(id 9)"

# --- place ------------------------------------------------------------------------------------
cli 0 fleet place --profile "$P" --dry-run
silent
[ "$(cat "$tmp/out")" = test:///default ]
verdict $? "the URI and nothing else"
cli 0 fleet place --profile "$P" --dry-run --json
json "\"domain\":null" "\"host\":\"host1\",\"host_uuid\":\"$(id 1)\",\"uri\":\"test:///default\"" '"reserved":false'
cli 0 fleet place --profile "$P" --spread --dry-run --json
json '"host":"host2"'
cli 0 fleet place --profile "$P" --label rack=r2 --dry-run --json
json '"host":"host2"'
cli 4 fleet place --profile "$P" --count 5 --dry-run
err "no host of the fleet has room for that: 'virt-vgpu fleet explain'"
cli 0 fleet place --pool design --dry-run --json
json '"profile":"NVIDIAA40-8Q"' '"host":"host5"'
cli 4 fleet place --pool none --dry-run
err "no host of the fleet has room in a pool 'none'"
tool host "$(id 5)" host5 active "NVIDIA A40-4Q" 3 test:///default design
cli 2 fleet place --pool design --dry-run
err "name one of NVIDIA A40-4Q, NVIDIA A40-8Q"

cli 0 fleet place --profile "$P" --domain "$(dom 1)" --json
json "\"domain\":\"$(dom 1)\",\"name\":null,\"host\":\"host1\"" '"reserved":true' '"reserved_until":"20'
cli 5 fleet place --profile "$P" --domain "$(dom 1)"
err "cannot place domain $(dom 1): domain $(dom 1) is reserved on host $(id 1): 'virt-vgpu fleet release $(dom 1)' gives"
cli 0 fleet place --profile "$P" --domain "$(dom 2)" --not-with "$(dom 1)" --json
json '"host":"host2"'
until_true has_event '"event":"reserved"'
verdict $? "events: reserved"

# --- a domain's XML ---------------------------------------------------------------------------
domain() # N PROFILE...: of domain webN, the first that fits
{
    n=$1
    shift
    for profile; do
        alternatives="${alternatives:-}<vgpu:profile name='$profile'/>"
    done
    cat << XML
<domain type='test'><name>web$n</name><uuid>$(dom "$n")</uuid><memory>65536</memory><os><type>hvm</type></os>
<metadata><vgpu:devices xmlns:vgpu='urn:virt-vgpu:domain:1' tenant='acme'><vgpu:device>$alternatives</vgpu:device>
</vgpu:devices></metadata></domain>
XML
    alternatives=''
}
domain 10 'NVIDIA A2-16Q' "$P" > "$tmp/web10.xml"
cli 0 fleet place --xml "$tmp/web10.xml" --json
json "\"domain\":\"$(dom 10)\",\"name\":\"web10\"" "\"profile\":\"NVIDIAA2-4Q\",\"count\":1" '"tenant":"acme"'
cli 0 fleet release --xml "$tmp/web10.xml"
out "The reservation of domain $(dom 10) is given up"
until_true has_event '"event":"released"'
verdict $? "events: released"
cli 3 fleet release "$(dom 10)" --json
json '{"error":"not-found","code":3'
cli 5 fleet place --xml "$tmp/web10.xml"
err "has been given up, but host $(id 1) has not said that the domain does not run there: its agent does so soon"
tool agent "$(id 1)"
tool agent "$(id 2)"
cli 0 fleet place --xml "$tmp/web10.xml" --define
silent
[ "$(cat "$tmp/out")" = test:///default ]
verdict $? "defined, and the URI printed"
tool end "$(dom 10)"
cli 0 fleet place --xml "$tmp/web10.xml" --start
tool domain "$(dom 10)" "$(id 1)" running "$P" acme
until_true has_event '"event":"running"'
verdict $? "events: running"
tool domain "$(dom 10)" "$(id 2)" running "$P" acme
until_true has_event '"event":"moved"'
verdict $? "events: moved"
tool end "$(dom 10)"
until_true has_event '"event":"ended"'
verdict $? "events: ended"
sed 's/<uuid>.*<\/uuid>//' "$tmp/web10.xml" > "$tmp/no-uuid.xml"
cli 2 fleet place --xml "$tmp/no-uuid.xml"
err "domain 'web10' has no <uuid>"
cli 0 fleet place --xml "$tmp/no-uuid.xml" --dry-run
sed 's/<metadata>.*//; /vgpu:devices/d' "$tmp/web10.xml" > "$tmp/plain.xml"
printf '</domain>' >> "$tmp/plain.xml"
cli 1 fleet place --xml "$tmp/plain.xml"
err "asks for no vGPU"
cli 3 fleet place --xml "$tmp/none.xml"

# a start that fails gives the reservation up
tool host "$(id 1)" host1 active "$P" 2 "test:///$tmp/none" default rack=r1
tool agent "$(id 1)"
cli 6 fleet place --xml "$tmp/web10.xml" --start --label rack=r1
err "cannot connect to libvirt"
tool agent "$(id 1)"
cli 3 fleet release "$(dom 10)"
tool host "$(id 1)" host1 active "$P" 2 test:///default default rack=r1
sed 's/<domain /<domain id="x" /; s/<type>hvm/<type>none/' "$tmp/web10.xml" > "$tmp/bad.xml"
cli 1 fleet place --xml "$tmp/bad.xml" --start
err "cannot define domain 'web10' at test:///default"
tool agent "$(id 1)"
tool agent "$(id 2)"

# a domain that this host's libvirt knows
{ echo "<node>"; cat "$tmp/web10.xml"; echo "</node>"; } > "$tmp/node.xml"
cli 0 fleet place web10 --dry-run --json
json "\"domain\":\"$(dom 10)\",\"name\":\"web10\""
cli 3 fleet place web11 --dry-run

# --- explain ----------------------------------------------------------------------------------
cli 0 fleet explain --profile "$P" --label rack=r2 --json
json '"possible":true' \
    "\"host\":\"host1\",\"uuid\":\"$(id 1)\",\"verdict\":\"label\",\"available\":null,\"reason\":\"ithasnolabelrack=r2\"" \
    "\"host\":\"host2\",\"uuid\":\"$(id 2)\",\"verdict\":\"fits\",\"available\":3,\"reason\":null" \
    "\"host\":\"host3\",\"uuid\":\"$(id 3)\",\"verdict\":\"draining\"" \
    "\"host\":\"host4\",\"uuid\":\"$(id 4)\",\"verdict\":\"down\"" \
    "\"host\":\"host5\",\"uuid\":\"$(id 5)\",\"verdict\":\"no-such-profile\"" \
    "\"uuid\":\"$(id 6)\",\"verdict\":\"down\""
cli 1 fleet explain --profile "$P" --count 9
narrow
out "no-room" "no host of the fleet has room for the domain"
cli 1 fleet explain --profile 'NVIDIA A40-8Q' --noheadings -o host,verdict
out "not-in-pool"
cli 1 fleet explain --profile "$P" --domain "$(dom 1)" --not-with "$(dom 2)" --json
json "\"host\":\"host2\",\"uuid\":\"$(id 2)\",\"verdict\":\"affinity\"" '"possible":false' \
    "domain$(dom 1)isreservedonhost$(id 1)already"
cli 0 fleet explain --xml "$tmp/web10.xml"

# --- quota ------------------------------------------------------------------------------------
cli 0 fleet quota --json
json '[]'
cli 0 fleet quota acme --max 1 --max-mib 0
out "acme"
until_true has_event '"event":"quota-changed"'
verdict $? "events: quota-changed"
cli 4 fleet place --profile "$P" --count 2 --domain "$(dom 20)" --tenant acme
err "tenant 'acme' has 0 vGPUs in the fleet and may have 1"
cli 0 fleet place --profile "$P" --domain "$(dom 20)" --tenant acme
cli 4 fleet place --xml "$tmp/web10.xml"
err "cannot place domain 'web10': tenant 'acme' has 1 vGPUs"
cli 1 fleet explain --xml "$tmp/web10.xml" --json
json '"verdict":"quota"' '"possible":false' "\"reason\":\"tenant'acme'has1vGPUs"
cli 0 fleet quota --json
json '{"tenant":"acme","used":1,"max":1,"used_mib":4096,"max_mib":null}'
cli 0 fleet quota acme --max 2 --json
cli 0 fleet quota acme --remove
cli 3 fleet quota acme --remove
err "tenant 'acme' has no quota"
cli 3 fleet quota other
tool end "$(dom 20)"

# --- reserve, drain, undrain ------------------------------------------------------------------
cli 0 fleet reserve "$(dom 30)" --host host2 --profile "$P"
out "Room for domain $(dom 30) is reserved on host 'host2' for 10 minutes"
cli 4 fleet reserve "$(dom 31)" --host host1 --profile "$P" --count 3
err "host $(id 1) does not take it: "
cli 5 fleet reserve "$(dom 31)" --host host3 --profile "$P"
err "host 'host3' is being drained: 'virt-vgpu fleet undrain host3'"
cli 5 fleet reserve "$(dom 31)" --host host4 --profile "$P"
err "virtvgpud of host 'host4' does not answer"
cli 5 fleet reserve "$(dom 31)" --host "$(id 6)" --profile "$P"
err "the agent of host $(id 6) is not there"
cli 0 fleet drain host2 --json
json "\"host\":\"host2\",\"host_uuid\":\"$(id 2)\",\"drained\":true,\"forgotten\":null,\"domains\":2"
cli 0 fleet info host2 --json
json '"state":"draining","drained":true'
cli 5 fleet reserve "$(dom 31)" --host host2 --profile "$P"
err "host 'host2' is being drained"
tool host "$(id 2)" host2 draining "$P" 0 test:///default
until_true has_event '"event":"host-draining"'
verdict $? "events: host-draining"
"$builddir/virt-vgpu" fleet drain host2 --wait > "$tmp/waited" 2>&1 &
waiting=$!
until_true grep -q "2 domains are left" "$tmp/waited"
verdict $? "drain waits for domains"
tool end "$(dom 2)"
tool end "$(dom 30)"
wait "$waiting"
verdict $? "until they have ended"
cli 0 fleet undrain host2
out "host 'host2' is not drained"
tool host "$(id 2)" host2 active "$P" 4 test:///default default rack=r2
cli 0 fleet reserve "$(dom 31)" --host host2 --profile "$P" --json
json '"reserved":true'
tool end "$(dom 31)"

# --- forget -----------------------------------------------------------------------------------
cli 5 fleet forget host1 --yes
err "the agent of host 'host1' is there"
cli 2 fleet forget "$(id 6)"
err "nothing is forgotten: --yes"
cli 5 fleet place --profile "$P" --domain "$(dom 90)"
err "domain $(dom 90) is running on host $(id 6): stop it there; or 'virt-vgpu fleet forget $(id 6)'"
cli 0 fleet forget "$(id 6)" --yes
out "Host $(id 6) is forgotten, with 1 domain"
cli 0 fleet place --profile "$P" --domain "$(dom 90)"
tool end "$(dom 90)"
tool leave "$(id 1)"
until_true has_event '"event":"host-left"'
verdict $? "events: host-left"
kill -INT "$follower"
wait "$follower"
verdict $? "events end with Ctrl-C"
follower=''
[ ! -s "$tmp/events.err" ]
verdict $? "and print nothing else"

# --- a race -----------------------------------------------------------------------------------
tool end "$(dom 1)"
for host in 1 2 3 4 5 7 8; do
    tool leave "$(id "$host")"
done
tool host "$(id 1)" host1 active "$P" 2 test:///one
tool host "$(id 2)" host2 active "$P" 3 test:///two
for n in 1 2 3 4 5 6 7 8; do
    (
        "$builddir/virt-vgpu" fleet place --profile "$P" --domain "$(dom "10$n")" > "$tmp/race$n" 2> "$tmp/lost$n"
        echo $? > "$tmp/rc$n"
    ) &
    racers="${racers:-} $!"
done
# shellcheck disable=SC2086 # a list
wait $racers
sort "$tmp"/rc[1-8] | uniq -c | tr -s ' ' > "$tmp/out"
[ "$(cat "$tmp/out")" = " 5 0
 3 4" ]
verdict $? "of eight planners, five win the five last places"
[ "$(sort "$tmp"/race[1-8] | uniq -c | tr -s ' ')" = " 2 test:///one
 3 test:///two" ]
verdict $? "and none has the place of another"

echo "1..$tests"
exit $((failures > 0))
