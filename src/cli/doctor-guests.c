/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/doctor-guests.h"

#include "cli/doctor.h"

#define OK VGPU_DOCTOR_OK
#define WARN VGPU_DOCTOR_WARN
#define FAIL VGPU_DOCTOR_FAIL

#define SOON_S 3600 /* a lease is renewed long before its end */

/* --- drivers ------------------------------------------------------------------------------ */

/* NVIDIA's release branches and, of those with long-term support, that they are (Virtual GPU Software
 * Documentation, releases 8 to 19). A driver for Windows counts on from its branch's number: 528.24 is of
 * branch 525. */
static const struct {
    guint number;
    bool long_term;
} branches[] = {
    { 418, true },  { 430, false }, { 440, false }, { 450, true },  { 460, false }, { 470, true },
    { 510, false }, { 525, false }, { 535, true },  { 550, false }, { 570, false }, { 580, true },
};
#define BRANCH_MAX 9   /* that a driver's number is above its branch's */
#define FIRST_HOST 450 /* before, no two branches went together */

/* -1: none that is known. */
static int
branch_of(const char *version)
{
    guint64 number = version ? g_ascii_strtoull(version, NULL, 10) : 0;

    for (int i = G_N_ELEMENTS(branches) - 1; i >= 0; i--) {
        if (number >= branches[i].number)
            return number <= branches[i].number + BRANCH_MAX ? i : -1;
    }
    return -1;
}

static int
previous_long_term(int branch)
{
    while (--branch >= 0 && !branches[branch].long_term)
        ;
    return branch;
}

/* "Compatibility Requirements for the NVIDIA vGPU Manager and Guest VM Driver" in the release notes: the same
 * branch; the one before the host's; and the long-term one before the host's, if that has such support. */
VgpuFinding
vgpu_doctor_guests_judge_driver(const char *guest, const char *host)
{
    int of_guest = branch_of(guest), of_host = branch_of(host);

    if (of_guest < 0 || of_host < 0 || branches[of_host].number < FIRST_HOST)
        return (VgpuFinding) { 0 };
    if (of_guest == of_host || of_guest == of_host - 1 ||
        (branches[of_host].long_term && of_guest == previous_long_term(of_host)))
        return (VgpuFinding) { OK,
                               g_strdup_printf("%s, which works with the host's %s", guest, host),
                               NULL };
    return (VgpuFinding) {
        .status = WARN,
        .detail = g_strdup_printf("%s does not match the host's %s: the vGPU may not work", guest,
                                  host),
        .fix = g_strdup_printf(of_guest > of_host
                                   ? "install a guest driver of branch %u or the one before, or "
                                     "a later driver on the host"
                                   : "install a guest driver of branch %u or the one before",
                               branches[of_host].number),
    };
}

/* --- rows --------------------------------------------------------------------------------- */

static const char *
text(GVariant *row, const char *key)
{
    const char *value = NULL;

    (void) !g_variant_lookup(row, key, "&s", &value);
    return value;
}

static void
add(GVariantBuilder *rows, const char *check, const char *of, VgpuFinding finding)
{
    g_auto(VgpuFinding) owned = finding;
    g_autofree char *name = of ? g_strdup_printf("%s %s", check, of) : g_strdup(check);

    if (owned.status)
        g_variant_builder_add_value(rows, vgpu_doctor_row_new(name, owned.status, owned.detail,
                                                              owned.fix));
}

/* Of the host that @gpu is in; NULL: not known. */
static const char *
host_driver(GVariant *gpus, const char *gpu)
{
    for (gsize i = 0; i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) row = g_variant_get_child_value(gpus, i);

        if (g_strcmp0(text(row, "gpu"), gpu) == 0)
            return text(row, "driver_version"); /* the list has it */
    }
    return NULL;
}

/* The name of a vGPU in checks: its domain, else its UUID. */
static const char *
owner(GVariant *vgpu)
{
    const char *domain = text(vgpu, "domain");

    return domain ? domain : text(vgpu, "uuid");
}

