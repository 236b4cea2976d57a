#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The example that reacts to refused starts, fed with events.
set -u
script=$(cd "${top_srcdir:-.}" && pwd)/docs/examples/refused-start.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
tests=0 failures=0

# is WHAT EXPECTED: what the script printed
is()
{
    tests=$((tests + 1))
    if [ "$(cat "$tmp/out")" = "$2" ]; then
        echo "ok $tests - $1"
    else
        echo "not ok $tests - $1"
        sed 's/^/# /' "$tmp/out"
        failures=$((failures + 1))
    fi
}

cat > "$tmp/events" << 'JSON'
{"time":"2026-01-02T03:04:05Z","event":"vgpu-created","domain":"web1","outcome":"ok","reason":null}
{"time":"2026-01-02T03:04:06Z","event":"start-refused","domain":"web1","domain_uuid":"aaaaaaaa-0000-4000-8000-000000000001","uuid":null,"outcome":"refused","reason":"no room: \"event\":\"gpu-gone\", C:\\x","duration_ms":3}
{"time": "2026-01-02T03:04:07Z", "event" : "vgpu-removed", "reason": "\"event\":\"start-refused\""}
{"time": "2026-01-02T03:04:08Z", "event" : "start-refused", "domain" : "a b", "reason" : "second"}
JSON
cat > "$tmp/virt-vgpu" << 'SH'
#!/bin/sh
cat > /dev/null
echo "asked: $*"
SH
chmod +x "$tmp/virt-vgpu"

cat > "$tmp/command" << 'SH'
#!/bin/sh
cat # of the events, if it could
printf '%s|%s|%s|%s|%s\n' "$1" "$VGPU_TIME" "$VGPU_DOMAIN" "$VGPU_DOMAIN_UUID" "$VGPU_REASON"
SH
chmod +x "$tmp/command"
"$script" "$tmp/command" "an arg" < "$tmp/events" > "$tmp/out" 2>&1
is "a command is run only for refused starts, with the known details" \
    'an arg|2026-01-02T03:04:06Z|web1|aaaaaaaa-0000-4000-8000-000000000001|no room: "event":"gpu-gone", C:\x
an arg|2026-01-02T03:04:08Z|a b||second'

"$script" false < "$tmp/events" > "$tmp/out" 2>&1
is "a command that fails is named, and does not end it" \
    'refused-start.sh: false failed for domain web1
refused-start.sh: false failed for domain a b'

sed -n 4p "$tmp/events" | PATH=$tmp:$PATH "$script" > "$tmp/out" 2>&1
is "without a command it prints the reason, and profiles that would fit" \
    '2026-01-02T03:04:08Z: domain a b was refused: second
    asked: explain a b'

echo "1..$tests"
[ "$failures" -eq 0 ]
