# Prints bench.csv as a table with ratios, and the aims beside what was measured.
BEGIN { FS = "," }
{
    section[NR] = $1; name[NR] = $2; runs[NR] = $3; median[NR] = $4; tail[NR] = $5; failed[NR] = $6
    m[$2] = $4; p[$2] = $5; f[$2] = $6
    if (!($1 in first)) first[$1] = $4
    ms[$1, $2] = $4
}
function unit(us, of) {
    if (of == "memory") return sprintf("%.1f MiB", us / 1024)
    if (of == "wake-ups") return us
    return sprintf("%.3f ms", us / 1000)
}
function aim(text, value, good) {
    printf "  %-62s %14s  %s\n", text, value, good ? "met" : "NOT MET"
}
END {
    printf "%-10s %-36s %6s %12s %12s %7s %7s\n", "", "", "runs", "median", "p99", "ratio", "failed"
    for (i = 1; i <= NR; i++) {
        timed = section[i] != "memory" && section[i] != "wake-ups"
        printf "%-10s %-36s %6d %12s %12s %7s %7d\n", section[i] == section[i - 1] ? "" : section[i],
            name[i], runs[i], unit(median[i], section[i]),
            unit(tail[i], section[i]),
            timed && first[section[i]] ? sprintf("%.2f", median[i] / first[section[i]]) : "-", failed[i]
    }
    print "(ratio: to the first of its section; memory: with libraries; the part that no other process shares now; bash and python write to a plain file)"
    print "\nAims"
    r = m["hook of an unannotated domain"] / m["/bin/true"]
    aim("unannotated hook at most 1.5 x /bin/true", sprintf("%.2f x", r), r <= 1.5)
    d = (m["hook of an annotated domain"] - m["/bin/true beside annotated"]) / 1000
    aim("annotated hook, median within 1 ms of /bin/true", sprintf("%.3f ms", d), d <= 1)
    d = (p["hook of an annotated domain"] - p["/bin/true beside annotated"]) / 1000
    aim("annotated hook, p99 within 3 ms of /bin/true", sprintf("%.3f ms", d), d <= 3)
    aim("1,000 calls at once without an error", f["1000 x prepare"] + f["1000 x release"] " errors",
        f["1000 x prepare"] + f["1000 x release"] == 0)
    d = (ms["create", "daemon"] - ms["create", "raw write"]) / 1000
    aim("the daemon adds at most 0.5 ms to the raw create", sprintf("%.3f ms", d), d <= 0.5)
    d = (ms["remove", "daemon"] - ms["remove", "raw write"]) / 1000
    aim("and to the raw remove", sprintf("%.3f ms", d), d <= 0.5)
    r = m["10000 functions"] / m["1000 functions"]
    aim("10 x devices cost at most 12 x time", sprintf("%.1f x", r), r <= 12)
    aim("idle daemon at most 10 MiB of its own (libraries left out)",
        unit(m["idle daemon own"], "memory"), m["idle daemon own"] <= 10240)
    aim("no periodic wake-ups", m["idle daemon in 5 s"] " in 5 s", m["idle daemon in 5 s"] <= 1)
    if (m["virt-vgpu-hook prepare + release"]) {
        r = m["mdevctl start + stop"] / m["virt-vgpu-hook prepare + release"]
        aim("lab: at least 3 x faster than mdevctl", sprintf("%.1f x", r), r >= 3)
        r = m["virsh nodedev-create + destroy"] / m["virt-vgpu-hook prepare + release"]
        aim("lab: at least 50 x faster than nodedev-create", sprintf("%.1f x", r), r >= 50)
    }
}
