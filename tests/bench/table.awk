# SPDX-License-Identifier: LGPL-2.1-or-later
# Prints bench.csv as a table with ratios; then all aims beside what was measured and what the floor is, which is
# what the same costs without us (floor.c).
BEGIN { FS = "," }
{
    section[NR] = $1; name[NR] = $2; runs[NR] = $3; median[NR] = $4; tail[NR] = $5; failed[NR] = $6
    m[$2] = $4; p[$2] = $5; f[$2] = $6
    if (!($1 in first)) first[$1] = $4
    ms[$1, $2] = $4
    errors += $6
    if ($1 == "at once") at_once += $6
}
function unit(us, of) {
    if (of == "memory") return sprintf("%.1f MiB", us / 1024)
    if (of == "wake-ups" || of == "processes") return us
    return sprintf("%.3f ms", us / 1000)
}
function heading(text) {
    printf "\n%-58s %9s %8s %8s %8s\n", text, "measured", "aim", "floor", ""
}
# least: 0 where nothing can be said of it
function row(text, format, value, most, least) {
    printf "  %-56s %9s %8s %8s  %s\n", text, sprintf(format, value), sprintf(format, most),
        least ? sprintf(format, least) : "-", value <= most ? "met" : "NOT MET"
}
function part(text, us, of) {
    printf "  %-56s %9s %7.1f%%\n", text, unit(us), 100 * us / of
}
# What of @us the parts named are: "2*NAME" counts twice
function parts(text, us, list,    n, i, one, times, sum, each) {
    printf "\n%s: %s, of which\n", text, unit(us)
    n = split(list, one, ";")
    for (i = 1; i <= n; i++) {
        times = 1
        if (one[i] ~ /^[0-9]\*/) {
            times = substr(one[i], 1, 1)
            one[i] = substr(one[i], 3)
        }
        each = times * (one[i] in raw ? raw[one[i]] : m[one[i]])
        sum += each
        part((times > 1 ? times " x " : "") one[i], each, us)
    }
    part("the floor", sum, us)
    part("ours, and hand-overs between threads and processes", us - sum, us)
    return sum
}
END {
    printf "%-10s %-40s %6s %12s %12s %7s %7s\n", "", "", "runs", "median", "p99", "ratio", "failed"
    for (i = 1; i <= NR; i++) {
        timed = section[i] != "memory" && section[i] != "wake-ups" && section[i] != "processes"
        printf "%-10s %-40s %6d %12s %12s %7s %7d\n", section[i] == section[i - 1] ? "" : section[i],
            name[i], runs[i], unit(median[i], section[i]),
            unit(tail[i], section[i]),
            timed && first[section[i]] ? sprintf("%.2f", median[i] / first[section[i]]) : "-", failed[i]
    }
    print "(ratio: to the first of its section; memory: with libraries; the part that no other process shares now; bash and python write to a plain file)"

    make = ms["create", "daemon"]; rm = ms["remove", "daemon"]
    raw["the raw write to create"] = ms["create", "raw write"]
    raw["the raw write to remove"] = ms["remove", "raw write"]
    makes = parts("create through the daemon", make, "a socket round trip;2*a claim's file written;a read of the GPU;2*a request to it;the raw write to create")
    removes = parts("remove through the daemon, to its end", rm, "a socket round trip;a claim's file written;a driver process started;a request to it;the raw write to remove;a claim's file removed")
    raw["a process started"] = m["/bin/true beside annotated"]
    hook = m["hook of an annotated domain"]; release = m["its release"]
    prepares = parts("hook of an annotated domain, prepare", hook, "a process started;a socket round trip;2*a claim's file written;a read of the GPU;2*a request to it;the raw write to create")
    releases = parts("hook of an annotated domain, release", release, "a process started;a socket round trip;a claim's file written")

    heading("Aims, as ratios within this run")
    plain = m["/bin/true"]; beside = m["/bin/true beside annotated"]
    row("hook of an unannotated domain / true", "%.2f", m["hook of an unannotated domain"] / plain, 1.1, 1)
    row("hook of an annotated domain, prepare / true", "%.2f", hook / beside, 2, prepares / beside)
    row("hook of an annotated domain, release / true", "%.2f", release / beside, 2, releases / beside)
    steady = p["/bin/true beside annotated"] / beside
    row("its p99/median, prepare, to that of true", "%.2f", p["hook of an annotated domain"] / hook / steady, 1.2, 1)
    row("its p99/median, release, to that of true", "%.2f", p["its release"] / release / steady, 1.2, 1)
    row("create through the daemon / raw write", "%.1f", make / ms["create", "raw write"], 3, makes / ms["create", "raw write"])
    row("remove through the daemon / raw write", "%.1f", rm / ms["remove", "raw write"], 6, removes / ms["remove", "raw write"])
    row("10,000 functions / 1,000 functions", "%.1f", m["10000 functions"] / m["1000 functions"], 12, 0)
    if (m["virt-vgpu-hook prepare + release"]) {
        row("lab: hooks / mdevctl start + stop", "%.2f", m["virt-vgpu-hook prepare + release"] / m["mdevctl start + stop"], 1 / 3, 0)
        row("lab: hooks / virsh nodedev-create + destroy", "%.2f", m["virt-vgpu-hook prepare + release"] / m["virsh nodedev-create + destroy"], 1 / 50, 0)
    }
    heading("Aims, as they are")
    row("calls at once: errors, messages, late answers", "%d", at_once, 0, 0)
    row("all runs: errors, messages, late answers", "%d", errors, 0, 0)
    row("idle daemon, of its own without libraries, MiB", "%.1f", m["idle daemon own"] / 1024, 4, 0)
    row("idle daemon, wake-ups in 5 s", "%d", m["idle daemon in 5 s"], 0, 0)
}
