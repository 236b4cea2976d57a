#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Events have the same words as a line of JSON, as a D-Bus signal and in the journal, and all forms of the inventory agree
# takes: 90
# init: systemd
# releases: bookworm
# timeout: 600
# shellcheck source=SCRIPTDIR/../vgpu.sh
. "$(dirname "$0")/../vgpu.sh"

uuid=3b0f4d3e-5d3a-4d55-9c1e-5b5c3f0a7a64
vgpu=$(vgpu_uuid $uuid 0)
probe=11111111-2222-4333-8444-000000006401
collector=/var/lib/prometheus/node-exporter
textfile=$collector/virt-vgpu.prom
since=$(date +%s)
events='' monitor=''
hush() { [ -z "$events$monitor" ] || kill $events $monitor; }
trap 'hush || true; rm -rf $collector' EXIT

# sample NAME FILE: its value; calls OP RESULT FILE: of the hook.
sample() { sed -n "s/^$1 //p" "$2"; }
calls() { sample "virtvgpu_hook_calls_total{op=\"$1\",result=\"$2\"}" "$3"; }

mkdir -p $collector
daemon_config '[metrics]' "textfile=$textfile" 'interval=5'
wait_for 30 is_connected
wait_for 30 test -e $textfile
exec 3< $textfile
virt-vgpu metrics > /run/lab-metrics-0

cat > /run/lab-react.sh << 'EOF'
#!/bin/sh
printf '%s|%s\n' "$VGPU_DOMAIN" "$VGPU_REASON" > /run/lab-reaction.new
mv /run/lab-reaction.new /run/lab-reaction
EOF
chmod +x /run/lab-react.sh
rm -f /run/lab-{reaction,events,signals}
virt-vgpu events --json 2> /run/lab-events.err \
    > >(tee /run/lab-events | /usr/share/virt-vgpu/examples/refused-start.sh /run/lab-react.sh) &
events=$!
busctl monitor --json=short --match="type='signal',interface='org.virtvgpu.Manager1'" \
    > /run/lab-signals 2> /run/lab-signals.err &
monitor=$!
heard() {
    virt-vgpu create "$M10" 'GRID M10-1Q' --uuid $probe > /dev/null
    virt-vgpu destroy $probe > /dev/null
    grep -q vgpu-removed /run/lab-events && grep -q vgpu-removed /run/lab-signals
}
wait_for 60 heard

say "one domain starts, one is refused"
virt-vgpu pool-define /dev/stdin > /dev/null << EOF
<vgpupool><name>lab</name><source><gpu address='$M10B'/></source></vgpupool>
EOF
define_vgpu web1 "profile='NVIDIA A2-4Q'" --uuid $uuid
define_vgpu web2 "profile='NVIDIA A2-16Q'"
virsh -q start web1
assert_fails "vGPUs of another size are on it" virsh -q start web2
wait_for 30 test -e /run/lab-reaction
assert_grep "^web2[|]no GPU has room for a vGPU 'NVIDIA A2-16Q'" "$(cat /run/lab-reaction)" "what the example did"
wait_for 30 vgpu_state "$vgpu" active

say "the inventory, in each form"
for format in json opennebula prometheus placement; do
    virt-vgpu inventory --format $format > /run/lab-inventory.$format
done
virt-vgpu inventory --format opennebula | cmp - /run/lab-inventory.opennebula
/usr/bin/python3 -IS - "$vgpu" << 'PY'
import json, re, sys
host = json.load(open('/run/lab-inventory.json'))
gpus = {g['address']: g for g in host['gpus']}
assert len(gpus) == 8 and gpus['0000:41:00.0']['vfs_enabled'] == 4, host
assert [(v['uuid'], v['domain'], v['gpu']) for v in host['vgpus'] if v['state'] == 'active'] \
    == [(sys.argv[1], 'web1', '0000:41:00.0')], host['vgpus']
assert {p['name']: p['gpus'] for p in host['pools']}['lab'] == ['0000:85:00.0'], host['pools']

