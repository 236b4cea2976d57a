#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every method of the D-Bus interface declares its access, with an action of the polkit policy, or as for the fleet's
# agent alone (access.c); the fields in
# the journal are documented.
set -eu
cd "${top_srcdir:-.}"
interface=data/org.virtvgpu.Manager1.xml policy=data/org.virtvgpu.policy
page=docs/virtvgpud.8.pod
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

complain()
{
    echo "$*"
    failed=1
}

# "METHOD KIND" a line; no KIND where the annotation is missing
awk -F '"' '
    /<method name=/ { name = $2; kind = "" }
    /annotation name="org.virtvgpu.Access"/ { kind = $4 }
    /<\/method>/ { print name, kind }' "$interface" > "$tmp/methods"
[ -s "$tmp/methods" ] || complain "$interface: no methods found"
while read -r method kind; do
    [ "$method $kind" = "FleetGrant fleet" ] || grep -q "<action id=\"org.virtvgpu.$kind\">" "$policy" ||
        complain "$interface: $method: org.virtvgpu.Access '$kind' is not an action of $policy"
done < "$tmp/methods"

sed -nE 's/.*<action id="org.virtvgpu\.([a-z]+)">.*/\1/p' "$policy" > "$tmp/kinds"
while read -r kind; do
    grep -q " $kind\$" "$tmp/methods" ||
        complain "$policy: no method needs org.virtvgpu.$kind"
    grep -q "org\.virtvgpu\.$kind" "$page" || complain "$page: org.virtvgpu.$kind is missing"
done < "$tmp/kinds"

# rules grant only actions of the policy
sed -nE 's/.*"org\.virtvgpu\.([a-z]+)".*/\1/p' data/org.virtvgpu.rules > "$tmp/granted"
[ -s "$tmp/granted" ] || complain "data/org.virtvgpu.rules: no action found"
while read -r kind; do
    grep -qx "$kind" "$tmp/kinds" || complain "data/org.virtvgpu.rules: no action org.virtvgpu.$kind"
done < "$tmp/granted"

# manage is reserved to root: no rule or example of ours grants it
if awk 'FNR == 1 || /^=/ { rule = 0 } /polkit\.addRule/ { rule = 1 } rule { print FILENAME ": " $0 }' \
    "$page" docs/*.md data/org.virtvgpu.rules | grep 'org\.virtvgpu\.manage'; then
    complain "a rule for polkit grants org.virtvgpu.manage: that makes its users root"
fi

# "EVENT MESSAGE_ID": stable, as programs look for them in the journal
awk 'NF { text = text $0 } END { print text }' src/base/event.c |
    grep -oE '\{ *"[a-z-]+", *"[0-9a-f]{32}"' | tr -d '{ "' | tr , ' ' | sort > "$tmp/ids"
[ -s "$tmp/ids" ] || complain "src/base/event.c: no message ids found"
awk '/^ [a-z-]+ +[0-9a-f]+$/ { print $1, $2 }' "$page" | sort > "$tmp/documented"
diff "$tmp/ids" "$tmp/documented" ||
    complain "MESSAGE_IDs of src/base/event.c (<) and of $page (>) differ"

# missing FILE PATTERN: prints the words from stdin that are missing in that passage of the file, up to its list of events
missing()
{
    awk -v pattern="$2" '$0 ~ pattern { on = 1 } on { print } on && /libvirt-disconnected/ { exit }' "$1" |
        tr -cs 'a-z_-' '\n' | sort -u > "$tmp/words"
    sort -u | comm -23 - "$tmp/words" > "$tmp/missing"
    [ ! -s "$tmp/missing" ] || complain "$1: missing about events:" "$(paste -sd ' ' "$tmp/missing")"
}

# the kinds of events, and their keys
cut -d ' ' -f 1 "$tmp/ids" > "$tmp/told"
missing docs/virt-vgpu.1.pod '^time [(]ISO 8601[)], event' < "$tmp/told"
sed -nE 's/.*(put|g_variant_dict_insert)\(&dict, "([a-z_]+)".*/\2/p' src/base/event.c > "$tmp/keys"
[ -s "$tmp/keys" ] || complain "src/base/event.c: no keys found"
cat "$tmp/told" "$tmp/keys" > "$tmp/all"
missing "$interface" '<!-- time [(]s, ISO 8601[)], event' < "$tmp/all"

exit "$failed"
