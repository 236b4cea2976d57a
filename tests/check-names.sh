#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The name of a function leads to its file: vgpu_NOUN_verb() is declared in NOUN.h, or where the type VgpuNoun is. NOUN
# can be the header's whole name, its first word (host-diff.h: vgpu_host_), with its layer before it (driver/process.h:
# vgpu_driver_process_), in the singular or in the plural.
# Usage: check-names.sh [TREE]; without TREE it tests itself first.
set -eu

# Prints FILE and function for each that breaks it; fails if there was one.
check_tree()
{
    find "$1/src" -name '*.h' ! -path '*/bus/*' -exec awk -v root="$1/" '
        function leads(name, noun) {
            sub(/s$/, "", noun)
            return name ~ "^vgpu_" noun "s?(_|$)"
        }
        # "VgpuPoolRow" → "pool_row"
        function snake(type, out, i, c) {
            for (i = 5; i <= length(type); i++) {
                c = substr(type, i, 1)
                out = out (i > 5 && c ~ /[A-Z]/ ? "_" : "") tolower(c)
            }
            return out
        }
        function judge(i, j, ok) {
            for (i = 1; i <= n_names; i++) {
                ok = leads(names[i], noun) || leads(names[i], first) || leads(names[i], layer "_" noun)
                for (j = 1; j <= n_types && !ok; j++)
                    ok = leads(names[i], snake(types[j]))
                if (!ok) {
                    printf "%s: %s()\n", file, names[i]
                    failed = 1
                }
            }
            n_names = n_types = 0
        }
        FNR == 1 {
            judge()
            file = substr(FILENAME, length(root) + 1)
            n = split(file, part, "/")
            layer = part[n - 1]
            noun = part[n]
            sub(/(-private)?\.h$/, "", noun)
            gsub(/-/, "_", noun)
            first = noun
            sub(/_.*/, "", first)
        }
        /^typedef (struct|enum|union) Vgpu[A-Za-z]* Vgpu[A-Za-z]*;/ { types[++n_types] = substr($4, 1, length($4) - 1) }
        /^} Vgpu[A-Za-z]*;/ { types[++n_types] = substr($2, 1, length($2) - 1) }
        /^[A-Za-z].*[ *]vgpu_[a-z0-9_]+\(/ && !/^(typedef|static)/ {
            match($0, /vgpu_[a-z0-9_]+\(/)
            names[++n_names] = substr($0, RSTART, RLENGTH - 1)
        }
        END { judge(); exit failed }' {} +
}

test_itself()
{
    tree=$(mktemp -d)
    trap 'rm -rf "$tree"' EXIT
    mkdir -p "$tree/src/core"
    cat > "$tree/src/core/row-list.h" << 'EOF'
typedef struct VgpuPoolRow VgpuPoolRow;
typedef struct {
    int x;
} VgpuSeat;
int vgpu_row_list_new(void);
VgpuSeat *vgpu_row_first(void);
void vgpu_pool_row_free(VgpuPoolRow *self);
bool vgpu_seat_is_free(const VgpuSeat *self);
bool vgpu_core_row_list_any(void);
static inline int vgpu_elsewhere(void);
EOF
    if ! check_tree "$tree"; then
        echo "self-test: good names were refused"
        return 1
    fi
    for name in vgpu_pool_free vgpu_rowing_free vgpu_list_free; do
        echo "void $name(void);" > "$tree/src/core/row.h"
        if check_tree "$tree" > "$tree/out" || ! grep -q "^src/core/row.h: $name()" "$tree/out"; then
            echo "self-test: $name() was not found"
            return 1
        fi
    done
}

if [ $# -eq 0 ]; then
    test_itself
fi
check_tree "${1:-${top_srcdir:-.}}"