lines = open('/run/lab-inventory.opennebula').read().splitlines()
functions = {}
for line in lines:
    assert re.fullmatch(r'PCI = \[ (\w+ = "[^"]*", )*\w+ = "[^"]*" \]', line), line
    f = dict(re.findall(r'(\w+) = "([^"]*)"', line))
    functions[f['ADDRESS']] = f
assert sorted(functions) == ['0000:41:00:%d' % n for n in (4, 5, 6, 7)] \
    + ['0000:84:00:0', '0000:85:00:0', '10000:01:00:0'], sorted(functions)
vf = functions['0000:41:00:4']
assert vf['UUID'] == 'e4042b96-e63d-56cf-bcc8-4e6eecccc12e', vf # what OpenNebula's probe says
assert vf['MDEV_MODE'] == 'legacy' and 'nvidia-746' in vf['PROFILES'].split(','), vf
assert vf['DEVICE_NAME'] == 'NVIDIA Corporation GA107GL [A2 / A16]', vf

prometheus = open('/run/lab-inventory.prometheus').read()
assert re.search(r'^virtvgpu_vgpu_info\{.*uuid="%s".*domain="web1".*\} 1$' % sys.argv[1], prometheus, re.M), prometheus
providers = {p['name']: p for p in json.load(open('/run/lab-inventory.placement'))['resource_providers']}
a2 = providers['lab_pci_0000_41_00_0']
assert a2['parent_provider'] == 'lab' and a2['inventories']['VGPU']['total'] == 4, a2
assert a2['inventories']['CUSTOM_VGPU_NVIDIA_A2_4Q']['reserved'] == 0, a2
assert a2['inventories']['CUSTOM_VGPU_NVIDIA_A2_16Q']['reserved'] == 1, a2
assert 'CUSTOM_NVIDIA_746' in a2['traits'] and 'CUSTOM_NVIDIA_748' not in a2['traits'], a2
PY

say "metrics, and the file for node_exporter"
virt-vgpu metrics > /run/lab-metrics
assert_eq "$(calls prepare ok /run/lab-metrics-0) $(calls prepare refused /run/lab-metrics-0)" "0 0" "calls before"
assert_eq "$(calls prepare ok /run/lab-metrics) $(calls prepare refused /run/lab-metrics)" "1 1" "calls"
# names FILE: the names of all metrics in it.
names() { sed -n 's/^# TYPE //p' "$1"; }
same_names() { [ "$(names $textfile)" = "$(names /run/lab-metrics)" ]; }
wait_for 30 same_names
assert_eq "$(calls prepare refused $textfile)" 1 "calls in the file"
assert_eq "$(stat -c '%a %U' $textfile)" "644 root" "the file"
assert_eq "$(ls $collector)" "virt-vgpu.prom" "what lies beside it"
# The file is replaced, not rewritten: a reader that has the old one open can still read all of it.
assert_eq "$(stat -Lc %h /proc/self/fd/3)" 0 "links of the first file"
assert_eq "$(sed -n 's/^virtvgpu_up //p' <&3)" 1 "virtvgpu_up in the first file"

say "tables, doctor, completion"
for verb in gpu-list "list --all" profile-list pool-list; do
    # shellcheck disable=SC2086
    virt-vgpu $verb > /run/lab-out
    [ "$(wc -L < /run/lab-out)" -le 80 ] || fail "'$verb' is wider than 80 columns: $(cat /run/lab-out)"
done
virt-vgpu doctor --json > /run/lab-doctor || fail "doctor: $(cat /run/lab-doctor)"
/usr/bin/python3 -IS - << 'PY'
import json
for check in json.load(open('/run/lab-doctor')):
    assert list(check) == ['check', 'status', 'detail', 'fix'], check
    assert check['status'] in ('ok', 'warn') and check['detail'], check
    assert check['status'] == 'ok' or check['fix'], check
