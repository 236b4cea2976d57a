#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The layer table: a directory of src/ may include only the directories in its row, and itself. Above all,
# core and libvirt do not include each other, so that nothing in the path of a hook can call libvirt; and
# core and daemon include nothing that opens /sys or /dev (tests/test-owners.sh checks the program, too). And the phase
# of a record is written only by core/life.c, which follows the rules, and by core/claim.c, which creates and reads
# records.
# Usage: check-layering.sh [TREE]; without TREE it tests itself first.
set -eu

table='
base
sysfs    base
gpu      base
backend  base sysfs gpu
domain   base gpu
iso      base gpu
driver   base sysfs gpu backend
pool     base gpu domain
placement base gpu domain pool
core     base gpu domain pool placement driver
libvirt  base gpu domain
metadata base domain libvirt
bus
setup    base sysfs gpu backend
fleet    base bus
daemon   base gpu domain pool placement driver core libvirt setup iso bus
cli      base sysfs gpu domain driver libvirt iso bus fleet
hooks
'

# Prints FILE:LINE and the rule for every line that breaks it; fails if there was one.
check_tree()
{
    # shellcheck disable=SC2016 # the program's $0 is awk's
    find "$1/src" "$1/hooks" -name '*.[ch]' -exec awk -v table="$table" -v root="$1/" '
        BEGIN {
            n = split(table, rows, "\n")
            for (i = 1; i <= n; i++) {
                split(rows[i], words, " ")
                if (words[1] == "")
                    continue
                known[words[1]] = 1
                may[words[1], words[1]] = words[1] != "hooks"
                for (w = 2; words[w] != ""; w++)
                    may[words[1], words[w]] = 1
                delete words
            }
            library = "^(gio|glib|glib-object|gmodule|json-glib|libxml|libvirt|uuid|systemd)[./]"
        }
        function breaks(rule) {
            printf "%s:%d: %s: %s\n", substr(FILENAME, length(root) + 1), FNR, rule, $0
            failed = 1
        }
        FNR == 1 {
            layer = substr(FILENAME, length(root) + 1)
            sub(/^src\//, "", layer)
            layer = layer ~ /\// ? substr(layer, 1, index(layer, "/") - 1) : "(top of src)"
            if (!(layer in known))
                breaks("src/" layer " is not in the layer table")
        }
        FNR == 1 {
            # bind.c handles only plans, which never change their phase
            may_write = FILENAME ~ /\/src\/core\/(life|claim)\.c$/
            is_situation = FILENAME ~ /\/src\/core\/lifecycle\.c$/
        }
        /VgpuSituation[^;]*\{/ { is_situation = 1 }
        !may_write && (/->phase *[|&]?=[^=]/ || (/\.phase *[|&]?=[^=]/ && !is_situation)) {
            if ($0 !~ /^ *situation\.phase = /)
                breaks("only core/life.c changes the phase of a record")
        }
        /^ *\};|\};$/ && FILENAME !~ /lifecycle\.c$/ { is_situation = 0 }
        /^[ \t]*#[ \t]*include[ \t]*"/ {
            name = $0
            gsub(/^[^"]*"|".*$/, "", name)
            if (layer == "hooks" && name ~ /^(printable|saved|uuid)[.]h$/) # headers of the hook itself
                next
            if (layer == "hooks")
                breaks("hooks/ is libc only")
            else if (name == "config.h")
                next
            else if (name == "driver/performer.h" && layer ~ /^(core|daemon)$/)
                breaks(layer " may not open /sys and /dev")
            else if (name !~ /\//)
                breaks("an include names its layer: \"LAYER/" name "\"")
            else if (!may[layer, substr(name, 1, index(name, "/") - 1)])
                breaks(layer " may not use " substr(name, 1, index(name, "/") - 1))
        }
        /^[ \t]*#[ \t]*include[ \t]*</ {
            name = $0
            gsub(/^[^<]*<|>.*$/, "", name)
            if (layer == "hooks" && name ~ library)
                breaks("hooks/ is libc only")
            else if (name ~ /^libxml\/(relaxng|schematron|xmlschemas)/)
                breaks("untrusted documents are validated with tables: base/grammar.h")
            else if (name ~ /^curl\// && layer != "fleet")
                breaks("only fleet speaks to the network")
            else if (name ~ /^libvirt\// && layer !~ /^(libvirt|metadata|daemon|cli)$/)
                breaks(layer " may not call libvirt")
        }
        END { exit failed }' {} +
}

# Every kind of broken rule must be found: one line of C each, in a tree that is otherwise clean.
test_itself()
{
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    mkdir -p "$tree/src/core" "$tree/src/libvirt" "$tree/hooks"
    printf '#include <stdio.h>\n' > "$tree/hooks/hook.c"
    printf '#include "base/xml.h"\n#include "libvirt/watch.h"\n' > "$tree/src/libvirt/watch.c"
    printf '#include "config.h"\n#include "gpu/gpu.h"\n' > "$tree/src/core/manager.c"
    printf '    claim->phase = VGPU_PHASE_READY;\n' > "$tree/src/core/life.c"
    printf '    s = (VgpuSituation) {\n        .phase = VGPU_PHASE_NONE,\n    };\n%s\n' \
        '    situation.phase = claim->phase;' > "$tree/src/core/step.c"
    printf '    if (claim->phase == VGPU_PHASE_READY)\n' > "$tree/src/core/plug.c"
    if ! check_tree "$tree"; then
        echo "self-test: a clean tree was refused"
        return 1
    fi
    while read -r file line; do
        mkdir -p "$tree/$(dirname "$file")"
        printf '/* one */\n%s\n' "$line" > "$tree/$file"
        if check_tree "$tree" > "$tree/out"; then
            echo "self-test: not found: $file: $line"
            return 1
        fi
        if ! grep -q "^$file:[12]: " "$tree/out" || [ "$(wc -l < "$tree/out")" -ne 1 ]; then
            echo "self-test: wrong message for $file: $line"
            cat "$tree/out"
            return 1
        fi
        rm "$tree/$file"
    done <<'EOF'
src/core/bad.c #include "libvirt/domains.h"
src/core/bad.c #include "backend/scan.h"
src/core/bad.c #include "sysfs/sysfs.h"
src/daemon/bad.c #include "backend/backend.h"
src/daemon/bad.c #include "driver/performer.h"
src/core/bad.c #include <libvirt/libvirt.h>
src/libvirt/bad.h #include "core/manager.h"
src/base/bad.h # include "gpu/gpu.h"
src/gpu/bad.c #include "bus/manager1.h"
src/cli/bad.c #include "backend/scan.h"
src/fleet/bad.c #include "gpu/gpu.h"
src/core/bad.c #include "fleet/store.h"
src/core/bad.c #include "claim.h"
src/core/bad.c claim->phase = VGPU_PHASE_FAILED;
src/core/bad.c vgpu_owner_find(owner, uuid)->phase = VGPU_PHASE_READY;
src/core/bad.c claim.phase = VGPU_PHASE_READY;
src/core/bad.c VgpuClaim about = { .uuid = uuid, .phase = VGPU_PHASE_READY };
src/daemon/bad.c claim->phase = VGPU_PHASE_FAILED;
src/daemon/bad.c #include <curl/curl.h>
src/domain/bad.c #include <libxml/relaxng.h>
src/new/bad.c /* a directory that is missing in the table */
src/bad.c /* a file outside any layer */
hooks/bad.c #include "base/names.h"
hooks/bad.c #include <glib.h>
hooks/bad.c #include "config.h"
EOF
}

if [ $# -eq 0 ]; then
    test_itself
fi
check_tree "${1:-${top_srcdir:-.}}"