static VgpuFinding
judge_license(GVariant *vgpu, gint64 now)
{
    const char *state = text(vgpu, "license_state"), *expiry = text(vgpu, "license_expiry");
    const char *profile = text(vgpu, "profile");
    g_autoptr(GDateTime) end = expiry ? g_date_time_new_from_iso8601(expiry, NULL) : NULL;

    if (g_strcmp0(state, "licensed") != 0)
        return (VgpuFinding) {
            .status = WARN,
            .detail = g_strdup_printf("its %s has none: %s", profile ? profile : "vGPU", state),
            .fix = g_strdup("in the guest see 'nvidia-smi -q' (vGPU Software Licensed Product), "
                            "gridd.conf and the token; 'journalctl -u nvidia-gridd' there says "
                            "what the licence server answered"),
        };
    if (end && g_date_time_to_unix(end) - now < SOON_S)
        return (VgpuFinding) {
            .status = WARN,
            .detail = g_strdup_printf("expires at %s and has not been renewed", expiry),
            .fix = g_strdup("check that the guest can still reach the licence server: "
                            "'journalctl -u nvidia-gridd' there"),
        };
    return (VgpuFinding) { 0 };
}

typedef struct {
    guint all, licensed; /* that report a licence */
} Licenses;

/* The host does not talk to the licence server, so it can only judge it by the guests. */
static void
add_licenses(GVariantBuilder *rows, const Licenses *licenses)
{
    if (licenses->licensed)
        add(rows, "licences", NULL,
            (VgpuFinding) { OK,
                            g_strdup_printf("%u of %u guests have one, so the licence server "
                                            "answers",
                                            licenses->licensed, licenses->all),
                            NULL });
    else if (licenses->all > 1)
        add(rows, "licences", NULL,
            (VgpuFinding) { WARN, g_strdup_printf("none of %u guests has one", licenses->all),
                            g_strdup("check that the licence server (DLS or CLS) can be reached "
                                     "from their network and has licences left") });
}

static VgpuFinding
judge_health(const char *health)
{
    static const struct {
        const char *health, *status, *detail, *fix;
    } findings[] = {
        { "ok", OK, "its memory needs no repair", NULL },
        { "reset-required", WARN, "it must be reset to repair its memory",
          "stop the domains that use it, then nvidia-smi --gpu-reset, or reboot the host" },
        { "replace", FAIL, "its memory can no longer be repaired", "have the board replaced" },
        { "lost", FAIL, "it does not answer on the bus",
          "'journalctl -k' has the driver's Xid; power the host off and on, and have the board "
          "replaced if that does not help" },
    };

    for (gsize i = 0; i < G_N_ELEMENTS(findings); i++) {
        if (g_strcmp0(health, findings[i].health) == 0)
            return (VgpuFinding) { findings[i].status, g_strdup(findings[i].detail),
                                   g_strdup(findings[i].fix) };
    }
    return (VgpuFinding) { 0 };
}

void
vgpu_doctor_guests(GVariant *vgpus, GVariant *gpus, gint64 now, GVariantBuilder *rows)
{
    Licenses licenses = { 0 };

    for (gsize i = 0; i < g_variant_n_children(gpus); i++) {
        g_autoptr(GVariant) gpu = g_variant_get_child_value(gpus, i);

        add(rows, "health", text(gpu, "gpu"), judge_health(text(gpu, "health")));
    }
    for (gsize i = 0; i < g_variant_n_children(vgpus); i++) {
        g_autoptr(GVariant) vgpu = g_variant_get_child_value(vgpus, i);
        const char *state = text(vgpu, "license_state");

        add(rows, "guest driver", owner(vgpu),
            vgpu_doctor_guests_judge_driver(text(vgpu, "driver_version"),
                                            host_driver(gpus, text(vgpu, "gpu"))));
        if (!state)
            continue;
        licenses.all++;
        licenses.licensed += g_str_equal(state, "licensed");
        add(rows, "licence", owner(vgpu), judge_license(vgpu, now));
    }
    add_licenses(rows, &licenses);
}