PY
offered() { # LINE: the words that bash offers for it
    bash -c '. /usr/share/bash-completion/completions/virt-vgpu
COMP_WORDBREAKS=$2 COMP_LINE=$1 COMP_POINT=${#1} COMPREPLY=()
_virt_vgpu virt-vgpu
printf "%s\n" "${COMPREPLY[@]}"' - "$1" $' \t\n"\'><=;|&(:' | sort | xargs
}
assert_eq "$(offered 'virt-vgpu detach we')" "web1 web2" "domains"
assert_eq "$(offered 'virt-vgpu pool-info l')" "lab" "pools"
assert_eq "$(offered "virt-vgpu attach web1 --profile 'NVIDIA A2-16")" "NVIDIA A2-16A NVIDIA A2-16C NVIDIA A2-16Q" "profiles"
assert_eq "$(offered 'virt-vgpu gpu-info "0000:4')" "$A2 0000:42:00.0" "GPUs"

say "the domain stops"
virsh -q destroy web1
wait_for 20 nothing_left
told() { grep "\"$1\"" "$2" | grep -q "$vgpu"; }
wait_for 20 told vgpu-removed /run/lab-events
wait_for 20 told vgpu-removed /run/lab-signals
hush
wait $events || fail "events: $(cat /run/lab-events.err)"
wait $monitor || true
events='' monitor=''
journalctl --sync
journalctl --since "@$since" VGPU_DOMAIN=web1 VGPU_DOMAIN=web2 -o json --no-pager > /run/lab-journal

say "the three reports agree"
/usr/bin/python3 -IS - "$vgpu" << 'PY'
import datetime, json, sys
keys = ['time', 'event', 'domain', 'domain_uuid', 'uuid', 'gpu', 'parent', 'profile', 'pool', 'outcome', 'reason', 'duration_ms',
        'libvirt_ms', 'downtime_ms', 'data_bytes', 'xid', 'action', 'text']
events = [json.loads(line) for line in open('/run/lab-events')]
for e in events:
    assert list(e) == keys, e
    datetime.datetime.fromisoformat(e['time'].replace('Z', '+00:00'))
ours = [e for e in events if e['domain'] in ('web1', 'web2') and e['event'] != 'domain-injected']
for e, (event, domain, gpu, profile, outcome) in zip(ours, [
        ('vgpu-created', 'web1', '0000:41:00.0', 'NVIDIA A2-4Q', 'ok'),
        ('start-refused', 'web2', None, 'NVIDIA A2-16Q', 'refused'),
        ('vgpu-removed', 'web1', '0000:41:00.0', 'NVIDIA A2-4Q', 'ok')], strict=True):
    assert (e['event'], e['domain'], e['gpu'], e['profile'], e['outcome']) == (event, domain, gpu, profile, outcome), ours
    assert isinstance(e['duration_ms'], int) and (e['reason'] is not None) == (outcome != 'ok'), e
assert ours[0]['uuid'] == ours[2]['uuid'] == sys.argv[1], ours

signals = []
for line in open('/run/lab-signals'):
    s = json.loads(line)
    row = {k: v['data'] for k, v in s['payload']['data'][0].items()}
    assert s['member'] == 'Event', s
    if row.get('domain') and row['event'] != 'domain-injected':
        signals.append({k: row.get(k) for k in keys})
assert signals == ours, signals

ids = {'vgpu-created': 'c6b03c17b98440218cf5ae25ad43469c', 'start-refused': '5865eadcab3643ed8eafd6f82fa15c89',
       'vgpu-removed': 'f6de9e959f1f4794a71304640962aa53'}
journal = [j for j in map(json.loads, open('/run/lab-journal')) if j['VGPU_EVENT'] in ids]
for j, e in zip(journal, ours, strict=True):
    assert j['MESSAGE_ID'] == ids[e['event']] and e['domain'] in j['MESSAGE'], j
    for k in keys[1:]:
        wanted = None if e[k] is None else str(e[k])
        assert j.get('VGPU_' + k.upper()) == wanted, (k, wanted, j)
PY

say "the file records the end of the daemon, too"
daemon_stop
assert_eq "$(sample virtvgpu_up $textfile)" 0 "virtvgpu_up"
